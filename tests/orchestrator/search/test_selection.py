"""Which arms of a search are confirmed."""

from random import Random
from types import SimpleNamespace

from orchestrator.records.proposal import ANSWERED, REJECTED, TRAINED, Proposal
from orchestrator.search import selection
from orchestrator.search.score import Score, TrialHistory
from orchestrator.search.selection import pareto_front, select
from reports.trials import State

BASELINE = {"width": 0}


def selected(values, best=9, objectives=("val_error",), losses=None, statuses=None, states=None):
    """Return the numbers of the selected among arms with these values, in order; the first one is the baseline."""
    statuses, states, losses = statuses or {}, states or {}, losses or {}
    proposals = [
        Proposal(number, "sampler", statuses.get(number, TRAINED), {"width": number}, f"arm {number}")
        for number in range(len(values))
    ]
    scores = {
        f"arm {number}": Score(states.get(number, State.COMPLETE), tuple(each)) for number, each in enumerate(values)
    }
    plan = SimpleNamespace(
        start=BASELINE, search=SimpleNamespace(objectives=objectives, confirm=SimpleNamespace(best=best))
    )
    trials = {f"arm {number}": losses.get(number, [{1: 1.0}]) for number in range(len(values))}
    optimization = SimpleNamespace(proposals=proposals, scores=scores)
    chosen = select(optimization, plan, lambda arm: [TrialHistory(losses=each) for each in trials[arm]])
    return [proposal.number for proposal in chosen]


def test_the_best_arms_but_the_baseline_are_confirmed():
    assert selected([(1,), (5,), (3,), (4,)]) == [2, 3, 1]
    assert selected([(1,), (5,), (3,), (4,)], best=2) == [2, 3]


def test_only_arms_that_were_trained_and_have_an_outcome_are_confirmed():
    values = [(9,), (1,), (2,), (3,), (4,), (5,)]
    statuses = {1: ANSWERED, 2: REJECTED}
    assert selected(values, statuses=statuses, states={3: State.PRUNED, 4: State.FAILED}) == [5]


def test_with_several_objectives_the_front_comes_first():
    # The third is beaten in both by the second; the last has the least error and no rival in it.
    values = [(9, 9), (2, 50), (3, 60), (4, 10), (1, 90)]
    assert selected(values, objectives=("val_error", "params")) == [4, 1, 3, 2]
    flipped = [(params, error) for error, params in values]
    assert selected(flipped, objectives=("params", "val_error")) == [4, 1, 3, 2]


def test_two_arms_of_equal_values_do_not_beat_each_other():
    assert selected([(9, 9), (2, 50), (2, 50), (1, 60)], objectives=("val_error", "params")) == [3, 1, 2]


def test_equal_errors_are_told_apart_by_the_loss_of_the_last_epoch_then_by_who_came_first():
    losses = {
        1: [{1: 0.1, 2: 0.9}, {1: 0.1, 2: 0.7}],
        2: [{1: 0.9, 2: 0.5}, {1: 0.9, 2: 0.7}],
        3: [{1: 0.1}, {}],  # a seed whose loss is not known
        4: [{1: 0.8}, {1: 0.8}],
    }
    assert selected([(9,), (3,), (3,), (3,), (3,)], losses=losses) == [2, 1, 4, 3]


def test_the_front_is_what_nothing_beats():
    draw = Random(7)
    for objectives in (1, 2, 3):
        points = [tuple(float(draw.randrange(12)) for _ in range(objectives)) for _ in range(200)]
        beaten = {
            point
            for point in points
            for other in points
            if other != point and all(a <= b for a, b in zip(other, point, strict=True))
        }
        assert pareto_front(points) == set(points) - beaten


def test_ten_thousand_arms_with_results_are_compared_with_the_front_alone(monkeypatch):
    compared = []
    monkeypatch.setattr(selection, "all", lambda each: compared.append(1) or all(each), raising=False)
    for objectives in (1, 2):
        draw = Random(objectives)
        selection.pareto_front(tuple(draw.random() for _ in range(objectives)) for _ in range(10_000))
    assert len(compared) < 20 * 20_000  # a hundred million, were each held against every other
