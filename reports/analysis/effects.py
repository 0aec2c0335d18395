"""The tests behind every comparison: an estimate with an interval, and one-sided p against any margin.

An effect is a weighted sum of arms, for instance 1 x original - 1 x preact. It is judged on its differences by seed
(Student's paired t, the sign test) or on the arms' own readings (Welch, the pooled blocked model).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy

from reports.analysis.intervals import Interval, critical_t, standard_deviation

Grid = Mapping[str, Mapping[int, float]]
Weights = Mapping[str, float]


class Effect(Protocol):
    """An estimated effect theta, whatever the test that judges it."""

    @property
    def test(self) -> str:
        """Return the name of the test."""

    @property
    def n(self) -> int:
        """Return how many seeds it rests on."""

    @property
    def estimate(self) -> float | None:
        """Return the estimate; None when fails leave no number to name."""

    def interval(self, level: float) -> tuple[float | None, float | None]:
        """Return the two-sided interval; None for an end that the data leave open."""

    def p_above(self, margin: float) -> float:
        """Return the one-sided p of "theta is at most `margin`"; small speaks for an effect above it."""

    def p_below(self, margin: float) -> float:
        """Return the one-sided p of "theta is at least `margin`"; small speaks for an effect below it."""


@dataclass(frozen=True)
class Student:
    """An effect whose estimate over its standard error follows Student's t with `df` degrees of freedom."""

    test: str
    n: int
    estimate: float
    se: float
    df: float

    @property
    def t(self) -> float:
        """Return the statistic against zero."""
        return self.estimate / self.se

    @property
    def p(self) -> float:
        """Return the two-sided p against zero."""
        return float(2 * scipy.special.stdtr(self.df, -abs(self.t)))

    def interval(self, level: float) -> Interval:
        """Return the two-sided interval."""
        half = critical_t(self.df, level) * self.se
        return self.estimate - half, self.estimate + half

    def p_above(self, margin: float) -> float:
        """Return the one-sided p of "theta is at most `margin`"."""
        return float(scipy.special.stdtr(self.df, -(self.estimate - margin) / self.se))

    def p_below(self, margin: float) -> float:
        """Return the one-sided p of "theta is at least `margin`"."""
        return float(scipy.special.stdtr(self.df, (self.estimate - margin) / self.se))


