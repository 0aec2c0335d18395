"""An optimization run: one sampler that proposes arms of a space, and is told what became of them."""

import hashlib
import time
import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from random import Random
from typing import Any

import optuna
from optuna.trial import TrialState

from orchestrator.records.proposal import ANSWERED, PENDING, REJECTED, TRAINED, Proposal
from orchestrator.records.study_plan import PlannedArm
from orchestrator.search.score import Score
from orchestrator.study_file.search.samplers import make_sampler
from orchestrator.study_file.search.schedulers import make_scheduler
from orchestrator.study_file.search.search_settings import SearchSettings
from orchestrator.study_file.search.space import MOST_POINTS, SEARCH, SearchSpace
from reports.trials import State
from search_spaces.arm import canonical_json
from search_spaces.errors import SettingError

PATIENCE = 12
MOST_ATTEMPTS = 400
# Among the attributes of a proposal: what the sampler noted about the whole study, for instance a population.
OF_STUDY = "of the study"

Params = Mapping[str, Any]
PlanArm = Callable[[Any], PlannedArm]
_STATES = {State.COMPLETE: TrialState.COMPLETE, State.PRUNED: TrialState.PRUNED, State.FAILED: TrialState.FAIL}


@dataclass(frozen=True)
class Step:
    """What asking once led to: the proposals made, and the arm of the last one unless the space is exhausted."""

    proposals: tuple[Proposal, ...]
    arm: PlannedArm | None


