"""Whether the seeds of a study's arms are skewed, so that Student's intervals hold the truth less often than they say.

A few seeds of one arm show no skewness, but those of all arms together do. The mean of the arms' skewness is held
against what normal noise gives: its variance is known for every number of seeds (Fisher, 1930).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from reports.analysis.effects import Grid
from reports.analysis.intervals import is_constant
from reports.analysis.threshold import decides

SURE = 0.01
"""Studies of normal noise are called skewed at this rate."""
LEAST_OF_ONE = 8
"""Fewer seeds by themselves cannot be told from normal ones by D'Agostino's test."""


@dataclass(frozen=True)
class Skewness:
    """The mean skewness of so many `arms`, weighted by what each can tell, and its p were all of them normal."""

    mean: float
    arms: int
    p: float

    @property
    def is_clear(self) -> bool:
        """Whether the arms are more skewed than normal noise hardly ever makes them."""
        return decides(self.p, SURE)


def skewness(readings: Grid) -> Skewness | None:
    """Return the skewness over the arms without a fail, of three seeds and more; None where no such arm varies."""
    known = [
        (_skewness(values), _variance(len(values)))
        for by_seed in readings.values()
        if len(values := list(by_seed.values())) > 2 and all(map(math.isfinite, values)) and not is_constant(values)
    ]
    if not known:
        return None
    weight = math.fsum(1 / variance for _, variance in known)
    mean = math.fsum(skew / variance for skew, variance in known) / weight
    return Skewness(mean, len(known), float(2 * scipy.special.ndtr(-abs(mean) * math.sqrt(weight))))


def are_skewed(readings: Grid) -> bool:
    """Whether the arms without a fail are clearly skewed."""
    over_arms = skewness(readings)
    return over_arms is not None and over_arms.is_clear


def is_skewed_sample(values: Mapping[int, float]) -> bool:
    """Whether eight seeds or more, of one arm or of the differences of two, are skewed by D'Agostino's test."""
    numbers = list(values.values())
    if len(numbers) < LEAST_OF_ONE or not all(map(math.isfinite, numbers)) or is_constant(numbers):
        return False
    away = np.asarray(numbers) - np.mean(numbers)  # of very small or large values the third powers are no numbers
    return decides(float(scipy.stats.skewtest(away / np.ptp(away)).pvalue), SURE)


def _skewness(values: Sequence[float]) -> float:
    """Return the adjusted Fisher-Pearson skewness."""
    n, away = len(values), np.asarray(values) - np.mean(values)
    return float(n / ((n - 1) * (n - 2)) * np.sum((away / np.std(values, ddof=1)) ** 3))


def _variance(n: int) -> float:
    """Return its variance over samples of n normal values."""
    return 6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3))
