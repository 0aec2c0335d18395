"""The number that one trial contributes to the statistics, for any metric, and the random generator of an analysis."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from reports.analysis.analysis_settings import repeats_from
from reports.metrics import PRIMARY, Metric, find_metric
from reports.results import Study
from reports.trials import Arm, State, Trial

Measured = Mapping[str, Mapping[str, Mapping[str, Any]]]


def compared(study: Study) -> tuple[Trial, ...]:
    """Return the trials that arms are compared on: all but the A/A repetition of the baseline."""
    start = repeats_from(study.settings.get("seeds"))
    return tuple(trial for trial in study.trials if start is None or trial.seed < start)


def grid(study: Study, metric: str = PRIMARY.name, *, repeated: bool = False) -> dict[str, dict[int, float]]:
    """Return the outcomes of every arm, by its name and by seed, infinity for a fail.

    The A/A repetition of the baseline is left out unless `repeated`.

    For the primary metric a trial past the study's `fail_above` is a fail. Every other metric of a trial that reached
    its last epoch is a number whatever its test error, so there only a diverged trial is a fail; costs, and what a
    probe measures, have no reading of a diverged trial (`reports.metrics`).
    """
    trials: dict[str, list[Trial]] = {arm.name: [] for arm in study.arms}
    for trial in sorted(study.trials if repeated else compared(study), key=lambda each: each.seed):
        trials.setdefault(trial.arm, []).append(trial)
    known, measured = find_metric(metric, study.metrics), _measured(study)
    arms = {arm.name: arm for arm in study.arms}
    return {name: _by_seed(study, arms[name], mine, known, measured) for name, mine in trials.items()}


def _by_seed(study: Study, arm: Arm, trials: Iterable[Trial], metric: Metric, measured: Measured) -> dict[int, float]:
    by_seed: dict[int, float] = {}
    for trial in trials:
        value = _reading(study, arm, trial, metric, measured)
        if value is not None:
            by_seed[trial.seed] = value
    return by_seed


def _reading(study: Study, arm: Arm, trial: Trial, metric: Metric, measured: Measured) -> float | None:
    if not trial.state.is_outcome():
        return None
    if trial.state is State.DIVERGED or (metric.name == PRIMARY.name and study.is_fail(trial)):
        return metric.of_diverged
    return metric.reading(trial, arm, measured.get(trial.id, {}))


def _measured(study: Study) -> Measured:
    """Return what each probe found, by trial and by the probe's name."""
    measured: dict[str, dict[str, Mapping[str, Any]]] = {}
    for each in study.measurements:
        measured.setdefault(each.trial, {})[each.kind] = each.values
    return measured


def finite(values: Mapping[int, float]) -> dict[int, float]:
    """Return the readings that are numbers, without the fails."""
    return {seed: value for seed, value in values.items() if math.isfinite(value)}


def generator(study: str, arm: str, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose: the same numbers on every machine and in every order of work."""
    digest = hashlib.sha256("\0".join((study, arm, purpose)).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence(int.from_bytes(digest, "big")))