@dataclass
class OptimizationRun:
    """Proposes different arms, one after the other, as `sampler` draws them.

    Every proposal comes from a fresh sampler whose seed is a function of the search's seed and the proposal's number,
    and which knows nothing but the proposals so far. So an optimization run that is restored from its proposals goes
    on as if it had never stopped. `first` are points to begin with, each with its origin; `on_record` says whether an
    arm may be proposed at all when only recorded ones may. `trained` counts the different arms that were proposed, warm
    starts left out; `asking_seconds` is the time that the samplers took.
    """

    space: SearchSpace
    settings: SearchSettings
    sampler: Mapping[str, Any]
    role: str
    plan_arm: PlanArm
    first: Sequence[tuple[str, Params]] = ()
    on_record: Callable[[PlannedArm], bool] = lambda _: True
    proposals: list[Proposal] = field(default_factory=list)
    arms: dict[str, PlannedArm] = field(default_factory=dict)
    scores: dict[str, Score] = field(default_factory=dict)
    asking_seconds: float = 0.0

    def __post_init__(self) -> None:
        self._storage = optuna.storages.InMemoryStorage()
        with quietly():
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=self.role,
                directions=["minimize"] * len(self.settings.objectives),
                sampler=make_sampler(self.sampler, 0),
                pruner=make_scheduler(self.settings.scheduler),
            )
        self._study_id = self._storage.get_study_id_from_name(self.role)
        self._distributions = self.space.distributions()
        self._by_network: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._of_point: dict[str, Proposal] = {}
        self.trained = 0

    @property
    def open(self) -> list[PlannedArm]:
        """The arms whose score is not known yet, in the order of their proposal."""
        return [arm for key, arm in self.arms.items() if key not in self.scores]

    @property
    def is_open(self) -> bool:
        """Whether the score of any arm is not known yet."""
        return len(self.scores) < len(self.arms)

    def ask(self) -> Step:
        """Propose until an arm comes that was not proposed before."""
        with quietly():  # once for all proposals: each change of a level makes Python's logging look at every logger
            return self._until_new()

    def _until_new(self) -> Step:
        made: list[Proposal] = []
        for attempt in count():
            # A finite space ends by itself: each desperate attempt takes one of the points that are left.
            if attempt >= MOST_ATTEMPTS and self._left is None:
                break
            chosen = self._choose(desperate=attempt >= PATIENCE)
            if chosen is None:
                break
            proposal, planned = self._admitted(*chosen)
            made.append(proposal)
            self._enter(proposal, planned)
            if proposal.status == TRAINED:
                return Step(tuple(made), planned)
        return Step(tuple(made), None)

    def tell(self, arm: str, score: Score) -> None:
        """Tell the sampler what became of an arm, once."""
        if arm in self.scores:
            return
        self.scores[arm] = score
        self._tell(self._numbers[arm], score)

    def report(self, arm: str, errors: Mapping[int, float]) -> int | None:
        """Take in what is new of an arm's error by epoch; return the first epoch at which the scheduler stops the arm.

        A rung is judged against the arms that have come to it so far, stopped ones among them.
        """
        number = self._numbers[arm]
        seen = self._storage.get_trial(number).intermediate_values
        stops = []
        for epoch in sorted(errors.keys() - seen.keys()):
            self._storage.set_trial_intermediate_value(number, epoch, errors[epoch])
            if self._study.pruner.prune(self._study, self._storage.get_trial(number)):
                stops.append(epoch)
        return min(stops, default=None)

    def restore(
        self, stored: Sequence[Proposal], history: Callable[[PlannedArm], tuple[Score | None, Mapping[int, float]]]
    ) -> None:
        """Take the proposals of an earlier run in, in their order; `history` gives an arm's score and its errors."""
        for proposal in stored:
            self._recall(proposal)
            self._storage_add(proposal)
            planned = None
            if proposal.arm is not None and proposal.status == TRAINED:
                planned = self.plan_arm(self.space.arm(proposal.params, SEARCH))
            self._enter(proposal, planned)
            if planned is not None:
                score, errors = history(planned)
                if score is not None:
                    self.report(planned.arm.id, errors)
                    self.tell(planned.arm.id, score)

    def finished(self, known: Container[int] = ()) -> list[tuple[Proposal, Any]]:
        """Return the proposals that are decided, each with its Optuna trial; those that are `known` are left out."""
        return [
            (proposal, self._storage.get_trial(proposal.number))
            for proposal in self.proposals
            if proposal.number not in known and self._storage.get_trial(proposal.number).state.is_finished()
        ]

    @property
    def study(self) -> optuna.Study:
        """The Optuna study in memory."""
        return self._study

    @cached_property
    def _left(self) -> dict[str, dict[str, Any]] | None:
        """The points that were not proposed yet, in their order; None where the space is too large to list them."""
        points = self.space.points(MOST_POINTS)
        if points is None:
            return None
        by_text = {canonical_json(point): point for point in points}
        return {text: point for text, point in by_text.items() if text not in self._of_point}

    def _choose(self, *, desperate: bool) -> tuple[str, Params, Mapping[str, Any]] | None:
        """Return origin, point and the sampler's attributes of the next proposal; None when no point is left."""
        number = len(self.proposals)
        if number < len(self.first):
            origin, point = self.first[number]
            return self._asked(origin, point)
        if self.sampler["name"] == "grid" or desperate:
            origin = "grid" if self.sampler["name"] == "grid" else "random"
            fresh = self._fresh_point(number, origin)
            if fresh is None and self._left is not None:
                return None
            return self._asked(origin, fresh)
        return self._asked("sampler", None)

    def _fresh_point(self, number: int, origin: str) -> Params | None:
        if not self._left:
            return None
        left = self._left.values()
        return next(iter(left)) if origin == "grid" else Random(self._seed(number)).choice(list(left))

    def _asked(self, origin: str, point: Params | None) -> tuple[str, Params, Mapping[str, Any]]:
        """Ask Optuna for a trial, with these parameters where they are given."""
        seed = self._seed(len(self.proposals))
        spec = {"name": "random"} if origin == "random" else self.sampler
        started = time.perf_counter()
        with quietly():
            self._study.sampler = make_sampler(spec, seed)
            if point is not None:
                self._study.enqueue_trial(dict(point))
            before = self._storage.get_study_system_attrs(self._study_id)
            trial = self._study.ask()
            params = self.space.suggest(trial)
        self.asking_seconds += time.perf_counter() - started
        mine = self._storage.get_trial(trial.number).system_attrs
        kept = {key: value for key, value in mine.items() if key != "fixed_params"}
        after = self._storage.get_study_system_attrs(self._study_id)
        noted = {key: value for key, value in after.items() if key not in before}
        return origin, params, kept | ({OF_STUDY: noted} if noted else {})

    def _admitted(self, origin: str, params: Params, kept: Mapping[str, Any]) -> tuple[Proposal, PlannedArm | None]:
        proposal = Proposal(len(self.proposals), origin, TRAINED, params, attributes=kept)
        before = self._of_point.get(canonical_json(dict(params)))
        if before is not None:  # nearly a large space's every point: to plan them all again would take most of the time
            if before.status == REJECTED:
                return replace(proposal, status=REJECTED, reason=before.reason), None
            status = ANSWERED if before.arm in self.scores else PENDING
            return replace(proposal, status=status, arm=before.arm), None
        try:
            planned = self.plan_arm(self.space.arm(params, SEARCH))
        except SettingError as error:
            return replace(proposal, status=REJECTED, reason=error.message), None
        earlier = self._by_network.get(_network(planned))
        if earlier is not None:
            status = ANSWERED if earlier in self.scores else PENDING
            return replace(proposal, status=status, arm=earlier), None
        broken = [
            text
            for text, each in zip(self.settings.constraints, self.settings.conditions(), strict=True)
            if not each.holds(planned.arm, lambda _: planned)
        ]
        if broken:
            return replace(proposal, status=REJECTED, reason=f"not {broken[0]}"), None
        if not self.on_record(planned):
            return replace(proposal, status=REJECTED, reason="not on record"), None
        return replace(proposal, arm=planned.arm.id), planned

    def _enter(self, proposal: Proposal, planned: PlannedArm | None) -> None:
        """Note a proposal; the ones that train nothing are decided at once."""
        self.proposals.append(proposal)
        text = canonical_json(dict(proposal.params))
        self._of_point.setdefault(text, proposal)
        left = vars(self).get("_left")  # not listed before someone asks for it
        if left is not None:
            left.pop(text, None)
        self.trained += proposal.status == TRAINED and proposal.origin != "warm"
        if proposal.status == TRAINED and planned is not None:
            self.arms[planned.arm.id] = planned
            self._by_network[_network(planned)] = planned.arm.id
            self._numbers[planned.arm.id] = proposal.number
        elif proposal.status == ANSWERED and proposal.arm in self.scores:
            self._tell(proposal.number, self.scores[proposal.arm])
        else:
            self._tell(proposal.number, Score(State.FAILED))

    def _tell(self, number: int, score: Score) -> None:
        state = _STATES[score.state]
        with _without_warnings():
            self._study.tell(number, list(score.values) if state is TrialState.COMPLETE else None, state)

    def _storage_add(self, proposal: Proposal) -> None:
        with quietly():
            self._study.add_trial(
                optuna.trial.create_trial(
                    state=TrialState.RUNNING,
                    params=dict(proposal.params),
                    distributions={name: self._distributions[name] for name in proposal.params},
                    system_attrs={key: each for key, each in proposal.attributes.items() if key != OF_STUDY},
                )
            )

    def _recall(self, proposal: Proposal) -> None:
        """Give the study back what the sampler noted about it while it made a proposal."""
        for key, value in proposal.attributes.get(OF_STUDY, {}).items():
            self._storage.set_study_system_attr(self._study_id, key, value)

    def _seed(self, number: int) -> int:
        text = f"{self.settings.seed}:{self.role}:{number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _network(planned: PlannedArm) -> str:
    """Return what makes two arms the same: the network, the data and the training."""
    return canonical_json([planned.graph, planned.arm.settings["data"], planned.arm.settings["training"]])


@contextmanager
def quietly() -> Iterator[None]:
    """Keep Optuna's log and warnings to itself for a while; what it says is in the record of the search."""
    before = optuna.logging.get_verbosity()
    if before != optuna.logging.ERROR:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with _without_warnings():
            yield
    finally:
        if before != optuna.logging.ERROR:
            optuna.logging.set_verbosity(before)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep what Python warns of to itself for a while: cheaper than `quietly`, for what logs nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
