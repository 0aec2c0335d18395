"""The records of what was trained: arms, their trials, and the epochs of these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reports.notebook import html_table

Scalar = bool | int | float | str


class State(StrEnum):
    """Where a trial stands. A result never changes; what was PRUNED or FAILED may be trained again."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    DIVERGED = "DIVERGED"
    PRUNED = "PRUNED"
    FAILED = "FAILED"

    def is_finished(self) -> bool:
        """Whether nothing more will be trained for this trial unless the user asks again."""
        return self not in (State.WAITING, State.RUNNING)

    def is_outcome(self) -> bool:
        """Whether this state is a result of the network itself and enters the statistics."""
        return self in (State.COMPLETE, State.DIVERGED)


@dataclass(frozen=True)
class Epoch:
    """One epoch of one trial: means over the epoch's training images, and the test set at its end.

    The validation values are those of the images held out of the training set, None where none are.
    """

    epoch: int
    train_loss: float
    train_error: float
    test_loss: float | None
    test_error: float | None
    lr: float
    seconds: float
    val_loss: float | None = None
    val_error: float | None = None


@dataclass(frozen=True, repr=False)
class Trial:
    """One arm with one seed. The metrics are those of its last epoch; None where there is none.

    `telemetry` holds further measured facts of the training. `cause` says in one word what made a FAILED trial fail,
    `log` holds the last lines that it printed.
    """

    id: str
    arm: str
    seed: int
    state: State
    reason: str | None = None
    test_error: float | None = None
    train_error: float | None = None
    test_loss: float | None = None
    train_loss: float | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    device: str | None = None
    host: str | None = None
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    diverged_at: int | None = None
    loss_before_divergence: float | None = None
    environment: str | None = None
    val_error: float | None = None
    val_loss: float | None = None
    telemetry: Mapping[str, Any] = field(default_factory=dict)
    cause: str | None = None
    log: str | None = None
    curve: tuple[Epoch, ...] = ()

    def __repr__(self) -> str:
        """Return the trial's id, arm, seed and state."""
        return f"<Trial {self.id}: {self.arm}, seed {self.seed}, {self.state}>"


@dataclass(frozen=True)
class LostAttempt:
    """An attempt that ended without a result, at a trial that then waited again.

    `cause` says in one word what ended it, `log` holds the last lines that it printed, or its traceback.
    """

    trial: str
    arm: str
    seed: int
    cause: str | None
    reason: str | None
    host: str | None = None
    ended_at: datetime | None = None
    log: str | None = None


@dataclass(frozen=True, repr=False)
class Arm:
    """One full assignment of levels; a row of the ablation table.

    `levels` maps every factor to its level: the number or word itself, or the name of a bundle. `settings` holds the
    complete data, network and training settings that the levels stand for. `description` is the network in words, stage
    by stage, and the unit that it repeats, as `search_spaces.describe` puts it, and under `images` how many images are
    for what; empty where none was kept. `hash` identifies the settings, whatever the arm is called.
    """

    name: str
    levels: Mapping[str, Scalar]
    settings: Mapping[str, Any]
    params: int | None = None
    flops: int | None = None
    graph: str | None = None
    orphaned: bool = False
    description: Mapping[str, Any] = field(default_factory=dict)
    hash: str | None = None

    def __repr__(self) -> str:
        """Return the arm's name."""
        return f"<Arm {self.name}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the levels, and what the network costs."""
        costs = {"parameters": self.params, "multiply-adds": self.flops}
        known = {key: f"{value:,}" for key, value in costs.items() if value is not None}
        return html_table(
            ["arm", *self.levels, *known], [[self.name, *map(str, self.levels.values()), *known.values()]]
        )