@dataclass(frozen=True)
class Sign:
    """The exact sign test of the differences by seed, with a fail behind every number (worst rank).

    A seed in which both sides fail (nan) counts as neither above nor below, yet it counts in n: it can never help.
    Differences closer to a margin than half the `resolution` of the metric lie on it.
    """

    differences: tuple[float, ...]
    test: str = "sign"
    resolution: float = 0.0

    @property
    def n(self) -> int:
        """Return the number of seeds, ties included."""
        return len(self.differences)

    @property
    def estimate(self) -> float | None:
        """Return the median difference, two fails ranking as none; None where the median is no number."""
        ordered = sorted(self.differences, key=lambda each: 0.0 if math.isnan(each) else each)
        middle = ordered[(self.n - 1) // 2 : self.n // 2 + 1]
        return sum(middle) / len(middle) if all(map(math.isfinite, middle)) else None

    def interval(self, level: float) -> tuple[float | None, float | None]:
        """Return the interval of the median by order statistics; None for an end that is open."""
        skip = int(scipy.stats.binom.ppf((1 - level) / 2, self.n, 0.5))
        if scipy.stats.binom.cdf(skip, self.n, 0.5) > (1 - level) / 2:
            skip -= 1
        if skip < 0:
            return None, None
        low = sorted(-math.inf if math.isnan(each) else each for each in self.differences)[skip]
        high = sorted(math.inf if math.isnan(each) else each for each in self.differences)[self.n - 1 - skip]
        return (low if math.isfinite(low) else None), (high if math.isfinite(high) else None)

    def above(self, margin: float) -> int:
        """Count the seeds whose difference reaches `margin`; at margin 0 it must be larger than 0."""
        slack = self._slack(margin)
        return sum(each > slack if margin == 0 else each >= margin - slack for each in self.differences)

    def below(self, margin: float) -> int:
        """Count the seeds whose difference stays under `margin`."""
        return sum(each < margin - self._slack(margin) for each in self.differences)

    def p_above(self, margin: float) -> float:
        """Return the one-sided p of "the median is at most `margin`"."""
        return self._p(self.above(margin))

    def p_below(self, margin: float) -> float:
        """Return the one-sided p of "the median is at least `margin`"."""
        return self._p(self.below(margin))

    def p_within(self, margin: float) -> float:
        """Return the p of "the median is at least `margin` from 0": two one-sided tests, a difference on it within."""
        reach = margin + self._slack(margin)
        return max(self._p(sum(each >= -reach for each in self.differences)), self._p(self._at_most(reach)))

    def p_beyond(self, margin: float) -> float:
        """Return the one-sided p of "the median is at most `margin` from 0", on the side that speaks against it."""
        reach = margin + self._slack(margin)
        above, below = (sum(sign * each > reach for each in self.differences) for sign in (1, -1))
        return self._p(max(above, below))

    def _at_most(self, reach: float) -> int:
        return sum(each <= reach for each in self.differences)

    def _slack(self, margin: float) -> float:
        return max(1e-9 * max(1.0, abs(margin)), self.resolution / 2)

    def _p(self, count: int) -> float:
        """Return the chance of as many seeds or more on one side, were both sides alike."""
        return float(scipy.stats.binom.sf(count - 1, self.n, 0.5))


@dataclass(frozen=True)
class Exact:
    """An effect that is known without error: what the network alone fixes, its parameters for instance."""

    n: int
    estimate: float
    test: str = "exact"

    def interval(self, level: float) -> tuple[float | None, float | None]:
        """Return the number itself, twice."""
        return self.estimate, self.estimate

    def p_above(self, margin: float) -> float:
        """Return 0 where the effect reaches `margin` (at margin 0, where it is above it), else 1."""
        reached = self.estimate > 0 if margin == 0 else self.estimate >= margin
        return 0.0 if reached else 1.0

    def p_below(self, margin: float) -> float:
        """Return 0 where the effect falls short of `margin` (at margin 0, where it is not above it), else 1."""
        return 1.0 - self.p_above(margin)


def exact(by_seed: Mapping[int, float]) -> Exact | None:
    """Return the difference that every seed has alike; None without a seed, or where seeds differ."""
    values = list(by_seed.values())
    return Exact(len(values), values[0]) if values and len(set(values)) == 1 else None


def differences(grid: Grid, weights: Weights, constant: float = 0.0) -> dict[int, float]:
    """Return the weighted sum of the arms, less `constant`, for each seed that all of them have.

    Infinity where only arms with a positive weight failed, minus infinity where only those with a negative one did,
    nan where both did.
    """
    shared = set.intersection(*(set(grid.get(arm, {})) for arm in weights)) if weights else set()
    return {seed: _weighted(grid, weights, seed) - constant for seed in sorted(shared)}


def _weighted(grid: Grid, weights: Weights, seed: int) -> float:
    parts = [weight * grid[arm][seed] for arm, weight in weights.items()]
    ends = {part for part in parts if not math.isfinite(part)}
    if len(ends) > 1:
        return math.nan
    return ends.pop() if ends else math.fsum(parts)


def paired(by_seed: Mapping[int, float], resolution: float = 0.0) -> Student | None:
    """Judge the differences by seed with Student's paired t; None with fails, below two seeds, or without spread.

    Differences that are the same up to the `resolution` of the metric have no spread but that of rounding.
    """
    values = list(by_seed.values())
    if not all(map(math.isfinite, values)):
        return None
    spread = standard_deviation(values)
    if not spread or max(values) - min(values) < resolution:
        return None
    return Student("paired", len(values), float(np.mean(values)), spread / math.sqrt(len(values)), len(values) - 1)


def sign(by_seed: Mapping[int, float], resolution: float = 0.0) -> Sign | None:
    """Judge the differences by seed with the exact sign test, fails ranking worst; None without a seed."""
    return Sign(tuple(by_seed.values()), resolution=resolution) if by_seed else None


def welch(grid: Grid, weights: Weights, constant: float = 0.0) -> Student | None:
    """Judge the weighted sum without pairing, each arm with its own spread (Welch and Satterthwaite).

    None with fails, with an arm of fewer than two seeds, or when no arm varies.
    """
    estimate, variance, shares = -constant, 0.0, []
    for arm, weight in weights.items():
        values = list(grid.get(arm, {}).values())
        if len(values) < 2 or not all(map(math.isfinite, values)):
            return None
        part = weight**2 * (standard_deviation(values) or 0.0) ** 2 / len(values)
        estimate += weight * float(np.mean(values))
        variance += part
        shares.append(part**2 / (len(values) - 1))
    if variance == 0:
        return None
    smallest = min(len(grid[arm]) for arm in weights)
    return Student("welch", smallest, estimate, math.sqrt(variance), variance**2 / sum(shares))


def one_sided_flip_p(values: Sequence[float]) -> float:
    """Return the exact one-sided p of "the mean is at most 0", over all 2^n ways to change signs; small n alone."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    reached = math.fsum(values)
    return float(np.mean(sums >= reached - 1e-9 * max(1.0, abs(reached))))


def smallest_p(n: int) -> float:
    """Return the smallest two-sided p that any exact paired test can give with n seeds: 2 / 2^n."""
    return min(1.0, 2.0 ** (1 - n))
