"""What a trial can be judged by: each metric's unit, direction, how it is read, and what a diverged trial counts as.

To add a metric of the trials, add one entry here: claims, tables, searches, the views of the results DB, the schema of
the study file and the reference follow from it. What a probe measures joins as data (`measured`), and travels with the
study in `Study.metrics`.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean, median
from typing import Any

from reports.recorded import as_number, of_arm, of_telemetry, of_trial
from reports.trials import Arm, Trial
from search_spaces.errors import Key, unknown

Found = Mapping[str, Mapping[str, Any]]
"""What probes measured in one trained network, by the probe's name."""


class Better(StrEnum):
    """Which direction is the better one."""

    LESS = "less"
    MORE = "more"


class Diverged(StrEnum):
    """What a diverged trial counts as: the worst of all readings, or no reading at all."""

    WORST = "worst"
    NO_READING = "no reading"


@dataclass(frozen=True)
class Metric:
    """One thing that trials are judged by.

    `unit` is "%" for errors, whose differences are in percentage points; "" for a plain number. `read` returns the
    value of one outcome, None where there is none. `is_curve` says whether `Epoch` has a value for every epoch under
    the same name. `is_exact` marks what the network alone fixes, so that seeds do not vary it and a comparison needs no
    test. `is_objective` marks what a search may minimise: it is known without the test set.
    """

    name: str
    title: str
    unit: str
    better: Better
    diverged: Diverged
    read: Callable[[Trial, Arm, Found], float | None]
    is_curve: bool = False
    is_exact: bool = False
    is_objective: bool = False

    @property
    def difference_unit(self) -> str:
        """Return the unit of a difference of two readings: percentage points for errors."""
        return "points" if self.unit == "%" else self.unit

    def is_worse(self, value: float, other: float) -> bool:
        """Whether a reading is worse than another."""
        return value > other if self.better is Better.LESS else value < other

    @property
    def label(self) -> str:
        """Return what heads a column or an axis: the title and the unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    @property
    def unit_in_words(self) -> str:
        """Return the unit as a sentence says it."""
        return "per cent" if self.unit == "%" else self.unit

    @property
    def difference_unit_in_words(self) -> str:
        """Return the unit of a difference as a sentence says it."""
        return "percentage points" if self.unit == "%" else self.unit

    @property
    def difference_label(self) -> str:
        """Return what a difference of two readings is measured in: "percentage points of test error"."""
        unit = self.difference_unit_in_words
        return f"{unit} of {self.title}" if unit else self.title

    @property
    def resolution(self) -> float:
        """Return a difference below which two readings are the same: of errors less than one image in a million."""
        return 1e-4 if self.unit == "%" else 0.0

    @property
    def of_diverged(self) -> float | None:
        """Return the reading of a diverged trial: infinitely bad, or None."""
        if self.diverged is Diverged.NO_READING:
            return None
        return math.inf if self.better is Better.LESS else -math.inf

    def reading(self, trial: Trial, arm: Arm, probed: Found) -> float | None:
        """Return the value of a trial that did not diverge; one that is not finite counts as of a diverged trial."""
        value = self.read(trial, arm, probed)
        return value if value is None or math.isfinite(value) else self.of_diverged


_NATS = "nats"


def _error(name: str, title: str, **more: Any) -> Metric:
    return Metric(name, title, "%", Better.LESS, Diverged.WORST, of_trial(name), is_curve=True, **more)


def _loss(name: str, title: str) -> Metric:
    return Metric(name, title, _NATS, Better.LESS, Diverged.WORST, of_trial(name), is_curve=True)


def _cost(name: str, title: str, unit: str, **more: Any) -> Metric:
    return Metric(name, title, unit, Better.LESS, Diverged.NO_READING, **{"read": of_trial(name), **more})


def _by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS: Mapping[str, Metric] = _by_name(
    (
        _error("test_error", "test error"),
        _error("train_error", "training error"),
        _error("val_error", "validation error", is_objective=True),
        _loss("test_loss", "test loss"),
        _loss("train_loss", "training loss"),
        _loss("val_loss", "validation loss"),
        # A network that diverged shows nothing about over-fitting.
        Metric(
            "gap",
            "test error minus training error",
            "%",
            Better.LESS,
            Diverged.NO_READING,
            of_trial("test_error") - of_trial("train_error"),
        ),
        _cost("seconds", "training time", "s", is_objective=True),
        Metric(
            "images_per_second",
            "training speed",
            "images/s",
            Better.MORE,
            Diverged.NO_READING,
            of_trial("images_per_second"),
        ),
        _cost("peak_memory", "peak memory", "MiB", read=of_telemetry("peak_memory_mib")),
        _cost("params", "parameters", "", read=of_arm("params"), is_exact=True, is_objective=True),
        _cost("flops", "multiply-adds per image", "", read=of_arm("flops"), is_exact=True, is_objective=True),
    )
)
"""Every metric of a trial, by its name."""


def has_own_loss(settings: Mapping[str, Any], arms: Iterable[Arm] = ()) -> bool:
    """Whether a study's file, or any of its arms, trains by a function of the user's own, whose loss has no unit."""
    trained = [settings, *(arm.settings for arm in arms)]
    return any((each.get("training") or {}).get("step") for each in trained)


def without_nats(metrics: Mapping[str, Metric]) -> Mapping[str, Metric]:
    """Return those metrics that are in nats as such a study has them, by name."""
    return {name: replace(metric, unit="") for name, metric in metrics.items() if metric.unit == _NATS}


def loss_unit(unit: str, *, is_own: bool) -> str:
    """Return the unit of what a probe measured: a loss of the user's own is not in nats."""
    return "" if is_own and unit == _NATS else unit


