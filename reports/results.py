"""The records that a report is built from: plain values, filled by whoever holds the results.

Nothing here knows a database, a cluster or a network. Errors are in per cent, times in seconds, and every moment is an
aware datetime in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from reports.analysis.analysis_settings import AnalysisSettings, parse_analysis
from reports.analysis.claims import Claim, parse_claims
from reports.metrics import PRIMARY, Metric
from reports.trials import Arm, LostAttempt, Scalar, State, Trial


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
class DeletedOutcome:
    """An outcome that was on record and was deleted: its arm by hash, its seed, when it ended, and was measured."""

    arm: str
    seed: int
    finished_at: datetime | None
    measured: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """How a study came to be what it is.

    `versions` are its plans, the earliest first. `left_out` are outcomes on record of the study's arms that it does
    not ask for: seeds that were dropped, and those of other studies; `measurements` are what probes found in them.
    `elsewhere` are the plans of other studies that share an arm with this one. `measured` holds by probe and trial,
    `left_out` included, when the probe was first on record there, whatever its settings. `deleted` are the outcomes
    of its arms that people deleted: they had been seen.
    """

    versions: tuple[PlanVersion, ...] = ()
    left_out: tuple[Trial, ...] = ()
    elsewhere: tuple[PlanVersion, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    measured: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    deleted: tuple[DeletedOutcome, ...] = ()


@dataclass(frozen=True, repr=False)
class Study:
    """One study as it stands now: what was asked, what was planned, and every result so far.

    `settings` is the whole study file with every default filled in, `source` its text as the user wrote it. `factors`
    maps each factor to its levels in the file's order. `baseline` names the level of each factor that the others are
    compared with; factors it leaves out are contexts, in which the comparison is repeated. `search` is the record of an
    architecture search: what was proposed and what it showed; empty for every other design. `notes` are those of its
    plan, `user_notes` those that people added, each with its date. `metrics` are those that the probes known to this
    program declare, by name, beside those of every trial (`reports.metrics`). `history` holds the earlier versions of
    the plan, and the results that it leaves out. `lost` are the attempts that ended without a result and were followed
    by others, the newest last.
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
    notes: tuple[str, ...] = ()
    user_notes: tuple[str, ...] = ()
    search: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    history: History = field(default_factory=History)
    lost: tuple[LostAttempt, ...] = ()

    def __repr__(self) -> str:
        """Return the study's name, and how many arms and trials it has."""
        return f"<Study {self.name}: {len(self.arms):,} arms, {len(self.trials):,} trials>"

    @property
    def design(self) -> str:
        """The name of its design, also where the study file gives options beside it."""
        given = self.settings.get("design", "")
        return str(given.get("name", "") if isinstance(given, Mapping) else given)

    @property
    def is_replay(self) -> bool:
        """Whether its trials are answers from the record of another study, on a simulated clock: nothing was trained.

        The record of such a search has what it compared, or None where that could not be done.
        """
        return "comparison" in self.search

    @cached_property
    def analysis(self) -> AnalysisSettings:
        """How its claims are judged."""
        return parse_analysis(self.settings.get("analysis"), self.settings.get("seeds"))

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Its claims, read."""
        return parse_claims(self.settings.get("claims"), self.factors, self.metrics)

    @cached_property
    def _arms(self) -> Mapping[str, Arm]:
        return {arm.name: arm for arm in self.arms}

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
