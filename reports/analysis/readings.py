"""The number that one trial contributes to the statistics, for any metric, and the random generator of an analysis."""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

import numpy as np

from reports.analysis.settings import repeats_from
from reports.results import Arm, State, Study, Trial

METRICS = ("test_error", "train_error", "test_loss", "train_loss", "seconds", "images_per_second")
FAIL = math.inf
"""The reading of a fail: it ranks behind every number, and two fails tie."""

_OF_A_LIST: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": fmean,
    "median": median,
    "min": min,
    "max": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}


def compared(study: Study) -> tuple[Trial, ...]:
    """Return the trials that arms are compared on: all but the A/A repetition of the baseline."""
    start = repeats_from(study.settings.get("seeds"))
    return tuple(trial for trial in study.trials if start is None or trial.seed < start)


def readings(study: Study, arm: Arm | str, metric: str = "test_error") -> dict[int, float]:
    """Return one arm's outcomes by seed, infinity for a fail; trials that have no outcome are left out."""
    return _by_seed(study, study.trials_of(arm), metric, _measurements(study, metric))


def grid(study: Study, metric: str = "test_error", *, repeated: bool = False) -> dict[str, dict[int, float]]:
    """Return the outcomes of every arm, by its name and by seed, infinity for a fail.

    The A/A repetition of the baseline is left out unless `repeated`.

    For the test error a trial above the study's `fail_above` is a fail. Every other metric of a trial that reached its
    last epoch is an honest number whatever its test error, so there only a diverged trial is a fail. `metric` is a
    field of the trial, or "kind.path" of a measurement, for instance "layer_response.mean".
    """
    trials: dict[str, list[Trial]] = {arm.name: [] for arm in study.arms}
    for trial in sorted(study.trials if repeated else compared(study), key=lambda each: each.seed):
        trials.setdefault(trial.arm, []).append(trial)
    measured = _measurements(study, metric)
    return {name: _by_seed(study, found, metric, measured) for name, found in trials.items()}


def _by_seed(
    study: Study, trials: Iterable[Trial], metric: str, measured: Mapping[str, float | None]
) -> dict[int, float]:
    found: dict[int, float] = {}
    for trial in trials:
        value = _reading(study, trial, metric, measured)
        if value is not None:
            found[trial.seed] = value
    return found


def _reading(study: Study, trial: Trial, metric: str, measured: Mapping[str, float | None]) -> float | None:
    if not trial.state.is_outcome():
        return None
    if trial.state is State.DIVERGED or (metric == "test_error" and study.is_fail(trial)):
        return FAIL
    value = getattr(trial, metric) if metric in METRICS else measured.get(trial.id)
    if value is None:
        return None
    return float(value) if math.isfinite(value) else FAIL


def _measurements(study: Study, metric: str) -> dict[str, float | None]:
    """Return what the probe found, by trial; nothing when the metric is a field of the trials themselves.

    The path walks mappings by key and lists by position; "mean", "median", "min", "max", "first" and "last" at its
    end reduce a list.
    """
    if metric in METRICS:
        return {}
    kind, _, path = metric.partition(".")
    steps = path.split(".") if path else []
    return {each.trial: _walk(each.values, steps) for each in study.measurements if each.kind == kind}


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
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None


def finite(values: Mapping[int, float]) -> dict[int, float]:
    """Return the readings that are numbers, without the fails."""
    return {seed: value for seed, value in values.items() if math.isfinite(value)}


def generator(study: str, arm: str, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose: the same numbers on every machine and in every order of work."""
    digest = hashlib.sha256("\0".join((study, arm, purpose)).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence(int.from_bytes(digest, "big")))
