"""Follow a running study: what is done, what runs, and how long the rest will take."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.records.events import AttemptLost, AttemptStarted, EpochDone, Event, Resumed, TrialEnded
from orchestrator.records.study_plan import PlannedTrial
from reports.trials import Epoch, State

ROUNDING = 1e-9
"""Less than this part of all work is no pace: what is left of a sum from which its parts were taken again."""


@dataclass
class TrialProgress:
    """One trial as it stands: its state and its last epoch."""

    planned: PlannedTrial
    state: State
    cost: float
    epochs: int
    last: Epoch | None = None
    reason: str | None = None
    seconds: float | None = None


@dataclass
class Progress:
    """Every trial of a study; a listener of the recorder keeps it up to date.

    The clock of the estimate starts with the first attempt, so that starting a cluster does not count. Sums are kept
    with each event: they are asked for as often, and a study may have ten thousand trials. `most` is how many trials
    there can be where a search proposes them one after another; 0 where all are known.
    """

    trials: dict[str, TrialProgress] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    most: int = 0
    _started: float | None = None
    _cost_before: float = 0.0
    _counts: Counter[State] = field(default_factory=Counter)
    _cost: float = 0.0
    _cost_done: float = 0.0

    def add(self, planned: PlannedTrial, state: State, cost: float, epochs: int) -> None:
        """Begin to follow a trial; `cost` is its expected work, `epochs` how many it will have."""
        if planned.id not in self.trials:
            trial = self.trials[planned.id] = TrialProgress(planned, state, cost, epochs)
            self._cost += cost
            self._count(trial, 1)

    def update(self, event: Event) -> TrialProgress | None:
        """Take in one event; return its trial, or None when the study does not have it."""
        trial = None if event.trial is None else self.trials.get(event.trial)
        if trial is None:
            return None
        if isinstance(event, AttemptStarted) and self._started is None:
            self._started, self._cost_before = self.clock(), self._cost_done
        if isinstance(event, Resumed) and trial.epochs:  # what an earlier run trained says nothing of this one's pace
            self._cost_before += trial.cost * max(0.0, event.epoch / trial.epochs - _share_done(trial))
        self._count(trial, -1)
        self._apply(event, trial)
        self._count(trial, 1)
        return trial

    @staticmethod
    def _apply(event: Event, trial: TrialProgress) -> None:
        if isinstance(event, AttemptStarted):
            trial.state = State.RUNNING
        elif isinstance(event, EpochDone):
            trial.last = event.epoch
        elif isinstance(event, AttemptLost):
            trial.state, trial.reason = State.WAITING, event.reason
        elif isinstance(event, TrialEnded):
            trial.state, trial.reason, trial.seconds = event.state, event.reason, event.seconds

    def _count(self, trial: TrialProgress, times: int) -> None:
        self._counts[trial.state] += times
        self._cost_done += times * trial.cost * _share_done(trial)

    def counts(self) -> Mapping[State, int]:
        """Return how many trials are in each state."""
        return +self._counts

    @property
    def finished(self) -> int:
        """How many trials need no more training."""
        return sum(count for state, count in self._counts.items() if state.is_finished())

    @property
    def total(self) -> int:
        """How many trials there are, or can be."""
        return max(self.most, len(self.trials))

    @property
    def is_open(self) -> bool:
        """Whether a search may propose further trials."""
        return self.most > len(self.trials)

    def seconds_left(self) -> float | None:
        """Return the expected seconds until the end at the pace so far; None before there is a pace.

        Trials that a search may still propose are taken to cost what the others do on average.
        """
        if self._started is None:
            return None
        done = self._cost_done - self._cost_before
        left = max(self._cost * self.total / (len(self.trials) or 1) - self._cost_done, 0.0)
        elapsed = self.clock() - self._started
        return elapsed * left / done if done > ROUNDING * self._cost else None


def _share_done(trial: TrialProgress) -> float:
    if trial.state.is_finished():
        return 1.0
    if trial.state is State.RUNNING and trial.last is not None and trial.epochs:
        return min(trial.last.epoch / trial.epochs, 1.0)
    return 0.0


def duration(seconds: float) -> str:
    """Return a time span as people say it: ``48 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
