"""Which trials a study trains next: what its plan still lacks, then the seeds that undecided claims ask for."""

import math
from collections.abc import Callable, Mapping, Sequence
from threading import Event as Flag

from orchestrator.records.study_plan import PlannedArm, PlannedTrial, StudyPlan
from orchestrator.scheduling.arm_facts import plan_trials, trial_cost, trial_epochs
from orchestrator.scheduling.measuring import measuring_packs
from orchestrator.scheduling.packs import BlockSource, Pack
from orchestrator.scheduling.progress import Progress
from orchestrator.storage import Store, patiently
from reports.analysis.adaptive import next_block
from reports.results import Study
from reports.trials import State
from trainers.probes import ProbeRequest
from trainers.settings.data import SPLIT_BY_SEED


class StudyBlocks:
    """Hands out the trials of a study block by block, each following from the results on record.

    The first block holds everything planned that has no result yet; FAILED trials are tried again, and those that a
    search has stopped early are trained to their end, and finished networks are measured by `probes` that were not
    asked for before. Probes that need two networks follow each block. With looks, each further block adds the seeds
    that the claims still need (`reports.analysis.adaptive`).
    """

    def __init__(
        self,
        store: Store,
        plan: StudyPlan,
        progress: Progress,
        seeds_per_pack: int = 1,
        probes: Sequence[ProbeRequest] = (),
    ) -> None:
        self._store = store
        self._plan = plan
        self._progress = progress
        self._seeds_per_pack = seeds_per_pack
        self._probes = tuple(probes)
        self._of_pairs = tuple(request for request in self._probes if request.probe.needs_partner)
        self._paired: set[str] = set()
        self._arms: Mapping[str, PlannedArm] = {each.arm.name: each for each in plan.arms}

    def begin(self) -> None:
        """Choose the first block, and record the seeds that it adds."""
        self._ready = self.first()

    def has_work(self) -> bool:
        """Whether anything is left to train."""
        return bool(self._ready)

    def source(self, recorded: Callable[[], object], slots: Callable[[], int] | None = None) -> BlockSource:
        """Return the blocks as packs; each block is chosen when the results of the one before are recorded."""

        def more() -> list[Pack]:
            recorded()
            return self.more()

        return BlockSource(self._ready, more, slots)

    def finish(self, interrupted: Flag) -> None:
        """Do nothing: what a plan shows is judged from the results."""

    def first(self) -> list[Pack]:
        """Return what is planned and has no result yet, added seeds of an earlier run included."""
        study = self._store.load_study(self._plan.name)
        waiting = []
        for trial in study.trials:
            if trial.arm not in self._arms:
                continue
            again = not trial.state.is_outcome()
            planned = self._planned(trial.arm, trial.seed)
            self._follow(planned, State.WAITING if again else trial.state)
            if again:
                waiting.append(planned)
        return [*self._packs(waiting), *self._unmeasured(study)] or self.more()

    def _unmeasured(self, study: Study) -> list[Pack]:
        """Return the finished trials that a probe has not seen, where their weights are kept."""
        asked = [trial for trial in study.trials if trial.arm in self._arms]
        packs = measuring_packs(self._store, study, asked, self._probes) if self._probes else []
        self._paired |= {trial for pack in packs if pack.partners for trial in pack.trials.values()}
        return packs

    def _pairs(self) -> list[Pack]:
        """Return the trained networks of which a probe measures two together, each once in this run."""
        if not self._of_pairs:
            return []
        study = patiently(lambda: self._store.load_study(self._plan.name))
        asked = [trial for trial in study.trials if trial.arm in self._arms]
        possible = measuring_packs(self._store, study, asked, self._of_pairs)
        packs = [pack for pack in possible if self._paired.isdisjoint(pack.trials.values())]
        self._paired |= {trial for pack in packs for trial in pack.trials.values()}
        return packs

    def more(self) -> list[Pack]:
        """Return the packs of the next block; none when every claim is decided, hopeless, or has no look left."""
        if pairs := self._pairs():
            return pairs
        settings = self._plan.analysis
        if not settings.looks:
            return []
        study = patiently(lambda: self._store.load_study(self._plan.name))
        packs = []
        # The most decisive block per hour comes first, so that an interrupted study has spent its hours best.
        for rank, block in enumerate(next_block(study, self._plan.claims, settings).blocks):
            added = [self._planned(arm, seed) for arm, seed in block.trials]
            self._extend(added)
            for planned in added:
                self._follow(planned, State.WAITING)
            packs += self._packs(added, rank)
        return packs

    def _extend(self, added: Sequence[PlannedTrial]) -> None:
        patiently(lambda: self._store.extend_plan(self._plan.name, [], added))

    def _planned(self, arm: str, seed: int) -> PlannedTrial:
        return plan_trials(self._arms[arm].arm, [seed])[0]

    def _follow(self, planned: PlannedTrial, state: State) -> None:
        arm = planned.arm
        self._progress.add(planned, state, trial_cost(arm), trial_epochs(arm))

    def _packs(self, trials: Sequence[PlannedTrial], rank: int = 0) -> list[Pack]:
        """Group trials into packs of about one size: seeds of one arm, at most `seeds_per_pack` of them."""
        by_arm: dict[str, list[PlannedTrial]] = {}
        probes = tuple(request for request in self._probes if not request.probe.needs_partner)
        for trial in trials:
            by_arm.setdefault(trial.arm.name, []).append(trial)
        packs = []
        for name, members in by_arm.items():
            cost = trial_cost(self._arms[name].arm)
            by_seed = members[0].arm.settings["data"].get(SPLIT_BY_SEED, False)
            count = len(members) if by_seed else math.ceil(len(members) / self._seeds_per_pack)
            for index in range(count):
                part = members[index * len(members) // count : (index + 1) * len(members) // count]
                seeds = {trial.seed: trial.id for trial in part}
                packs.append(Pack(part[0].arm.settings, seeds, cost * len(part), rank, part[0].fingerprint, probes))
        return packs
