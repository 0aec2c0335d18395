"""One spread for the whole study: the linear model error ~ arm + seed, pooled over all arms that never fail."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.analysis.effects import Grid, Student, Weights

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """The fitted model: `mse` on `df` degrees of freedom, the arms' adjusted means and their covariance over mse."""

    arms: tuple[str, ...]
    seeds: int
    mse: float
    df: int
    means: Matrix
    unscaled: Matrix

    def effect(self, weights: Weights) -> Student | None:
        """Judge a weighted sum of arms whose weights add to zero; None when an arm is not in the model."""
        known = {arm: place for place, arm in enumerate(self.arms)}
        if any(arm not in known for arm in weights) or abs(math.fsum(weights.values())) > 1e-9:
            return None
        vector = np.zeros(len(self.arms))
        for arm, weight in weights.items():
            vector[known[arm]] = weight
        variance = self.mse * float(vector @ self.unscaled @ vector)
        if variance <= 0:
            return None
        return Student("pooled", self.seeds, float(vector @ self.means), math.sqrt(variance), self.df)


def fit(grid: Grid) -> Pooled | None:
    """Fit error ~ arm + seed by least squares to the arms without a fail; seeds may be missing.

    None below two arms or two seeds, without a degree of freedom or any spread, or when the arms share too few seeds
    for their differences to be estimable.
    """
    rows = {arm: found for arm, found in grid.items() if found and all(map(math.isfinite, found.values()))}
    seeds = sorted({seed for found in rows.values() for seed in found})
    df = sum(map(len, rows.values())) - len(rows) - len(seeds) + 1
    if len(rows) < 2 or len(seeds) < 2 or df < 1:
        return None
    present = np.array([[seed in found for seed in seeds] for found in rows.values()], dtype=float)
    values = np.array([[found.get(seed, 0.0) for seed in seeds] for found in rows.values()])
    counts = present.sum(axis=1)
    reduced = np.diag(present.sum(axis=0)) - present.T @ (present / counts[:, None])
    if np.linalg.matrix_rank(reduced) < len(seeds) - 1:
        return None
    inverse = np.linalg.pinv(reduced)
    blocks = inverse @ (values.sum(axis=0) - present.T @ (values.sum(axis=1) / counts))
    means = (values.sum(axis=1) - present @ blocks) / counts
    residuals = (values - means[:, None] - blocks[None, :]) * present
    squares = float((residuals**2).sum())
    if squares <= 1e-20 * float((values**2).sum()):
        return None
    shares = present / counts[:, None]
    unscaled = np.diag(1 / counts) + shares @ inverse @ shares.T
    return Pooled(tuple(rows), len(seeds), squares / df, df, means, unscaled)
