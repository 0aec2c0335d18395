"""What `run` would do, without doing it: trials new and cached, cost, time, and what the seeds can tell."""

import json
import math
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from orchestrator.planning.estimate import trial_seconds
from orchestrator.planning.expected_verdicts import expected_verdicts, spreads, study_on_record
from orchestrator.planning.plan import make_plan
from orchestrator.records.study_plan import StudyPlan
from orchestrator.scheduling.arm_facts import trial_epochs
from orchestrator.scheduling.progress import duration
from orchestrator.search.search_plan import SearchPlan
from orchestrator.storage import ArmCost, Store
from orchestrator.study_file.config import StudyConfig
from orchestrator.study_file.sections import Resources
from reports.analysis.analysis_settings import AnalysisSettings, repeats_from
from reports.analysis.outliers import LEAST_BY_T, least_seeds, too_few_for_t
from reports.analysis.power import seeds_for_rate, smallest_paired
from reports.analysis.prospects import few_seeds, prospects, study_sd
from reports.results import Study
from reports.trials import State
from reports.wording import counted
from search_spaces.fact_cache import cached_fact

if TYPE_CHECKING:
    from orchestrator.search.expected_cost import ExpectedCost


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
    """What a run would do.

    `work` is the expected seconds of all trials one after the other on a `device`, which is "cpu" also where a GPU is
    asked for and nothing tells how fast one is. Nobody knows then `gpu_hours`, nor `seconds`, the expected time of the
    whole run with `slots` packs side by side. `ahead` is how many trials a search has at most; `arms` then holds its
    baseline alone. None for any other study.
    """

    study: str
    arms: tuple[ArmPreview, ...]
    new: int
    cached: int
    orphaned: tuple[str, ...]
    slots: int
    device: str
    work: float
    seconds: float | None
    gpu_hours: float | None
    basis: str
    notes: tuple[str, ...]
    prospects: tuple[str, ...]
    ahead: int | None = None

    def lines(self) -> list[str]:
        """Return the sums in words."""
        known = "" if self.ahead is None else f"at most {counted(self.ahead, 'trial')}, of which are known beforehand: "
        lines = [
            f"{self.study}: {known}{counted(len(self.arms), 'arm')}, {counted(self.new + self.cached, 'trial')}: "
            f"{self.new:,} new, {self.cached:,} cached, {counted(len(self.orphaned), 'orphaned arm')}",
            self._time(),
        ]
        gone = "is no longer in the study file as it was; its results stay"
        lines += [f'orphaned: "{name}" {gone}' for name in self.orphaned]
        return [*lines, *self.notes, *self.prospects]

    def _time(self) -> str:
        bound = "" if self.ahead is None else "at most "
        if self.seconds is None or self.gpu_hours is None:
            return (
                "time: not known before a trial has run on a GPU, and none here holds one; all trials one after the "
                f"other on one core of this machine: {bound}about {duration(self.work)}; estimated from {self.basis}"
            )
        gpus = f" ({self.gpu_hours:.2f} GPU-hours)" if self.gpu_hours else ""
        packs = f"{self.slots} packs side by side" if self.slots > 1 else "1 pack at a time"
        return f"time: {bound}about {duration(self.seconds)} with {packs}{gpus}; estimated from {self.basis}"

    def to_json(self) -> str:
        """Return the whole preview as JSON."""
        return json.dumps(asdict(self), indent=2)


def preview(config: StudyConfig, url: str) -> Preview:
    """Plan a study and compare it with the results DB at `url`, which need not exist yet; nothing is written."""
    plan = make_plan(config)
    orphaned: tuple[str, ...] = ()
    states: Mapping[str, State] = {}
    costs: tuple[ArmCost, ...] = ()
    on_record = study_on_record(None, plan)
    if Store.exists(url):
        with Store.open(url, read_only=True) as store:
            orphaned = store.preview_plan(plan).orphaned
            states = store.states([trial.id for trial in plan.trials])
            costs = store.arm_costs()
            on_record = study_on_record(store, plan)
    resources = config.file.resources
    ahead = _expected_cost(plan) if isinstance(plan, SearchPlan) else None
    planned = (*plan.arms, *(ahead.sample if ahead else ()))
    epochs = {each.arm.id: trial_epochs(each.arm) for each in planned}
    device = "cuda" if resources.gpus else "cpu"
    recorded = {
        cost.arm: cost.seconds * epochs[cost.arm] for cost in costs if cost.arm in epochs and cost.device == device
    }
    trials, cached = _counts(plan, states)
    most = ahead.seeds if ahead else max(trials.values(), default=1)
    estimate = trial_seconds(planned, recorded, device, min(resources.seeds_per_pack, most))
    arms = tuple(
        ArmPreview(
            name=each.arm.name,
            new=trials[each.arm.id] - cached[each.arm.id],
            cached=cached[each.arm.id],
            params=each.params,
            flops=each.flops,
            seconds=estimate.seconds[each.arm.id],
        )
        for each in plan.arms
    )
    work = ahead.seconds(estimate.seconds) if ahead else sum(arm.new * arm.seconds for arm in arms)
    longest = max((arm.seconds for arm in arms if arm.new), default=0.0)
    slots = _slots(resources)
    is_known = estimate.device == device
    return Preview(
        study=plan.name,
        arms=arms,
        new=sum(arm.new for arm in arms),
        cached=sum(arm.cached for arm in arms),
        orphaned=orphaned,
        slots=slots,
        device=estimate.device,
        work=work,
        seconds=max(work / slots, longest) if is_known else None,
        gpu_hours=work * resources.gpus / 3600 if is_known else None,
        basis=estimate.basis,
        notes=(
            *plan.notes,
            *plan.notes_before_run,
            *_budget_note(resources),
            *_gpu_note(resources),
            *([ahead.sentence] if ahead else []),
        ),
        prospects=_prospects(plan, on_record),
        ahead=ahead.searched + ahead.confirmed if ahead else None,
    )


