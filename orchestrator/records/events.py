"""What executors tell the driver about trials; the recorder writes each event in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestrator.records.causes import Cause
from reports.trials import Epoch, State


def now() -> datetime:
    """Return this moment as an aware datetime in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class AttemptStarted:
    """A worker began to train a trial; `environment` holds the facts of its software and hardware."""

    trial: str
    device: str
    host: str
    environment: Mapping[str, Any]
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Resumed:
    """An attempt goes on from a checkpoint that holds these epochs, which are told again."""

    trial: str
    epoch: int
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class EpochDone:
    """A trial finished an epoch. Repeating an epoch after a crash replaces its row."""

    trial: str
    epoch: Epoch
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class TrialEnded:
    """A trial reached a finished state. `telemetry` holds further measured facts, stored as they are.

    A FAILED one has a `cause`, and where they are known the `traceback` and the last lines of its log.
    """

    trial: str
    state: State
    reason: str | None = None
    seconds: float | None = None
    images_per_second: float | None = None
    diverged_at: int | None = None
    loss_before_divergence: float | None = None
    telemetry: Mapping[str, Any] = field(default_factory=dict)
    cause: Cause | None = None
    traceback: str | None = None
    log: str | None = None
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class AttemptLost:
    """An attempt ended without a result (a worker died, the study was interrupted); the trial waits again.

    `log` holds the last lines that the attempt printed.
    """

    trial: str
    reason: str
    cause: Cause | None = None
    traceback: str | None = None
    log: str | None = None
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class WeightsKept:
    """A worker wrote the weights of a trial after some epoch into a file; `digest` is the SHA-256 of the file."""

    trial: str
    epoch: int
    digest: str
    bytes: int
    path: str
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Measured:
    """A probe with these settings is done with a trained network; `found` is what it found, or why it found nothing."""

    trial: str
    probe: str
    key: str
    settings: Mapping[str, Any]
    found: Mapping[str, Any]
    seconds: float | None = None
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class ProbesEnded:
    """Every probe that was to measure a finished trial has tried to."""

    trial: str
    reason: str | None = None
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Notice:
    """Something that whoever runs the study should know and that is about no trial."""

    text: str
    trial: None = None
    at: datetime = field(default_factory=now)


Event = AttemptStarted | Resumed | EpochDone | TrialEnded | AttemptLost | WeightsKept | Measured | ProbesEnded | Notice
