"""One spread for the whole study: the linear model error ~ arm + seed, pooled over all arms that never fail."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from reports.analysis.effects import Grid, Student, Weights

Matrix = NDArray[np.float64]
LARGEST_RATIO = 3.0
LEAST_P_ALIKE = 0.2


@dataclass(frozen=True)
class Pooled:
    """The fitted model: `mse` on `df` degrees of freedom, the arms' adjusted means and their covariance over mse.

    `ratio` is that of the largest to the smallest spread of an arm's residuals, `p_alike` the p of Brown and Forsythe's
    test that they spread alike.
    """

    arms: tuple[str, ...]
    seeds: int
    mse: float
    df: int
    means: Matrix
    unscaled: Matrix
    ratio: float
    p_alike: float

    def effect(self, weights: Weights) -> Student | None:
        """Judge a weighted sum of arms whose weights add to zero; None when an arm is not in the model."""
        if any(arm not in self.arms for arm in weights) or abs(math.fsum(weights.values())) > 1e-9:
            return None
        places = [self.arms.index(arm) for arm in weights]
        vector = np.array(list(weights.values()), dtype=float)
        variance = self.mse * float(vector @ self.unscaled[np.ix_(places, places)] @ vector)
        if variance <= 0:
            return None
        return Student("pooled", self.seeds, float(vector @ self.means[places]), math.sqrt(variance), self.df)

    def unlike(self, effect: Student, own: Student | None) -> str | None:
        """Return why one spread for all arms does not serve this effect, `own` being the same by its own seeds.

        Where spreads differ by three, two arms that spread more than the others are told apart by chance in up to 42 %
        of all studies. With these bounds it is at most 6 % (benchmarks/error_rates.py).
        """
        if self.ratio > LARGEST_RATIO:
            return f"the arms spread differently (SDs up to {self.ratio:.2g} times as large): paired t"
        if self.p_alike < LEAST_P_ALIKE:
            return f"the arms spread differently (Brown and Forsythe's p = {self.p_alike:.2g}): paired t"
        if own is None or own.se > effect.se:
            return "these arms spread more than the others: paired t"
        return None


def fit(grid: Grid) -> Pooled | None:
    """Fit error ~ arm + seed by least squares to the arms without a fail; seeds may be missing.

    None below two arms or two seeds, without a degree of freedom or any spread, or when the arms share too few seeds
    for their differences to be estimable.
    """
    rows = {arm: by_seed for arm, by_seed in grid.items() if by_seed and all(map(math.isfinite, by_seed.values()))}
    seeds = sorted({seed for by_seed in rows.values() for seed in by_seed})
    df = sum(map(len, rows.values())) - len(rows) - len(seeds) + 1
    if not rows or df < 1:  # one arm alone, or one seed, leaves no degree of freedom
        return None
    present = np.array([[seed in by_seed for seed in seeds] for by_seed in rows.values()], dtype=float)
    values = np.array([[by_seed.get(seed, 0.0) for seed in seeds] for by_seed in rows.values()])
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
    ratio, p_alike = _spreads([row[mask] for row, mask in zip(residuals, present > 0, strict=True)])
    shares = present / counts[:, None]
    unscaled = np.diag(1 / counts) + shares @ inverse @ shares.T
    return Pooled(tuple(rows), len(seeds), squares / df, df, means, unscaled, ratio, p_alike)


def _spreads(residuals: Sequence[Matrix]) -> tuple[float, float]:
    """Return the ratio of the largest spread to the smallest, and Brown and Forsythe's p that all are alike."""
    several = [each for each in residuals if len(each) > 1]
    spreads = [float(each.std(ddof=1)) for each in several]
    if len(several) < 2 or min(spreads) <= 0:
        return math.inf, 0.0
    if min(map(len, several)) < 3:
        return max(spreads) / min(spreads), 1.0
    return max(spreads) / min(spreads), float(scipy.stats.levene(*several, center="median").pvalue)
