"""How much of the variance between arms each factor explains, exactly, and what share of a trial's is its seed's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import scipy
from numpy.typing import NDArray

from reports.analysis import pooled
from reports.analysis.readings import generator, grid
from reports.layout import name_levels
from reports.metrics import PRIMARY
from reports.results import Study
from reports.trials import Scalar
from reports.wording import counted

Matrix = NDArray[np.float64]
Term = tuple[str, ...]

FEWEST = 10
"""With fewer seeds the percentile bootstrap misleads: with five it covers the mean in 84 % of all studies."""


@dataclass(frozen=True)
class Share:
    """One factor or interaction: its share of the variance of the arm means, from 0 to 1, raw and without noise."""

    term: Term
    raw: float
    corrected: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Shares:
    """The exact decomposition of a full grid. `seed_share` is what its seed causes of a single trial's variance.

    `interval` says how low and high were had: "seeds resampled", "from the residual spread", or None without them.
    """

    shares: tuple[Share, ...]
    seed_share: float | None
    n: int
    interval: str | None


def decompose(means: Matrix, factors: Sequence[str]) -> dict[Term, float]:
    """Return each term's variance over a full grid of arm means, one axis a factor (functional ANOVA); they add up."""
    effects: dict[Term, Matrix] = {(): np.asarray(means.mean())}
    variances = {}
    for order in range(1, means.ndim + 1):
        for axes in combinations(range(means.ndim), order):
            others = tuple(axis for axis in range(means.ndim) if axis not in axes)
            effect = means.mean(axis=others, keepdims=True)
            for lower in range(order):
                for inner in combinations(axes, lower):
                    effect = effect - effects[tuple(factors[axis] for axis in inner)]
            term = tuple(factors[axis] for axis in axes)
            effects[term] = effect
            variances[term] = float((effect**2).mean())
    return variances


def normalised(variances: Mapping[Term, float]) -> dict[Term, float] | None:
    """Return shares that add to 1; None when nothing varies."""
    total = math.fsum(variances.values())
    return {term: value / total for term, value in variances.items()} if total > 1e-24 else None


def corrected(
    variances: Mapping[Term, float], degrees: Mapping[Term, int], noise: float, arms: int
) -> dict[Term, float]:
    """Return the variances less what noise alone puts into them, `noise` being that of an arm mean; never below 0."""
    return {term: max(value - noise * degrees[term] / arms, 0.0) for term, value in variances.items()}


def study_shares(
    study: Study, metric: str = PRIMARY.name, level: float = 0.95, draws: int = 1000
) -> tuple[Shares | None, str | None]:
    """Decompose the study's full grid of arm means; or return None and the reason.

    The noise is the residual of the blocked model over n, the harmonic mean of the arms' seeds. Intervals resample
    whole seeds from ten complete seeds on, stretched as Student's interval is against the normal one; with fewer they
    are drawn from the residual spread.
    """
    by_arm = grid(study, metric)
    factors = [factor for factor, levels in study.factors.items() if len(levels) > 1]
    arms = {tuple(arm.levels[factor] for factor in factors): arm.name for arm in study.arms if not arm.orphaned}
    cells = list(product(*(study.factors[factor] for factor in factors)))
    if not factors:
        return None, "no factor varies"
    if missing := [cell for cell in cells if not by_arm.get(arms.get(cell, ""), {})]:
        return None, f"the grid is not full: no result for {_such(factors, missing)}"
    if failed := [cell for cell in cells if not all(map(math.isfinite, by_arm[arms[cell]].values()))]:
        return None, f"an arm with fails has no mean: {_such(factors, failed)}"
    shape = tuple(len(study.factors[factor]) for factor in factors)
    values = [by_arm[arms[cell]] for cell in cells]
    return _shares(study.name, metric, values, factors, shape, level, draws)


def _such(factors: Sequence[str], cells: Sequence[Sequence[Scalar]]) -> str:
    """Name the first of some combinations of levels, and count the others."""
    others = f" and {counted(len(cells) - 1, 'other combination')}" if len(cells) > 1 else ""
    return f"{_named(factors, cells[0])}{others}"


def _named(factors: Sequence[str], cell: Sequence[Scalar]) -> str:
    return name_levels(zip(factors, cell, strict=True))


def _shares(
    name: str,
    metric: str,
    values: Sequence[Mapping[int, float]],
    factors: Sequence[str],
    shape: tuple[int, ...],
    level: float,
    draws: int,
) -> tuple[Shares | None, str | None]:
    means = np.array([np.mean(list(each.values())) for each in values]).reshape(shape)
    raw = normalised(decompose(means, factors))
    if raw is None:
        return None, "all arms have the same mean"
    sizes = dict(zip(factors, shape, strict=True))
    degrees = {term: math.prod(sizes[factor] - 1 for factor in term) for term in raw}
    n = len(values) / math.fsum(1 / len(each) for each in values)
    model = pooled.fit({str(place): each for place, each in enumerate(values)})
    mse = model.mse if model else 0.0
    clean = corrected(decompose(means, factors), degrees, mse / n, len(values))
    exact = normalised(clean) or dict.fromkeys(raw, 0.0)
    rng = generator(name, "*", f"shares {metric}")
    seeds = sorted(set.intersection(*(set(each) for each in values)))
    drawn: list[dict[Term, float]] = []
    if model and len(seeds) >= FEWEST:
        how = "seeds resampled"
        block = np.array([[each[seed] for seed in seeds] for each in values])
        centre, wider = block.mean(axis=1), _student_to_normal(len(seeds), level)
        reach = wider * math.sqrt(len(seeds) / (len(seeds) - 1))
        for _ in range(draws):
            picked = block[:, rng.integers(0, len(seeds), len(seeds))].mean(axis=1)
            again = decompose((centre + reach * (picked - centre)).reshape(shape), factors)
            drawn.append(corrected(again, degrees, (1 + wider**2) * mse / n, len(values)))
    elif model:
        how = "from the residual spread"
        for _ in range(draws):
            spread = mse * float(rng.chisquare(model.df)) / model.df
            again = decompose(means + rng.normal(0, math.sqrt(spread / n), shape), factors)
            # The means carry their own noise already and get as much again.
            drawn.append(corrected(again, degrees, mse / n + spread / n, len(values)))
    shares = [normalised(each) or dict.fromkeys(raw, 0.0) for each in drawn]
    tails = [(1 - level) / 2, (1 + level) / 2]
    ends = {term: np.quantile([each[term] for each in shares], tails) for term in raw} if shares else {}
    made = tuple(
        Share(
            term=term,
            raw=raw[term],
            corrected=exact[term],
            low=float(ends[term][0]) if ends else None,
            high=float(ends[term][1]) if ends else None,
        )
        for term in raw
    )
    return Shares(made, _seed_share(values, clean), min(map(len, values)), how if shares else None), None


def _student_to_normal(n: int, level: float) -> float:
    """Return how much wider Student's interval of n seeds is than the normal one that a bootstrap comes to."""
    tail = (1 + level) / 2
    return float(scipy.special.stdtrit(n - 1, tail) / scipy.special.ndtri(tail))


def _seed_share(values: Sequence[Mapping[int, float]], clean: Mapping[Term, float]) -> float | None:
    """Return seed variance over seed variance plus the variance between arms; None where no arm has two seeds."""
    within = [float(np.var(list(each.values()), ddof=1)) for each in values if len(each) > 1]
    if not within:
        return None
    seed, arms = float(np.mean(within)), math.fsum(clean.values())
    return seed / (seed + arms) if seed + arms > 0 else None
