"""The source of packs hands out a plan in a sensible order, block after block."""

from orchestrator.records.events import TrialEnded
from orchestrator.scheduling.packs import BlockSource, Pack
from reports.trials import State


def pack(trial: str, cost: float = 1.0) -> Pack:
    return Pack({}, {0: trial}, cost)


def end(source: BlockSource, trial: str) -> None:
    source.tell(TrialEnded(trial, State.COMPLETE))


def test_the_most_expensive_pack_comes_first() -> None:
    source = BlockSource([pack("a", 1), pack("c", 3), pack("b", 2)])
    assert [source.next().id for _ in range(3)] == ["c", "b", "a"]


def test_a_lower_rank_comes_before_a_higher_cost() -> None:
    source = BlockSource([Pack({}, {0: "dear"}, 9, rank=1), Pack({}, {0: "urgent"}, 1, rank=0)])
    assert source.next().id == "urgent"


def test_a_fixed_plan_ends_when_all_is_handed_out() -> None:
    source = BlockSource([pack("a")])
    assert source.next().id == "a"
    end(source, "a")
    assert source.next() is None
    assert not source.is_waiting()


def test_an_empty_plan_has_no_pack() -> None:
    assert BlockSource([]).next() is None


def test_the_next_block_waits_until_every_trial_of_this_one_has_ended() -> None:
    blocks = [[pack("c")], []]
    source = BlockSource([pack("a"), pack("b")], lambda: blocks.pop(0))
    source.next(), source.next()
    end(source, "a")
    assert source.next() is None
    end(source, "b")
    assert source.next().id == "c"
    end(source, "c")
    assert source.next() is None


def test_a_trial_of_another_study_opens_no_block() -> None:
    source = BlockSource([pack("a")], lambda: [pack("b")])
    source.next()
    end(source, "x")
    assert source.next() is None


def test_a_pack_of_several_seeds_is_named_after_its_first_trial() -> None:
    assert Pack({}, {0: "b", 1: "a"}).id == "a-2"
