"""Which sampler is worth its cost: searches replayed with many seeds, against random search that takes as long."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import scipy

from reports.analysis.intervals import mean_interval
from reports.analysis.many import holm
from reports.analysis.skewness import is_skewed_sample
from reports.analysis.threshold import decides
from reports.results import Study

STARTS = {"n_startup_trials": "proposals", "population_size": "proposals, its first generation,"}
"""The settings of samplers that say how many proposals are drawn at random before anything is learned, and of what."""


class Worth(StrEnum):
    """Whether a sampler or scheduler finds better arms than random search does in the time that it takes.

    It is the same where its least error after each arm was that of random search with every seed, as of a sampler that
    never comes to the end of its random start.
    """

    YES = "worth its cost"
    NO = "not worth its cost"
    OPEN = "not decided"
    SAME = "the same as random search"


@dataclass(frozen=True)
class Difference:
    """A mean over seeds with its 95 % interval, in percentage points of validation error; less is better.

    Where the seeds are skewed the interval may be too narrow.
    """

    mean: float
    low: float | None
    high: float | None
    is_skewed: bool = False


@dataclass(frozen=True)
class Contest:
    """One sampler or scheduler (which `stops` arms early) over many seeds.

    `regret` is how far the least error stays above the least on record. `at_end` compares it with random search of as
    many arms, paired by seed; `along` does so with the least error so far, averaged over the arms. `random_arms` is
    how many arms random search trains in the time that this one takes, its own proposing included, and `at_cost`
    compares with what so many arms give on average. `p` belongs to `at_cost`, adjusted by Holm for all that are
    compared; None for a sampler that draws nothing or `is_same`, that is found what random search found with every
    seed. The seconds are means over the seeds. `curve` is the mean least error after each arm, `band` its 95 % interval
    arm by arm. `start` is the setting that says how many proposals are drawn at random first, and how many that are.
    """

    name: str
    stops: bool
    seeds: int
    regret: float
    at_end: Difference
    along: Difference
    training_seconds: float
    proposing_seconds: float
    random_arms: float
    at_cost: Difference
    p: float | None
    curve: tuple[float, ...]
    band: tuple[tuple[float, float], ...]
    is_same: bool = False
    start: tuple[str, int] | None = None

    @property
    def worth(self) -> Worth:
        """What the comparison at equal cost says."""
        if self.is_same:
            return Worth.SAME
        if not decides(self.p):
            return Worth.OPEN
        return Worth.YES if self.at_cost.mean < 0 else Worth.NO


@dataclass(frozen=True)
class SamplerComparison:
    """Random search, and what is held against it; `on_record` counts the arms that could be found."""

    arms: int
    workers: int
    on_record: int
    least: float
    reference: Contest
    contests: tuple[Contest, ...]


def comparison(study: Study) -> SamplerComparison | None:
    """Return what the replay of a search compared; None for a study without one."""
    record = study.search.get("comparison")
    if not record or len(record["configurations"]) < 2:
        return None
    every = record["on_record"]
    reference, *others = record["configurations"]
    mean_cost = float(np.mean(_costs(reference)))
    contests = [_contest(each, reference, every, mean_cost) for each in (reference, *others)]
    adjusted = iter(holm([each.p for each in contests[1:] if each.p is not None]))
    return SamplerComparison(
        arms=record["arms"],
        workers=record["workers"],
        on_record=len(every),
        least=min(every),
        reference=contests[0],
        contests=tuple(each if each.p is None else replace(each, p=next(adjusted)) for each in contests[1:]),
    )


def called(name: str) -> str:
    """Return a recorded name such as "tpe, asha" as it is read within a list: "tpe with asha"."""
    head, bracket, arguments = name.partition(" (")
    return head.replace(", ", " with ") + bracket + arguments


def expected_least(first: float, others: Sequence[float], draws: float) -> float:
    """Return the mean of the least of `first` and `draws` different ones of `others`, each as likely as any.

    Exact for whole draws, by the chance that none of them is among the i best; between whole draws on a straight line.
    """
    values = np.sort(np.minimum(others, first)) if len(others) else np.array([first])
    count = len(values)
    whole = min(max(math.floor(draws), 0), count)

    def exact(draws: int) -> float:
        if draws == 0:
            return first
        missed = scipy.stats.hypergeom.pmf(0, count, np.arange(1, count), draws)
        return float(values[0] + np.sum(np.diff(values) * missed))

    if whole == count:
        return exact(count)
    share = max(draws, 0) - whole
    return (1 - share) * exact(whole) + share * exact(whole + 1)


def _contest(
    record: Mapping[str, Any], reference: Mapping[str, Any], every: Sequence[float], mean_cost: float
) -> Contest:
    best, random = np.array(record["best"]), np.array(reference["best"])
    ends = best[:, -1]
    arms = best.shape[1] * float(np.mean(_costs(record))) / mean_cost
    # The baseline comes first in every search; the rest is drawn.
    beyond = ends - expected_least(every[0], every[1:], arms - 1)
    is_same = record is not reference and not record["stops"] and np.array_equal(best, random)
    p = _p(beyond) if np.ptp(ends) else _alike(best, every, round(arms) - 1)
    return Contest(
        name=called(record["name"]),
        stops=record["stops"],
        seeds=len(best),
        regret=float(np.mean(ends) - min(every)),
        at_end=_difference(ends - random[:, -1]),
        along=_difference(best.mean(1) - random.mean(1)),
        training_seconds=float(np.mean(record["training_seconds"])),
        proposing_seconds=float(np.mean(record["proposing_seconds"])),
        random_arms=arms,
        at_cost=_difference(beyond),
        p=None if is_same else p,
        curve=tuple(float(each) for each in best.mean(0)),
        band=_band(best),
        is_same=is_same,
        start=next(((key, value) for key, value in record.get("sampler", {}).items() if key in STARTS), None),
    )


def _band(best: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Return the intervals of the mean least error after each arm; none lies above the baseline, which comes first."""
    ends = (mean_interval(list(at)) or (float(at[0]), float(at[0])) for at in best.T)
    return tuple((low, min(high, float(np.max(best[:, 0])))) for low, high in ends)


def _alike(best: np.ndarray, every: Sequence[float], draws: int) -> float | None:
    """Return the two-sided chance that random search ends there as often, where every seed ends alike.

    None where all seeds went the same way from the first arm on: such a sampler draws nothing, and was seen once.
    """
    if not np.ptp(best, axis=0).any():
        return None
    end, others = best[0, -1], np.array(every[1:])
    draws = min(max(draws, 0), len(others))
    as_low = 1.0 if every[0] <= end else 1 - scipy.stats.hypergeom.pmf(0, len(others), np.sum(others <= end), draws)
    as_high = 0.0 if every[0] < end else scipy.stats.hypergeom.pmf(0, len(others), np.sum(others < end), draws)
    return min(1.0, 2 * float(min(as_low, as_high)) ** len(best))


def _costs(record: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each seed's search: those in training and those in the sampler."""
    return [sum(pair) for pair in zip(record["training_seconds"], record["proposing_seconds"], strict=True)]


def _difference(values: np.ndarray) -> Difference:
    low, high = mean_interval(list(values)) or (None, None)
    return Difference(float(np.mean(values)), low, high, is_skewed_sample(dict(enumerate(map(float, values)))))


def _p(values: np.ndarray) -> float | None:
    """Return the p of Student's test of a mean of zero; None where there is no spread."""
    if mean_interval(list(values)) is None:
        return None
    return float(scipy.stats.ttest_1samp(values, 0.0).pvalue)
