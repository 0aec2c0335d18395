"""The plan of a study: every arm and trial that its file asks for, before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.trials import Scalar
from search_spaces.arm import Arm


@dataclass(frozen=True)
class PlannedArm:
    """An arm with what is known of its network without training it: parameters, multiply-adds, graph hash.

    `description` is the network in words, stage by stage, and its unit (`search_spaces.describe`) as plain values,
    with the number of images for training, validation and test under `images`.
    """

    arm: Arm
    params: int
    flops: int
    graph: str
    description: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedTrial:
    """One arm with one seed on the data of that `fingerprint`.

    `id` hashes everything that can change the result, so any study may share the trial.
    """

    id: str
    arm: Arm
    seed: int
    fingerprint: str


@dataclass(frozen=True)
class StudyPlan:
    """Everything that `orchestrate run` is about to do and to record about a study.

    `settings` is the study file with every default filled in, `source` the text as the user wrote it. `plan_hash`
    covers what a verdict depends on (arms, seeds, claims, analysis), so that a later change shows. `analysis` and
    `claims` are what the settings of those names mean. `notes` are recorded, and the report repeats them;
    `notes_before_run` tell what the run will take and what the file could say, and are shown by `plan` and `run` alone.
    """

    name: str
    question: str
    source: str
    settings: Mapping[str, Any]
    factors: Mapping[str, tuple[Scalar, ...]]
    baseline: Mapping[str, Scalar]
    fail_above: float | None
    arms: tuple[PlannedArm, ...]
    trials: tuple[PlannedTrial, ...]
    plan_hash: str
    command: str | None = None
    git: str | None = None
    notes: tuple[str, ...] = ()
    notes_before_run: tuple[str, ...] = ()
    analysis: AnalysisSettings = field(default_factory=AnalysisSettings)
    claims: tuple[Claim, ...] = ()

    @property
    def is_search(self) -> bool:
        """Whether a sampler chooses the arms, so that most are not known yet."""
        return False
