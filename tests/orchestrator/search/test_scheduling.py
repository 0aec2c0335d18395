"""Arms that are stopped early: judged at the rungs they come to, in whatever order, and all seeds of an arm alike."""

import random
from collections import defaultdict
from dataclasses import dataclass, field

import optuna
import pytest

from orchestrator.records.events import AttemptStarted, Notice, TrialEnded
from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.score import TrialHistory
from orchestrator.search.source import SearchSource
from reports.trials import State
from tests.orchestrator.search.conftest import plan_of, tell_epoch

EPOCHS = 9


@dataclass(frozen=True)
class OnRecord(MemoryLedger):
    """Remembers trials too, as the results DB does."""

    trials: dict[str, TrialHistory] = field(default_factory=dict)

    def known(self, trials):
        return {trial: self.trials[trial] for trial in trials if trial in self.trials}


def source_of(planned_arms, scheduler, arms=27, ledger=None, **search):
    search = {"arms": arms, "sampler": "random", "scheduler": scheduler, "confirm": {"best": 1, "seeds": 1}, **search}
    factors = {"training.lr": {"low": 0.01, "high": 0.5, "log": True}}
    plan = plan_of(factors=factors, search=search, training={"recipe": "quick", "epochs": EPOCHS})
    return SearchSource(plan, ledger or MemoryLedger(), planned_arms=planned_arms)


def begin(source):
    pack = source.next()
    for trial in pack.trials.values():
        source.tell(AttemptStarted(trial, "cpu", "here", {}))
    return pack


def report(source, pack, epoch, errors):
    """Tell an epoch of the pack, None for a seed that has diverged; return the ends that follow, told as well."""
    for trial, error in zip(pack.trials.values(), errors, strict=True):
        if error is not None:
            tell_epoch(source, trial, epoch, error)
    ends = source.stopped(pack)
    for end in ends:
        source.tell(end)
    return ends


def finish(source, pack, state=State.COMPLETE):
    for trial in pack.trials.values():
        source.tell(TrialEnded(trial, state, seconds=1.0))


def arm_of(source, pack):
    return source._arm_of[next(iter(pack.trials.values()))]


