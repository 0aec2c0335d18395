"""Learning curves: the band over the seeds, the area under one, and the epochs that a network needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import integrate, stats

from reports.analysis.intervals import mean_interval
from reports.metrics import PRIMARY
from reports.results import Arm, Epoch, Study, Trial

BAND_FROM = 6
"""From this many seeds on the band is Student's interval; below it, the range of the seeds."""


@dataclass(frozen=True)
class Band:
    """One arm's curve over its seeds. `n` counts the seeds still training at each epoch: a mean is over those alone.

    `kind` is "range" (lowest and highest seed) or "pointwise" (95 % interval of the mean, each epoch by itself).
    """

    arm: Arm
    metric: str
    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: tuple[int, ...]
    kind: str


def band(study: Study, arm: Arm, metric: str = PRIMARY.name, level: float = 0.95) -> Band:
    """Return the mean and band of one arm's curves, unsmoothed; `metric` is a field of an epoch."""
    curves = [_values(trial, metric) for trial in study.trials_of(arm)]
    curves = [curve for curve in curves if curve]
    kind = "pointwise" if len(curves) >= BAND_FROM else "range"
    epochs = sorted({epoch for curve in curves for epoch in curve})
    at = [[curve[epoch] for curve in curves if epoch in curve] for epoch in epochs]
    ends = [_ends(values, kind, level) for values in at]
    return Band(
        arm=arm,
        metric=metric,
        epochs=tuple(epochs),
        mean=tuple(float(np.mean(values)) for values in at),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        n=tuple(map(len, at)),
        kind=kind,
    )


def _ends(values: Sequence[float], kind: str, level: float) -> tuple[float, float]:
    interval = mean_interval(values, level) if kind == "pointwise" else None
    return interval or (min(values), max(values))


def _values(trial: Trial, metric: str) -> dict[int, float]:
    found = {each.epoch: _value(each, metric) for each in trial.curve}
    return {epoch: value for epoch, value in found.items() if value is not None and math.isfinite(value)}


def _value(epoch: Epoch, metric: str) -> float | None:
    value = getattr(epoch, metric)
    return None if value is None else float(value)


def area(epochs: Sequence[float], values: Sequence[float]) -> float | None:
    """Return the mean height of a curve, by trapezoids over the epochs; None below two epochs."""
    if len(epochs) < 2:
        return None
    return float(integrate.trapezoid(np.asarray(values), np.asarray(epochs)) / (epochs[-1] - epochs[0]))


@dataclass(frozen=True)
class Reach:
    """The epoch at which each seed first reached a threshold, or at which it was last seen above it (`censored`)."""

    epochs: tuple[int, ...]
    censored: tuple[bool, ...]


def epochs_to(study: Study, arm: Arm, threshold: float, metric: str = PRIMARY.name) -> Reach:
    """Return when the seeds of one arm first came to or below `threshold`; one that diverged never does."""
    epochs, censored = [], []
    for trial in study.trials_of(arm):
        curve = _values(trial, metric)
        if trial.state.is_outcome() and curve:
            reached = [epoch for epoch, value in sorted(curve.items()) if value <= threshold]
            epochs.append(reached[0] if reached else max(each.epoch for each in trial.curve))
            censored.append(not reached)
    return Reach(tuple(epochs), tuple(censored))


def compare_reach(first: Reach, second: Reach) -> tuple[float, float] | None:
    """Compare two arms by the log-rank test; return the statistic (below 0: the first is slower) and its p.

    None where an arm has no seed, or where no seed ever reached the threshold.
    """
    if not first.epochs or not second.epochs or all((*first.censored, *second.censored)):
        return None
    found = stats.logrank(_censored(first), _censored(second))
    return (float(found.statistic), float(found.pvalue)) if math.isfinite(found.statistic) else None


def _censored(reach: Reach) -> stats.CensoredData:
    pairs = list(zip(reach.epochs, reach.censored, strict=True))
    return stats.CensoredData(
        uncensored=[epoch for epoch, censored in pairs if not censored],
        right=[epoch for epoch, censored in pairs if censored],
    )
