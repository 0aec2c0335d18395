"""The source of a search: what its sampler proposes, then the control, then the confirmation of the best arms."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.records.events import Event, TrialEnded
from orchestrator.records.study_plan import PlannedArm, PlannedTrial
from orchestrator.scheduling.arm_facts import data_info, plan_arm, plan_trials, trial_cost
from orchestrator.scheduling.packs import Pack
from orchestrator.search.ledger import Ledger
from orchestrator.search.optimization import OptimizationRun
from orchestrator.search.score import Score, TrialHistory, curve, score
from orchestrator.search.search_plan import SearchPlan
from orchestrator.search.selection import select
from orchestrator.study_file.search.space import CONFIRM, SEARCH, STAGE
from reports.trials import State
from search_spaces.arm import Arm
from search_spaces.errors import SettingError

ROLES = (SEARCH, "control")

Follow = Callable[[PlannedArm, PlannedTrial, State], None]


class SearchSource:
    """Answers "what next" for a search.

    The sampler's arms come first; a random-search control of the same size fills workers that would wait; when every
    score is known, the best arms and the baseline are trained again on the whole training set. `follow` hears of each
    trial that the study gains, `decided` is called with an optimization run whenever one of its arms has its score.
    Only arms that are `on_record` are proposed, which a replay needs.
    """

    def __init__(
        self,
        plan: SearchPlan,
        ledger: Ledger,
        follow: Follow = lambda arm, trial, state: None,
        decided: Callable[[OptimizationRun], None] = lambda optimization: None,
        on_record: Callable[[Iterable[str]], bool] = lambda trials: True,
        planned_arms: dict[str, PlannedArm] | None = None,
    ) -> None:
        self.plan = plan
        self._ledger = ledger
        self._follow = follow
        self._decided = decided
        self._on_record = on_record
        self._planned = {} if planned_arms is None else planned_arms
        self._known: dict[str, TrialHistory] = {}
        self._trials: dict[str, tuple[PlannedTrial, ...]] = {}
        self._arm_of: dict[str, str] = {}
        self._waiting: list[Pack] = []
        self._in_flight: set[str] = set()
        self._exhausted: set[str] = set()
        self.confirmed: tuple[str, ...] | None = None
        roles = ROLES if plan.search.control else ROLES[:1]
        self.optimizations = {role: self._optimization(role) for role in roles}
        for role, optimization in self.optimizations.items():
            optimization.restore(ledger.proposals(plan.optimization(role)), self._history)
            self._waiting += [pack for arm in optimization.open for pack in self._packs(arm, plan.search_seeds)]

    def next(self) -> Pack | None:
        """Return the next pack; None while every arm that could be proposed is in training."""
        while not self._waiting:
            optimization = next((each for each in self.optimizations.values() if self._wants_more(each)), None)
            if optimization is not None:
                self._propose(optimization)
            elif self.confirmed is not None or any(each.is_open for each in self.optimizations.values()):
                return None
            else:
                self._begin_confirmation()
        return self._waiting.pop(0)

    def begin(self) -> None:
        """Choose what is trained first; proposals that need no training are recorded on the way."""
        pack = self.next()
        if pack is not None:
            self._waiting.insert(0, pack)

    def has_work(self) -> bool:
        """Whether anything is left to train, once the search has begun."""
        return bool(self._waiting)

    def is_waiting(self) -> bool:
        """Return False: what comes next follows from what is trained here."""
        return False

    def tell(self, event: Event) -> None:
        """Learn from an epoch, and from the end of the last trial of an arm."""
        if event.trial is None or event.trial not in self._known:
            return
        self._known[event.trial].update(event)
        arm = self._arm_of[event.trial]
        if isinstance(event, TrialEnded):
            self._in_flight.discard(event.trial)
            self._decide(arm)

    def stopped(self, pack: Pack) -> list[Event]:
        """Return the ends of a pack's trials when the scheduler gives its arm up; nothing while it goes on.

        To be asked after every report of the pack, when each of its seeds has had its say.
        """
        arm = self._arm_of.get(next(iter(pack.trials.values())))
        going = [trial for trial in pack.trials.values() if not self._known[trial].state.is_finished()]
        reason = self._reason_to_stop(arm) if arm is not None and going else None
        if reason is None:
            return []
        newest = max(self._known[trial].last_epoch for trial in going)
        return [self._known[trial].stopped(trial, newest, reason) for trial in going]

    def trials_of(self, arm: str) -> list[TrialHistory]:
        """Return what is known of the trials of an arm."""
        return [self._known[trial.id] for trial in self._trials[arm]]

    def _optimization(self, role: str) -> OptimizationRun:
        first: list[tuple[str, Mapping[str, Any]]] = [("baseline", self.plan.start)]
        if role == SEARCH and self.plan.search.warm_start:
            first += [("warm", point) for point in self._warm_points()]
        return OptimizationRun(
            space=self.plan.space,
            settings=self.plan.search,
            sampler=self.plan.search.sampler if role == SEARCH else {"name": "random"},
            role=role,
            plan_arm=self._plan_arm,
            first=first,
            on_record=self._is_on_record,
        )

    def _warm_points(self) -> list[Mapping[str, Any]]:
        """Return the points of the space that were trained before this optimization began, in any study."""
        own = self._ledger.proposals(self.plan.optimization(SEARCH))
        points: list[Mapping[str, Any]] = []
        passed = [self.plan.start, *(each.params for each in own if each.origin not in ("baseline", "warm"))]
        for key, levels in self._ledger.arms_with([STAGE, *(axis.name for axis in self.plan.space.axes)]):
            try:
                point = self.plan.space.point(levels)
                is_same = levels[STAGE] == SEARCH and self.plan.space.arm(point, SEARCH).id == key
                if is_same and point not in points and point not in passed:
                    points.append(point)
            except SettingError:
                continue
        return points

    def _plan_arm(self, arm: Arm) -> PlannedArm:
        """Plan an arm once: building its network takes longer than everything else here."""
        if arm.id not in self._planned:
            self._planned[arm.id] = plan_arm(arm)
        return replace(self._planned[arm.id], arm=arm)

    def _is_on_record(self, planned: PlannedArm) -> bool:
        return self._on_record(trial.id for trial in plan_trials(planned.arm, self.plan.search_seeds))

    def _wants_more(self, optimization: OptimizationRun) -> bool:
        return optimization.role not in self._exhausted and optimization.trained < self.plan.search.arms

    def _propose(self, optimization: OptimizationRun) -> None:
        step = optimization.ask()
        if step.arm is None:
            self._exhausted.add(optimization.role)
            self._ledger.record(self.plan.optimization(optimization.role), step.proposals, (), ())
            return
        trials = plan_trials(step.arm.arm, self.plan.search_seeds)
        self._ledger.record(self.plan.optimization(optimization.role), step.proposals, (step.arm,), trials)
        self._waiting += self._packs(step.arm, self.plan.search_seeds)
        self._decide(step.arm.arm.id)

    def _begin_confirmation(self) -> None:
        """Plan the best arms once more, on the whole training set and with fresh seeds."""
        chosen = select(self.optimizations[SEARCH], self.plan, self.trials_of)
        points = [self.plan.start, *(proposal.params for proposal in chosen)]
        arms = [self._plan_arm(self.plan.space.arm(point, CONFIRM)) for point in points]
        wanted = {arm.arm.id: plan_trials(arm.arm, self.plan.fresh_seeds) for arm in arms}
        kept = [arm for arm in arms if self._on_record(trial.id for trial in wanted[arm.arm.id])]
        every = [trial for arm in kept for trial in wanted[arm.arm.id]]
        self._ledger.record(self.plan.optimization(SEARCH), (), kept, every)
        self.confirmed = tuple(arm.arm.name for arm in kept)
        for arm in kept:
            self._waiting += self._packs(arm, self.plan.fresh_seeds)

    def _packs(self, planned: PlannedArm, seeds: Sequence[int]) -> list[Pack]:
        """Return the pack of an arm's trials that have no result and are not in training already, if any."""
        key = planned.arm.id
        if key not in self._trials:
            self._enter(planned, seeds)
        missing = {
            trial.seed: trial.id
            for trial in self._trials[key]
            if not self._known[trial.id].is_answer and trial.id not in self._in_flight
        }
        if not missing:
            return []
        self._in_flight |= set(missing.values())
        cost, fingerprint = trial_cost(planned.arm) * len(missing), data_info(planned.arm).fingerprint
        return [Pack(planned.arm.settings, missing, cost, fingerprint=fingerprint)]

    def _enter(self, planned: PlannedArm, seeds: Sequence[int]) -> None:
        """Begin to follow an arm, with what is on record of its trials."""
        trials = plan_trials(planned.arm, seeds)
        histories = self._ledger.known(trial.id for trial in trials)
        self._trials[planned.arm.id] = trials
        for trial in trials:
            self._known[trial.id] = known = self._answer(histories.get(trial.id, TrialHistory()))
            self._arm_of[trial.id] = planned.arm.id
            self._follow(planned, trial, known.state if known.is_answer else State.WAITING)

    def _answer(self, known: TrialHistory) -> TrialHistory:
        """Return what is known of a trial as this search takes it: one that stops nothing early asks for a result."""
        stops = self.plan.search.scheduler["name"] != "none"
        return TrialHistory() if known.state is State.PRUNED and not stops else known

    def _history(self, planned: PlannedArm) -> tuple[Score | None, Mapping[int, float]]:
        """Return the score of an arm of an earlier run, None without one, and its errors by epoch."""
        if planned.arm.id not in self._trials:
            self._enter(planned, self.plan.search_seeds)
        trials = self.trials_of(planned.arm.id)
        if not all(trial.is_answer for trial in trials):
            return None, {}
        return score(planned, trials, self.plan.search), curve(trials, self.plan.search.penalty)

    def _reason_to_stop(self, arm: str) -> str | None:
        """Return why an arm is to be stopped now; None while it may go on."""
        if any(trial.state is State.PRUNED for trial in self.trials_of(arm)):
            return "another seed of this arm was stopped"
        return self._report(arm)

    def _report(self, arm: str) -> str | None:
        """Let the schedulers see what they have not seen of an arm; return why one of them stops it, if one does."""
        errors = curve(self.trials_of(arm), self.plan.search.penalty)
        waiting = [each for each in self.optimizations.values() if arm in each.arms and arm not in each.scores]
        stops = [epoch for optimization in waiting if (epoch := optimization.report(arm, errors)) is not None]
        if not stops:
            return None
        name, epoch = self.plan.search.scheduler["name"], min(stops)
        return f"stopped by {name} at epoch {epoch} with {errors[epoch]:.2f} % validation error"

    def _decide(self, arm: str) -> None:
        """Tell the samplers about an arm all of whose trials have ended."""
        trials = self.trials_of(arm)
        if not all(trial.state.is_finished() for trial in trials) or self._in_flight & {
            trial.id for trial in self._trials[arm]
        }:
            return
        self._report(arm)
        for optimization in self.optimizations.values():
            if arm in optimization.arms and arm not in optimization.scores:
                optimization.tell(arm, score(optimization.arms[arm], trials, self.plan.search))
                self._decided(optimization)