def _budget_note(resources: Resources) -> tuple[str, ...]:
    """Say what a run may use up, where the file bounds it."""
    budget = resources.budget
    parts = [
        counted(budget.trials, "trial") if budget.trials is not None else "",
        f"{duration(budget.wall)} of wall time" if budget.wall is not None else "",
        f"{budget.gpu_hours:g} GPU-hours" if budget.gpu_hours is not None else "",
    ]
    told = " or ".join(part for part in parts if part)
    return (f"budget: a run ends by itself after {told}, and the next one continues",) if told else ()


def _slots(resources: Resources) -> int:
    """Return how many packs this machine trains side by side; of GPUs it is taken to have one at least."""
    slots = (os.cpu_count() or 1) / resources.cpus
    if resources.gpus:
        import torch

        here = torch.cuda.device_count()
        slots = min(slots if here else math.inf, max(here, 1) * int(1 / resources.gpus))
    return min(max(int(slots), 1), resources.max_concurrent or sys.maxsize)


def _expected_cost(plan: SearchPlan) -> "ExpectedCost":
    # Optuna takes a second to import, and only a search needs it.
    from orchestrator.search.expected_cost import expected_cost

    return expected_cost(plan)


def _counts(plan: StudyPlan, states: Mapping[str, State]) -> tuple[Counter[str], Counter[str]]:
    """Return how many trials the plan has of each arm, by its id, and how many of them have a result."""
    trials, cached = Counter[str](), Counter[str]()
    for trial in plan.trials:
        trials[trial.arm.id] += 1
        cached[trial.arm.id] += states.get(trial.id, State.WAITING).is_outcome()
    return trials, cached


def _gpu_note(resources: Resources) -> tuple[str, ...]:
    """Say where a GPU is asked for and none is here, unless the environment names a cluster."""
    if not resources.gpus or os.environ.get("RAY_ADDRESS"):
        return ()
    import torch  # what is planned needs it anyhow

    if torch.cuda.is_available():
        return ()
    return (
        f"resources.gpus: {resources.gpus} is asked for, and torch finds no GPU on this machine: run it on a cluster "
        "that has some (--address), or set it to 0",
    )


def _prospects(plan: StudyPlan, on_record: Study) -> tuple[str, ...]:
    """Say for each claim what the seeds can show; without claims, what a comparison of two arms can."""
    settings = plan.analysis
    start = repeats_from(plan.settings["seeds"])
    last = plan.arms[-1].arm.id  # of a search, the confirmation: its seeds are those that are compared
    compared = {each.seed for each in plan.trials if each.arm.id == last and (start is None or each.seed < start)}
    seeds = max(settings.looks, default=len(compared))
    claims = plan.claims
    known = spreads(on_record, claims)
    ahead = prospects(claims, plan.factors, seeds, settings, spread=known)
    if ahead:
        expected = expected_verdicts(on_record, claims, settings, seeds)
        lines = [f"claim {each.claim.id}: {each.sentence} {expected.get(each.claim.id, '')}".rstrip() for each in ahead]
        cannot = [each.claim.id for each in ahead if not each.can]
        if cannot:
            names = ", ".join(cannot)
            lines.append(f"this study cannot answer its question: {counted(seeds, 'seed')} cannot settle {names}")
        return (*lines, *_early_looks(settings))
    return (_without_claims(seeds, settings, study_sd(on_record)),)


def _without_claims(seeds: int, settings: AnalysisSettings, sd: float | None) -> str:
    """Say which difference of two arms so many seeds show, or that they are too few to show one."""
    least = seeds_for_rate(0.5, settings.alpha) if settings.test == "sign" else least_seeds(settings.alpha)
    if seeds == 1:
        return f"seeds: one seed shows no difference between arms, whatever its size; ask for {least} or more"
    alpha, power = settings.alpha, settings.power
    known = [seeds, alpha, power]
    smallest = cached_fact("smallest paired difference", known, lambda: smallest_paired(seeds, alpha, power))
    if settings.test == "sign" and seeds < least:
        return f"seeds: {seeds} seeds decide nothing by signs, even if they all agree; ask for {least} or more"
    if seeds < least or smallest is None:
        return f"seeds: {few_seeds(seeds)}; ask for {least} or more"
    points = f" ({smallest * 2**0.5 * sd:.2f} points at the spread on record)" if sd else ""
    return (
        f"seeds: with {seeds} of them, two arms must differ by {smallest:.2f} SDs of their paired differences{points} "
        f"to be told apart with {power:.0%} power"
    )


def _early_looks(settings: AnalysisSettings) -> list[str]:
    """Say where looks spend a part of alpha on seeds that are too few to decide much."""
    early = [
        (look, level)
        for look, level in zip(settings.looks, settings.levels, strict=False)
        if settings.test != "sign" and too_few_for_t(look, level)
    ]
    if not early:
        return []
    look, _ = early[-1]
    spent = math.fsum(level for _, level in early)
    return [
        f"looks: {few_seeds(look)}, yet {'they spend' if len(early) > 1 else 'the look spends'} {100 * spent:.2g} % "
        f"of the {100 * settings.alpha:g} % of error: begin with {LEAST_BY_T}"
    ]
