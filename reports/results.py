"""The records that a report is built from: plain values, filled by whoever holds the results.

Nothing here knows a database, a cluster or a network. Errors are in per cent, times in seconds, and every moment is an
aware datetime in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reports.metrics import PRIMARY, Metric

if TYPE_CHECKING:
    from reports.analysis.claims import Claim
    from reports.analysis.settings import AnalysisSettings

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


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Arm:
    """One full assignment of levels; a row of the ablation table.

    `levels` maps every factor to its level: the number or word itself, or the name of a bundle. `settings` holds the
    complete data, network and training settings that the levels stand for. `description` is the network in words, stage
    by stage, and the unit that it repeats, as `search_spaces.describe` puts it; empty where none was kept. `hash`
    identifies the settings, whatever the arm is called.
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


@dataclass(frozen=True)
class Measurement:
    """What a probe with these `settings` found in one trained network.

    `values` holds the ``rows``, the ``scalars``, the declaration of the ``probe``, and under ``failed`` the reason
    where it could not measure the network.
    """

    trial: str
    kind: str
    values: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Environment:
    """The software and hardware that trained some of the trials."""

    id: str
    host: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class PlanVersion:
    """The plan of a study as it was from one moment on; `number` counts them from 1, the same plan again adds none.

    `plan` holds what was fixed by then: arms by their hash, seeds, looks, analysis, thresholds, claims; of a version
    that an older program recorded, the claims alone. `digest` is the hash of the whole plan. `known` counts the
    outcomes of its arms that were on record then.
    """

    number: int
    at: datetime
    plan: Mapping[str, Any]
    digest: str | None = None
    known: int | None = None


@dataclass(frozen=True)
class History:
    """How a study came to be what it is.

    `versions` are its plans, the earliest first. `left_out` are outcomes on record of the study's arms that it does
    not ask for: seeds that were dropped, and those of other studies. `elsewhere` are the plans of other
    studies that share an arm with this one.
    """

    versions: tuple[PlanVersion, ...] = ()
    left_out: tuple[Trial, ...] = ()
    elsewhere: tuple[PlanVersion, ...] = ()


@dataclass(frozen=True)
class Study:
    """One study as it stands now: what was asked, what was planned, and every result so far.

    `settings` is the whole study file with every default filled in, `source` its text as the user wrote it. `factors`
    maps each factor to its levels in the file's order. `baseline` names the level of each factor that the others are
    compared with; factors it leaves out are contexts, in which the comparison is repeated. `search` is the record of an
    architecture search: what was proposed and what it showed; empty for every other design. `metrics` are those that
    the probes known to this program declare, by name, beside those of every trial (`reports.metrics`). `history`
    holds the earlier versions of the plan, and the results that it leaves out.
    """

    name: str
    question: str
    source: str
    settings: Mapping[str, Any]
    factors: Mapping[str, tuple[Scalar, ...]]
    baseline: Mapping[str, Scalar]
    fail_above: float | None
    arms: tuple[Arm, ...]
    trials: tuple[Trial, ...]
    measurements: tuple[Measurement, ...] = ()
    environments: tuple[Environment, ...] = ()
    command: str | None = None
    git: str | None = None
    plan_hash: str | None = None
    planned_at: datetime | None = None
    notes: tuple[str, ...] = field(default=())
    search: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    history: History = field(default_factory=History)

    @property
    def design(self) -> str:
        """The name of its design, also where the study file gives options beside it."""
        given = self.settings.get("design", "")
        return str(given.get("name", "") if isinstance(given, Mapping) else given)

    @cached_property
    def analysis(self) -> "AnalysisSettings":
        """How its claims are judged."""
        from reports.analysis.settings import parse_analysis  # not above: the analysis is built on these records

        return parse_analysis(self.settings.get("analysis"), self.settings.get("seeds"))

    @cached_property
    def claims(self) -> "tuple[Claim, ...]":
        """Its claims, read."""
        from reports.analysis.claims import parse_claims

        return parse_claims(self.settings.get("claims"), self.factors, self.metrics)

    @cached_property
    def _arms(self) -> Mapping[str, Arm]:
        return {arm.name: arm for arm in self.arms}

    def arm(self, name: str) -> Arm:
        """Return the arm of that name; KeyError when the study has none."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(name)

    def trials_of(self, arm: Arm | str) -> tuple[Trial, ...]:
        """Return the trials of one arm, in the order of their seeds."""
        name = arm if isinstance(arm, str) else arm.name
        return tuple(sorted((each for each in self.trials if each.arm == name), key=lambda each: each.seed))

    def is_fail(self, trial: Trial) -> bool:
        """Whether the tables say "fail": the trial diverged, or its primary metric is worse than `fail_above`."""
        if trial.state is State.DIVERGED:
            return True
        if trial.state is not State.COMPLETE or self.fail_above is None:
            return False
        value = PRIMARY.read(trial, self._arms.get(trial.arm) or Arm(trial.arm, {}, {}), {})
        return value is not None and PRIMARY.is_worse(value, self.fail_above)
