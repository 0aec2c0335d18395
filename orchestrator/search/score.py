"""What a sampler is told about an arm: finite numbers, or that it was stopped early or failed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.records.study_plan import PlannedArm
from orchestrator.study_file.search.search_settings import SearchSettings
from reports.metrics import METRICS, Diverged, Metric
from reports.trials import Arm, State, Trial


@dataclass
class TrialHistory:
    """What is known of one trial: its state, and the validation error of each epoch."""

    state: State = State.WAITING
    errors: dict[int, float | None] = field(default_factory=dict)
    losses: dict[int, float | None] = field(default_factory=dict)
    epoch_seconds: dict[int, float] = field(default_factory=dict)
    seconds: float | None = None

    @classmethod
    def of(cls, trial: Trial) -> "TrialHistory":
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

    def stopped(self, trial: str, newest: int, reason: str) -> TrialEnded:
        """Return the end of this trial, whose arm is stopped after epoch `newest`; if it lags behind, it diverged."""
        seconds = sum(self.epoch_seconds.values())
        if self.last_epoch < newest:
            at = self.last_epoch + 1
            return TrialEnded(trial, State.DIVERGED, f"diverged; then its arm was {reason}", seconds, diverged_at=at)
        return TrialEnded(trial, State.PRUNED, reason, seconds)

    def as_record(self, arm: str) -> Trial:
        """Return the trial as the metrics read it: its state, its last validation error, and its seconds."""
        return Trial("", arm, 0, self.state, val_error=self.last_error, seconds=self.seconds)

    @property
    def is_answer(self) -> bool:
        """Whether the trial needs no training: it has a result, be it that it was stopped early."""
        return self.state.is_outcome() or self.state is State.PRUNED

    @property
    def last_epoch(self) -> int:
        """The last epoch before it diverged; 0 before the first."""
        return max(self.errors, default=0)

    @property
    def last_error(self) -> float | None:
        """The validation error of the last epoch."""
        return self.errors[self.last_epoch] if self.errors else None


@dataclass(frozen=True)
class Score:
    """An arm as its sampler sees it: COMPLETE with finite values for the objectives, PRUNED, or FAILED for a reason."""

    state: State
    values: tuple[float, ...] = ()
    reason: str | None = None


def score(planned: PlannedArm, trials: Sequence[TrialHistory], settings: SearchSettings) -> Score:
    """Judge an arm whose trials have all ended.

    The error is the mean over the seeds, a diverged one counting as `settings.penalty`. Values that are not known
    make the arm FAILED, so that no sampler ever meets one that is not finite.
    """
    if any(trial.state is State.FAILED for trial in trials):
        return Score(State.FAILED, reason="a trial failed")
    if any(trial.state is State.PRUNED for trial in trials):
        return Score(State.PRUNED)
    arm = Arm(planned.arm.name, planned.arm.levels, planned.arm.settings, planned.params, planned.flops)
    values = [_objective(METRICS[name], arm, trials, settings.penalty) for name in settings.objectives]
    known = tuple(value for value in values if value is not None)
    if len(known) < len(values):
        missing = next(name for name, value in zip(settings.objectives, values, strict=True) if value is None)
        return Score(State.FAILED, reason=f"no {missing} was measured")
    return Score(State.COMPLETE, known)


def curve(trials: Sequence[TrialHistory], penalty: float) -> dict[int, float]:
    """Return the validation error of an arm by epoch, the mean over its seeds, as far as all that train have come.

    A seed counts as `penalty` from the epoch on in which it diverged. Seeds that train do so in step, so one that lags
    behind is such a seed, although its end is told with that of the others.
    """
    going = [trial for trial in trials if not trial.state.is_finished()]
    cut = [trial.last_epoch for trial in trials if trial.state is State.PRUNED]
    newest = min(cut) if cut else max((trial.last_epoch for trial in going or trials), default=0)
    newest += bool(trials) and all(trial.state is State.DIVERGED for trial in trials)
    return {
        epoch: fmean(penalty if (error := trial.errors.get(epoch)) is None else error for trial in trials)
        for epoch in range(1, newest + 1)
    }


def _objective(metric: Metric, arm: Arm, trials: Sequence[TrialHistory], penalty: float) -> float | None:
    """Return the mean over the seeds; of errors, a diverged seed counts as `penalty`."""
    costly = metric.diverged is Diverged.WORST
    return _mean(
        [
            penalty if costly and trial.state is State.DIVERGED else metric.read(trial.as_record(arm.name), arm, {})
            for trial in trials
        ]
    )


def _mean(values: Sequence[float | None]) -> float | None:
    return fmean(value for value in values if value is not None) if None not in values else None
