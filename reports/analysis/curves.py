"""Learning curves: the band over the seeds, the area under one, and the epochs that a network needs."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from reports.analysis.intervals import mean_interval
from reports.metrics import PRIMARY
from reports.results import Study
from reports.trials import Arm, Epoch, Trial

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


def band(
    study: Study, arm: Arm, metric: str = PRIMARY.name, level: float = 0.95, *, at: Collection[int] | None = None
) -> Band:
    """Return the mean and band of one arm's curves, unsmoothed; `metric` is a field of an epoch.

    With `at`, only of those epochs.
    """
    curves = [_values(trial, metric) for trial in study.trials_of(arm)]
    curves = [curve for curve in curves if curve]
    kind = "pointwise" if len(curves) >= BAND_FROM else "range"
    epochs = sorted({epoch for curve in curves for epoch in curve if at is None or epoch in at})
    reached = [[curve[epoch] for curve in curves if epoch in curve] for epoch in epochs]
    ends = [_ends(values, kind, level) for values in reached]
    return Band(
        arm=arm,
        metric=metric,
        epochs=tuple(epochs),
        mean=tuple(float(np.mean(values)) for values in reached),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        n=tuple(map(len, reached)),
        kind=kind,
    )


def _ends(values: Sequence[float], kind: str, level: float) -> tuple[float, float]:
    interval = mean_interval(values, level) if kind == "pointwise" else None
    return interval or (min(values), max(values))


def _values(trial: Trial, metric: str) -> dict[int, float]:
    by_epoch = {each.epoch: _value(each, metric) for each in trial.curve}
    return {epoch: value for epoch, value in by_epoch.items() if value is not None and math.isfinite(value)}


def _value(epoch: Epoch, metric: str) -> float | None:
    value = getattr(epoch, metric)
    return None if value is None else float(value)
