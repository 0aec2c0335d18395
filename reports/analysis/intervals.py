"""Intervals for a mean, a spread and a rate: Student, chi-squared by the kurtosis, and the binomial."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy

Interval = tuple[float, float]


def is_constant(values: Sequence[float]) -> bool:
    """Whether all values are the same number, up to what rounding in the arithmetic can do."""
    if not values:
        return True
    scale = max(abs(each) for each in values)
    return max(values) - min(values) <= 1e-12 * max(scale, 1e-300)


def standard_deviation(values: Sequence[float]) -> float | None:
    """Return the SD with n-1 in the denominator; None below two values, exactly 0 when all are the same."""
    if len(values) < 2:
        return None
    if is_constant(values):
        return 0.0
    return float(np.std(np.asarray(values, dtype=float), ddof=1))


@lru_cache(maxsize=4096)  # a large study asks for the same few hundreds of thousands of times
def critical_t(df: float, level: float = 0.95) -> float:
    """Return the t that a share `level` of Student's distribution with `df` degrees of freedom lies within."""
    return float(scipy.special.stdtrit(df, 0.5 + level / 2))


def quantile_chi2(df: float, p: float) -> float:
    """Return the value below which chi-squared with `df` degrees of freedom lies with chance `p`.

    What scipy.stats computes, which `orchestrate plan` has no other use for: it takes two thirds of a second to import.
    """
    return float(2 * scipy.special.gammaincinv(df / 2, p))


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """Return Student's interval for the mean; None where it does not exist (one value, or no spread at all)."""
    spread = standard_deviation(values)
    if not spread:
        return None
    half = critical_t(len(values) - 1, level) * spread / math.sqrt(len(values))
    centre = float(np.mean(values))
    return centre - half, centre + half


def sd_interval(groups: Sequence[Sequence[float]], level: float = 0.95) -> Interval | None:
    """Return the interval of the SD within these groups, pooled; None where none of them varies.

    Chi-squared, with the degrees of freedom that the kurtosis leaves (Box, Biometrika 40 (1953), 318-335; Shoemaker,
    American Statistician 57 (2003), 105-113): never narrower than for normal noise. Deviations are counted from the
    medians there, which makes the kurtosis of few values too large rather than too small.
    """
    values = [np.asarray(each, dtype=float) for each in groups if len(each) > 1]
    if all(is_constant(each) for each in groups):
        return None
    scale = max(float(np.ptp(each)) for each in values)  # fourth powers of very small or large values are no numbers
    values = [each / scale for each in values]
    squares = math.fsum(float(np.sum((each - each.mean()) ** 2)) for each in values)
    df, count = sum(len(each) - 1 for each in values), sum(map(len, values))
    fourth = math.fsum(float(np.sum((each - np.median(each)) ** 4)) for each in values)
    size = count / len(values)
    # The variance of the log of the variance is 2 / df for normal noise, and this over df in general.
    variance = count * fourth / squares**2 - (size - 3) / size
    left = min(float(df), max(1.0, 2 * df / max(variance, 2.0)))
    tail = (1 - level) / 2
    low, high = (scale * math.sqrt(squares / df * left / quantile_chi2(left, at)) for at in (1 - tail, tail))
    return low, high


@lru_cache(maxsize=4096)  # a large study asks for the same few rates hundreds of times, and each is a search for a root
def rate_interval(events: int, n: int, level: float = 0.95) -> Interval | None:
    """Return Clopper and Pearson's exact interval of a rate; None when n is 0."""
    if n == 0:
        return None
    interval = scipy.stats.binomtest(events, n).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)