@pytest.mark.parametrize("seeds", [1, 2])
def test_asha_keeps_the_best_third_of_the_arms_that_came_to_a_rung(planned_arms, seeds):
    """Twenty-seven arms, six at a time and in a random order, against the rule of Li et al. (2020) written out."""
    source = source_of(planned_arms, {"name": "asha", "first_rung": 1, "factor": 3}, seeds_per_arm=seeds)
    chance = random.Random(3)
    rungs = defaultdict(list)
    running, begun, stopped = {}, 0, 0
    while begun < 27 or running:
        while begun < 27 and len(running) < 6:
            pack = begin(source)
            running[begun] = (pack, 0, chance.uniform(5, 50))
            begun += 1
        key = chance.choice(sorted(running))
        pack, epoch, level = running.pop(key)
        epoch += 1
        errors = [level + chance.uniform(-3, 3) for _ in pack.trials]
        ends = report(source, pack, epoch, errors)
        expected = False
        if epoch in (1, 3, 9):
            mean = sum(errors) / seeds
            rungs[epoch].append(mean)
            expected = mean > sorted(rungs[epoch])[max(len(rungs[epoch]) // 3 - 1, 0)]
        assert [end.state for end in ends] == ([State.PRUNED] * seeds if expected else []), (epoch, errors)
        stopped += bool(ends)
        if not ends and epoch == EPOCHS:
            finish(source, pack)
        elif not ends:
            running[key] = (pack, epoch, level)
    assert 27 > stopped > 18
    assert len(rungs[1]) == 27


def test_an_arm_that_has_not_come_to_a_rung_does_not_count_there(planned_arms):
    source = source_of(planned_arms, {"name": "asha", "first_rung": 3, "factor": 3})
    slow, fast = begin(source), begin(source)
    assert not report(source, slow, 1, [1.0])
    assert not report(source, slow, 2, [1.0])
    for epoch in (1, 2, 3):
        assert not report(source, fast, epoch, [50.0])
    assert not report(source, slow, 3, [1.0])


def test_no_arm_is_stopped_before_all_its_seeds_have_come_to_the_rung(planned_arms):
    source = source_of(planned_arms, {"name": "asha", "factor": 2}, seeds_per_arm=2)
    first, second = begin(source), begin(source)
    assert not report(source, first, 1, [10.0, 10.0])
    one, other = second.trials.values()
    tell_epoch(source, one, 1, 90.0)
    assert not source.optimizations["search"].study.trials[1].intermediate_values
    tell_epoch(source, other, 1, 90.0)
    assert [end.trial for end in source.stopped(second)] == [one, other]


def test_a_seed_that_diverged_counts_as_the_penalty_at_the_next_rung(planned_arms):
    source = source_of(planned_arms, {"name": "asha", "first_rung": 2, "factor": 2}, seeds_per_arm=2, penalty=90)
    good, torn = begin(source), begin(source)
    for pack, last in ((good, 20.0), (torn, None)):
        report(source, pack, 1, [20.0, 20.0])
        ends = report(source, pack, 2, [20.0, last])
    assert [(end.state, end.diverged_at) for end in ends] == [(State.PRUNED, None), (State.DIVERGED, 2)]
    trial = source.optimizations["search"].study.trials[1]
    assert trial.intermediate_values == {1: 20.0, 2: 55.0}
    assert trial.state is optuna.trial.TrialState.PRUNED


def test_an_arm_all_of_whose_seeds_diverge_stands_at_the_rung_with_the_penalty(planned_arms):
    source = source_of(planned_arms, {"name": "asha", "factor": 2}, penalty=90)
    pack = begin(source)
    finish(source, pack, State.DIVERGED)
    optimization = source.optimizations["search"]
    trial = optimization.study.trials[0]
    assert (trial.intermediate_values, trial.values) == ({1: 90.0}, [90.0])
    assert trial.system_attrs["completed_rung_0"] == 90.0
    # And it is beaten by any arm that trains.
    assert not report(source, begin(source), 1, [89.0])


def test_a_seed_that_is_trained_beside_one_on_record_is_judged_where_it_stands(planned_arms):
    """A run that was killed between the ends of two seeds has one of them on record with all its epochs."""
    source = source_of(planned_arms, {"name": "asha", "factor": 2}, seeds_per_arm=2)
    begin(source)
    pack = begin(source)
    done, open_still = pack.trials.values()
    for epoch in range(1, EPOCHS + 1):
        tell_epoch(source, done, epoch, 30.0)
    source._known[done].state = State.COMPLETE
    source._in_flight.discard(done)
    tell_epoch(source, open_still, 1, 20.0)
    assert source.stopped(pack) == []
    assert source.optimizations["search"].study.trials[1].intermediate_values == {1: 25.0}


def test_the_other_seeds_of_an_arm_that_was_stopped_before_are_stopped_too(planned_arms):
    source = source_of(planned_arms, "none", seeds_per_arm=2)
    pack = begin(source)
    stopped, going = pack.trials.values()
    tell_epoch(source, stopped, 1, 30.0)
    source.tell(TrialEnded(stopped, State.PRUNED))
    tell_epoch(source, going, 1, 30.0)
    (end,) = source.stopped(pack)
    assert (end.trial, end.state) == (going, State.PRUNED)


@pytest.mark.parametrize(("scheduler", "expected"), [("none", True), ("median", False)])
def test_what_another_search_stopped_is_trained_by_one_that_stops_nothing(planned_arms, scheduler, expected):
    (trial,) = begin(source_of(planned_arms, "none")).trials.values()
    ledger = OnRecord(trials={trial: TrialHistory(State.PRUNED, errors={1: 30.0})})
    source = source_of(planned_arms, scheduler, ledger=ledger)
    trained = {trial for _ in range(3) for trial in begin(source).trials.values()}
    assert (trial in trained) is expected


def test_a_search_that_is_taken_up_again_has_the_rungs_that_it_had(planned_arms):
    ledger = MemoryLedger()
    scheduler = {"name": "asha", "factor": 2}
    first = source_of(planned_arms, scheduler, arms=6, ledger=ledger, seeds_per_arm=2)
    levels = iter([30.0, 20.0, None, 40.0, 10.0, 25.0])
    for level in levels:
        pack = begin(first)
        for epoch in range(1, EPOCHS + 1):
            if level is None:
                finish(first, pack, State.DIVERGED)
                break
            if report(first, pack, epoch, [level, level + 2]):
                break
        else:
            finish(first, pack)
    again = source_of(planned_arms, scheduler, arms=6, ledger=OnRecord(ledger.made, first._known), seeds_per_arm=2)
    pairs = zip(first.optimizations["search"].study.trials, again.optimizations["search"].study.trials, strict=True)
    for before, after in pairs:
        assert (after.state, after.values) == (before.state, before.values)
        assert after.intermediate_values == before.intermediate_values
        rungs = [{key: each for key, each in trial.system_attrs.items() if "rung" in key} for trial in (before, after)]
        assert rungs[0] == rungs[1]


def test_what_is_told_of_other_trials_and_of_none_is_no_news_to_a_search(planned_arms):
    source = source_of(planned_arms, "asha", arms=2)
    begin(source)
    before = {trial: (known.state, dict(known.errors)) for trial, known in source._known.items()}
    source.tell(Notice("a node was lost"))
    source.tell(AttemptStarted("of another study", "cpu", "here", {}))
    tell_epoch(source, "of another study", 1, 50.0)
    source.tell(TrialEnded("of another study", State.COMPLETE, seconds=1.0))
    assert {trial: (known.state, dict(known.errors)) for trial, known in source._known.items()} == before
