"""Ours against a published number, like for like: a mean, a median of n, the best of n, or a single run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy

from reports.analysis.effects import Student
from reports.analysis.intervals import mean_interval, standard_deviation
from reports.analysis.published import Published, parse_statistic
from reports.analysis.readings import finite
from reports.analysis.threshold import decides
from reports.wording import counted


@dataclass(frozen=True)
class LiteratureComparison:
    """Ours against theirs. `difference` is ours minus theirs, ours being the same statistic as theirs.

    `verdict` is "consistent", "differs" or "cannot tell"; `low` and `high` enclose the difference, `ours_low` and
    `ours_high` our own mean. `note` names what the comparison rests on.
    """

    published: Published
    n: int
    fails: int
    ours: float | None
    ours_low: float | None
    ours_high: float | None
    difference: float | None
    low: float | None
    high: float | None
    t: float | None
    df: float | None
    p: float | None
    verdict: str
    note: str


def published_row(row: Mapping[str, Any]) -> Published:
    """Read a row of published results: `error_pct`, `std`, `mean`, `statistic`, `status`, `paper` and `row`.

    Where a row prints the mean beside the best or the median, the mean is the number to compare with.
    """
    kind, n = parse_statistic(str(row.get("statistic") or ""))
    reference = ", ".join(str(row[key]) for key in ("paper", "row") if row.get(key))
    if row.get("status") == "fail":
        return Published(None, None, n, kind, reference)
    sd, mean, value = (None if row.get(key) is None else float(row[key]) for key in ("std", "mean", "error_pct"))
    if mean is not None:
        return Published(mean, sd, n, "mean", reference)
    return Published(value, sd, n, kind, reference)


def compare(values: Mapping[int, float], published: Published, level: float = 0.95) -> LiteratureComparison:
    """Compare our readings by seed (infinity is a fail) with one published result.

    With a published mean, SD and n: Welch's t. With a bare number of unknown kind: our one-sample t, and the note that
    it has no error bar. With a median of n, a single run or a best of n and no SD: their number is one draw, whose
    spread and offset are taken from our SD, since theirs is not given.
    """
    numbers = list(finite(values).values())
    fails = len(values) - len(numbers)
    interval = mean_interval(numbers, level) if not fails else None
    effect, ours, note = published_effect(numbers, published) if not fails else (None, None, "")
    verdict = _verdict(effect, level)
    if published.value is None or fails:
        verdict, note = _with_fails(published, fails, len(values))
        effect = None
    difference = None if ours is None or published.value is None else ours - published.value
    low, high = effect.interval(level) if effect else (None, None)
    return LiteratureComparison(
        published=published,
        n=len(values),
        fails=fails,
        ours=ours,
        ours_low=interval[0] if interval else None,
        ours_high=interval[1] if interval else None,
        difference=effect.estimate if effect else difference,
        low=low,
        high=high,
        t=effect.t if effect else None,
        df=effect.df if effect else None,
        p=effect.p if effect else None,
        verdict=verdict,
        note=note,
    )


def _verdict(effect: Student | None, level: float) -> str:
    if effect is None:
        return "cannot tell"
    return "differs" if decides(effect.p, 1 - level) else "consistent"


def _with_fails(published: Published, fails: int, n: int) -> tuple[str, str]:
    if published.value is None:
        if n and 2 * fails >= n:
            return "consistent", f"both fail: the paper's, and {fails} of our {counted(n, 'seed')}"
        return ("differs", f"the paper's fails, {n - fails} of our {n} do not") if n else ("cannot tell", "no seed")
    return "cannot tell", f"{fails} of our {n} seeds fail: the mean of the others is no fair comparison"


def published_effect(numbers: list[float], published: Published) -> tuple[Student | None, float | None, str]:
    """Return the effect, our value of the published statistic, and the note."""
    if not numbers:
        return None, None, "no result of ours"
    ours = float(np.mean(numbers))
    spread = standard_deviation(numbers)
    if published.value is None:
        return None, ours, ""
    if not spread:
        return None, ours, "one seed" if spread is None else "identical in every seed"
    if published.sd is not None and published.n is not None and published.n > 1:
        if published.statistic == "best":
            theirs = published.value - expected_best(published.n) * published.sd
            note = f"best of {published.n}: their mean is taken as {theirs:.2f}, from the best and the SD"
            return _from_stats(numbers, spread, theirs, published.sd, published.n), ours, note
        return _from_stats(numbers, spread, published.value, published.sd, published.n), ours, "mean and SD of both"
    return _one_number(numbers, published, ours, spread)


def _from_stats(numbers: list[float], spread: float, value: float, sd: float, n: int) -> Student | None:
    own, theirs = spread**2 / len(numbers), sd**2 / n
    if own + theirs == 0:  # squares of very small numbers are none
        return None
    df = (own + theirs) ** 2 / (own**2 / (len(numbers) - 1) + theirs**2 / (n - 1))
    return Student("welch", len(numbers), float(np.mean(numbers)) - value, math.sqrt(own + theirs), df)


def _one_number(
    numbers: list[float], published: Published, ours: float, spread: float
) -> tuple[Student | None, float, str]:
    n, value = len(numbers), published.value or 0.0
    variance, note = spread**2 / n, "the published number has no error bar"
    if published.statistic == "best" and published.n:
        offset = expected_best(published.n)
        ours += offset * spread
        # The best of n moves with our SD (variance s^2 / 2(n-1)), and theirs is itself one draw of a minimum.
        variance += offset**2 * spread**2 / (2 * (n - 1)) + spread**2 * best_variance(published.n)
        note = f"best of {published.n}: our mean and SD give the best to be expected; {note}"
    elif published.statistic in ("median", "single") and published.n:
        variance += spread**2 * (1.0 if published.n == 1 else median_variance(published.n))
        kind = "a single run" if published.n == 1 else f"a median of {published.n}"
        note = f"{kind}, taken to vary as ours do; {note}"
    return Student("one number", n, ours - value, math.sqrt(variance), n - 1), ours, note


@cache
def expected_best(n: int) -> float:
    """Return the expected smallest of n standard normal values: -1.163 for 5."""
    return _moment(n, 1, 1)


@cache
def best_variance(n: int) -> float:
    """Return the variance of the smallest of n standard normal values."""
    return _moment(n, 1, 2) - _moment(n, 1, 1) ** 2


@cache
def median_variance(n: int) -> float:
    """Return the variance of the median of n standard normal values; for even n that of the lower middle one."""
    place = (n + 1) // 2
    return _moment(n, place, 2) - _moment(n, place, 1) ** 2


def _moment(n: int, place: int, power: int) -> float:
    """Return a moment of the order statistic at `place` (1 the smallest) of n standard normal values."""
    log_ways = math.lgamma(n + 1) - math.lgamma(place) - math.lgamma(n - place + 1)

    def density(x: float) -> float:
        normal = scipy.stats.norm
        logs = (place - 1) * normal.logcdf(x) + (n - place) * normal.logsf(x) + normal.logpdf(x)
        return float(x**power * math.exp(log_ways + logs))

    return float(scipy.integrate.quad(density, -12, 12, epsabs=1e-12, limit=200)[0])
