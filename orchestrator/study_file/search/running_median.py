"""The median rule, whose decisions look at the arms in training and at no others, however many a search has."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from math import isnan, nan
from typing import Any

import numpy as np
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState


class RunningMedian(BasePruner):
    """Decides as Optuna's MedianPruner does, for one study whose objective is minimised.

    Optuna's looks at every trial of the study each time; this one keeps the values that complete trials had at each
    step in order. It must therefore see every trial's values before the trial is complete. No trial is stopped before
    `startup` trials are complete, nor before the step `warmup`.
    """

    def __init__(self, startup: int, warmup: int) -> None:
        self._startup = startup
        self._warmup = warmup
        self._values: defaultdict[int, list[float]] = defaultdict(list)  # of complete trials, in order, by step
        self._complete = 0
        self._unfinished: list[int] = []  # the numbers of trials that were not finished when last looked at
        self._seen = 0

    def prune(self, study: Any, trial: Any) -> bool:
        """Return whether the trial stops at its last step."""
        self._take_in(study)
        step = trial.last_step
        if step is None or step < self._warmup or self._complete < max(self._startup, 1):
            return False
        known = [value for value in trial.intermediate_values.values() if not isnan(value)]
        return not known or min(known) > self._median(step)

    def _take_in(self, study: Any) -> None:
        """Take in the trials that were finished since the last decision."""
        waiting = []
        for trial in self._open_trials(study):
            if trial.state is TrialState.COMPLETE:
                self._add(trial)
            elif not trial.state.is_finished():
                waiting.append(trial.number)
        self._unfinished = waiting

    def _open_trials(self, study: Any) -> Iterator[FrozenTrial]:
        """Yield the trials that were not finished at the last decision, and those that are new since."""
        storage = study._storage
        for number in self._unfinished:
            yield storage.get_trial(storage.get_trial_id_from_study_id_trial_number(study._study_id, number))
        with suppress(KeyError):  # there are no more
            while True:
                yield storage.get_trial(storage.get_trial_id_from_study_id_trial_number(study._study_id, self._seen))
                self._seen += 1

    def _add(self, trial: FrozenTrial) -> None:
        self._complete += 1
        for step, value in trial.intermediate_values.items():
            if not isnan(value):
                insort(self._values[step], value)

    def _median(self, step: int) -> float:
        """Return the median of the complete trials at a step; NaN, above which nothing is, where none came to it."""
        values = self._values[step]
        if not values:
            return nan
        # Beside the one in the middle of an odd number stand its neighbours: where one of those is infinite, NumPy, and
        # so Optuna, knows no median.
        middle, is_odd = len(values) // 2, len(values) % 2
        around = values[max(middle - 1, 0) : middle + 1 + is_odd]
        with np.errstate(invalid="ignore"):
            return float(np.percentile(around, 50))
