"""Asynchronous successive halving whose decisions take as long in a search of 10,000 arms as in one of 10."""

import math
from bisect import insort
from collections import defaultdict
from typing import Any

from optuna.pruners import BasePruner


class SuccessiveHalving(BasePruner):
    """Decides as Optuna's SuccessiveHalvingPruner does, for one study whose objective is minimised.

    Optuna's looks at every trial of the study each time; this one keeps the values of each rung in order. It must
    therefore see every value that a trial reports. Rungs are at `first_rung`, times `factor`; each keeps 1/`factor`.
    """

    def __init__(self, first_rung: int, factor: int) -> None:
        self._first_rung = first_rung
        self._factor = factor
        self._rungs: defaultdict[int, list[float]] = defaultdict(list)
        self._completed: defaultdict[int, int] = defaultdict(int)  # rungs by the number of their trial

    def prune(self, study: Any, trial: Any) -> bool:
        """Take in the trial's last value; return whether it stops there."""
        step = trial.last_step
        if step is None:
            return False
        value = trial.intermediate_values[step]
        while step >= self._first_rung * self._factor ** self._completed[trial.number]:
            if math.isnan(value):
                return True
            rung = self._completed[trial.number]
            # Noted as Optuna's pruner does, for whoever opens the copy of the study.
            study._storage.set_trial_system_attr(trial._trial_id, f"completed_rung_{rung}", value)
            values = self._rungs[rung]
            insort(values, value)
            self._completed[trial.number] += 1
            if value > values[max(len(values) // self._factor, 1) - 1]:
                return True
        return False