PRIMARY = METRICS["test_error"]
"""What tables, figures and effects show, and what `fail_above` is held against."""

PRIMARY_IN_TRAINING = METRICS["train_error"]
"""The same of the training images: the second line of the learning curves."""


def measured(name: str, unit: str = "", better: Better = Better.LESS, title: str | None = None) -> Metric:
    """Return the metric ``probe.path``: a number that a probe finds in a trained network, none in one that diverged.

    The path walks what the probe found: mappings by key and lists by position; "mean", "median", "min", "max", "first"
    and "last" reduce a list. A probe may also keep its scalars together in the mapping ``scalars``.
    """
    kind, _, path = name.partition(".")
    steps = path.split(".")

    def read(trial: Trial, arm: Arm, measured: Found) -> float | None:
        values = measured.get(kind)
        if values is None:
            return None
        scalars = values.get("scalars")
        together = scalars.get(path) if isinstance(scalars, Mapping) else None
        return as_number(together) if together is not None else _walk(values, steps)

    return Metric(name, title or f"{kind.replace('_', ' ')}, {path}", unit, better, Diverged.NO_READING, read)


def probe_of(name: str) -> str | None:
    """Return the probe that measures a metric; None for one that every trial has."""
    return name.partition(".")[0] if "." in name and name not in METRICS and reaching(name) is None else None


REACHING = ("epochs_to_train_error_5", "seconds_to_train_error_5")
"""Metrics with a number in their name: how long a training takes to its first epoch of at most so many per cent."""

_REACHING = re.compile(r"(epochs|seconds)_to_train_error_(\d+(?:\.\d+)?)")


def reaching(name: str) -> Metric | None:
    """Return the metric of a name such as `REACHING`; None for other names, and for more than 100 per cent.

    A training that ends before it comes so far is the worst of all, as one that diverges is. The training error is that
    of the curves: the mean over an epoch's images as they were trained on.
    """
    match = _REACHING.fullmatch(name)
    if match is None or float(match[2]) > 100:
        return None
    in_epochs, goal = match[1] == "epochs", float(match[2])

    def read(trial: Trial, arm: Arm, measured: Found) -> float | None:
        seconds = 0.0
        for epoch in trial.curve:
            seconds += epoch.seconds
            if epoch.train_error <= goal:
                return float(epoch.epoch) if in_epochs else seconds
        return math.inf if trial.curve else None

    title = f"{'epochs' if in_epochs else 'time'} to a training error of {match[2]} %"
    return Metric(name, title, "" if in_epochs else "s", Better.LESS, Diverged.WORST, read)


def find_metric(name: str, declared: Mapping[str, Metric]) -> Metric:
    """Return a metric by its name; `declared` are those of the study, which come first.

    A dotted name that nothing declares is read from the measurements as it is: the study was planned with another
    version, and its results are on record.
    """
    known = declared.get(name) or METRICS.get(name) or reaching(name)
    if known is not None:
        return known
    if "." in name:
        return measured(name)
    raise KeyError(name)


def check_metric(
    name: object, declared: Mapping[str, Metric], *, on_record: bool = False, key: Key = ("metric",)
) -> Metric:
    """Return the metric of that name; SettingError names the nearest. A study `on_record` may have any dotted name."""
    if isinstance(name, str):
        is_known = name in METRICS or name in declared or reaching(name) is not None
        if is_known or (on_record and all(name.partition("."))):
            return find_metric(name, declared)
    raise unknown("metric", name, (*METRICS, *REACHING, *declared), key)


_OF_A_LIST: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": fmean,
    "median": median,
    "min": min,
    "max": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}


def _walk(value: Any, path: Sequence[str]) -> float | None:
    for step in path:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list | tuple) and step in _OF_A_LIST:
            numbers = [float(each) for each in value if isinstance(each, int | float)]
            value = _OF_A_LIST[step](numbers) if numbers else None
        elif isinstance(value, list | tuple) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return as_number(value)
