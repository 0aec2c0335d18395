"""What a sampler is told about an arm: finite numbers, or that it was stopped early or failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from orchestrator.events import AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.search.settings import SearchSettings
from orchestrator.study_plan import PlannedArm
from reports.results import State, Trial


@dataclass
class Known:
    """What is known of one trial: its state, and the validation error of each epoch."""

    state: State = State.WAITING
    errors: dict[int, float | None] = field(default_factory=dict)
    losses: dict[int, float | None] = field(default_factory=dict)
    epoch_seconds: dict[int, float] = field(default_factory=dict)
    seconds: float | None = None

    @classmethod
    def of(cls, trial: Trial) -> "Known":
        """Return what the results DB knows of a trial."""
        return cls(
            trial.state,
            {epoch.epoch: epoch.val_error for epoch in trial.curve},
            {epoch.epoch: epoch.val_loss for epoch in trial.curve},
            {epoch.epoch: epoch.seconds for epoch in trial.curve},
            trial.seconds,
        )

    def update(self, event: Event) -> None:
        """Take in what a worker reported."""
        if isinstance(event, AttemptStarted):
            self.state = State.RUNNING
            self.errors.clear()
            self.losses.clear()
            self.epoch_seconds.clear()
        elif isinstance(event, EpochDone):
            self.errors[event.epoch.epoch] = event.epoch.val_error
            self.losses[event.epoch.epoch] = event.epoch.val_loss
            self.epoch_seconds[event.epoch.epoch] = event.epoch.seconds
        elif isinstance(event, TrialEnded):
            self.state, self.seconds = event.state, event.seconds

    @property
    def is_answer(self) -> bool:
        """Whether the trial needs no training: it has a result, be it that it was stopped early."""
        return self.state.is_outcome() or self.state is State.PRUNED

    @property
    def last_error(self) -> float | None:
        """The validation error of the last epoch."""
        return self.errors[max(self.errors)] if self.errors else None


@dataclass(frozen=True)
class Score:
    """An arm as its sampler sees it: COMPLETE with finite values for the objectives, PRUNED, or FAILED for a reason."""

    state: State
    values: tuple[float, ...] = ()
    reason: str | None = None


def score(planned: PlannedArm, trials: Sequence[Known], settings: SearchSettings) -> Score:
    """Judge an arm whose trials have all ended.

    The error is the mean over the seeds, a diverged one counting as `settings.penalty`. Values that are not known
    make the arm FAILED, so that no sampler ever meets one that is not finite.
    """
    if any(trial.state is State.FAILED for trial in trials):
        return Score(State.FAILED, reason="a trial failed")
    if any(trial.state is State.PRUNED for trial in trials):
        return Score(State.PRUNED)
    errors = [settings.penalty if trial.state is State.DIVERGED else trial.last_error for trial in trials]
    known: Mapping[str, Any] = {
        "val_error": _mean(errors),
        "params": planned.params,
        "flops": planned.flops,
        "seconds": _mean([trial.seconds for trial in trials]),
    }
    values = [known[name] for name in settings.objectives]
    if any(value is None for value in values):
        missing = next(name for name, value in zip(settings.objectives, values, strict=True) if value is None)
        return Score(State.FAILED, reason=f"no {missing} was measured")
    return Score(State.COMPLETE, tuple(float(value) for value in values))


def error_at(trials: Sequence[Known], epoch: int) -> float | None:
    """Return the mean validation error of an arm at one epoch; None until every seed has one."""
    return _mean([trial.errors.get(epoch) for trial in trials])


def _mean(values: Sequence[float | None]) -> float | None:
    return fmean(value for value in values if value is not None) if None not in values else None
