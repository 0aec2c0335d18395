"""Which arms of a search are confirmed: the best ones on the validation split, by what the search saw of them."""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from orchestrator.records.proposal import TRAINED, Proposal
from orchestrator.search.optimization import OptimizationRun
from orchestrator.search.score import TrialHistory
from orchestrator.search.search_plan import SearchPlan
from reports.trials import State


def select(
    optimization: OptimizationRun, plan: SearchPlan, trials_of: Callable[[str], Sequence[TrialHistory]]
) -> list[Proposal]:
    """Return the best proposals, the baseline left out; with several objectives those of the Pareto front come first.

    Equal validation errors are told apart by the validation loss, then by who came first.
    """
    candidates = [
        proposal
        for proposal in optimization.proposals
        if proposal.status == TRAINED
        and proposal.arm is not None
        and proposal.params != plan.start
        and optimization.scores[proposal.arm].state is State.COMPLETE
    ]
    scores = {arm: score for arm, score in optimization.scores.items() if score.state is State.COMPLETE}
    front = pareto_front(score.values for score in scores.values())
    error = plan.search.objectives.index("val_error")

    def place(proposal: Proposal) -> tuple[bool, float, float, int]:
        assert proposal.arm is not None
        mine = scores[proposal.arm]
        return mine.values not in front, mine.values[error], _loss(trials_of(proposal.arm)), proposal.number

    return sorted(candidates, key=place)[: plan.search.confirm.best]


def pareto_front(points: Iterable[tuple[float, ...]]) -> frozenset[tuple[float, ...]]:
    """Return the points that no other one beats, by being no larger anywhere and smaller somewhere.

    Each is held against the front alone: in lexicographic order whatever beats a point comes before it.
    """
    front: list[tuple[float, ...]] = []
    for point in sorted(set(points)):
        if not any(all(a <= b for a, b in zip(other, point, strict=True)) for other in front):
            front.append(point)
    return frozenset(front)


def _loss(trials: Sequence[TrialHistory]) -> float:
    losses = [trial.losses[max(trial.losses)] if trial.losses else None for trial in trials]
    known = [loss for loss in losses if loss is not None]
    return fmean(known) if len(known) == len(losses) else float("inf")
