"""What `run` would do, without doing it: trials new and cached, cost, time, and what the seeds can tell."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from orchestrator.config import StudyConfig
from orchestrator.estimate import trial_seconds
from orchestrator.plan import make_plan, trial_epochs
from orchestrator.progress import duration
from orchestrator.storage import ArmCost, Store
from orchestrator.study_plan import PlannedArm, StudyPlan
from reports.results import State


@dataclass(frozen=True)
class ArmPreview:
    """One arm before it runs: its trials with and without a result, its cost, and the expected seconds of a trial."""

    name: str
    new: int
    cached: int
    params: int
    flops: int
    seconds: float


@dataclass(frozen=True)
class Preview:
    """What a run would do. `seconds` is the expected time of the whole run with `slots` packs side by side."""

    study: str
    arms: tuple[ArmPreview, ...]
    new: int
    cached: int
    orphaned: tuple[str, ...]
    slots: int
    seconds: float
    gpu_hours: float
    basis: str

    def lines(self) -> list[str]:
        """Return the sums in words."""
        found = [
            f"{self.study}: {len(self.arms)} arms, {self.new + self.cached} trials: "
            f"{self.new} new, {self.cached} cached, {len(self.orphaned)} orphaned arms",
            f"time: about {duration(self.seconds)} with {self.slots} packs side by side "
            f"({self.gpu_hours:.2f} GPU-hours); estimated from {self.basis}",
        ]
        found += [f'orphaned: "{name}" is no longer in the study file; its results stay' for name in self.orphaned]
        return found

    def to_json(self) -> str:
        """Return the whole preview as JSON."""
        return json.dumps(asdict(self), indent=2)


def preview(config: StudyConfig, url: str) -> Preview:
    """Plan a study and compare it with the results DB at `url`, which need not exist yet; nothing is written."""
    plan = make_plan(config)
    orphaned: tuple[str, ...] = ()
    states: Mapping[str, State] = {}
    costs: tuple[ArmCost, ...] = ()
    if Store.exists(url):
        with Store.open(url, read_only=True) as store:
            orphaned = store.preview_plan(plan).orphaned
            states = store.states([trial.id for trial in plan.trials])
            costs = store.arm_costs()
    resources = config.file.resources
    epochs = {each.arm.id: trial_epochs(each.arm) for each in plan.arms}
    device = "cuda" if resources.gpus else "cpu"
    recorded = {
        cost.arm: cost.seconds * epochs[cost.arm] for cost in costs if cost.arm in epochs and cost.device == device
    }
    seconds, basis = trial_seconds(plan.arms, recorded)
    arms = tuple(_arm_preview(each, plan, states, seconds[each.arm.id]) for each in plan.arms)
    slots = max(int((os.cpu_count() or 1) / resources.cpus), 1)
    work = sum(arm.new * arm.seconds for arm in arms)
    longest = max((arm.seconds for arm in arms if arm.new), default=0.0)
    return Preview(
        study=plan.name,
        arms=arms,
        new=sum(arm.new for arm in arms),
        cached=sum(arm.cached for arm in arms),
        orphaned=orphaned,
        slots=slots,
        seconds=max(work / slots, longest),
        gpu_hours=work * resources.gpus / 3600,
        basis=basis,
    )


def _arm_preview(planned: PlannedArm, plan: StudyPlan, states: Mapping[str, State], seconds: float) -> ArmPreview:
    trials = [trial.id for trial in plan.trials if trial.arm.id == planned.arm.id]
    cached = sum(states.get(trial, State.WAITING).is_finished() for trial in trials)
    return ArmPreview(planned.arm.name, len(trials) - cached, cached, planned.params, planned.flops, seconds)
