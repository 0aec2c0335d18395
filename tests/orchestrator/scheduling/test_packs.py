"""The source of packs hands out a plan in a sensible order, block after block."""

import pytest

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


def seeds(name: str, count: int, cost: float) -> Pack:
    return Pack({}, {seed: f"{name}{seed}" for seed in range(count)}, cost)


def test_a_pack_that_would_outlast_its_fair_share_is_handed_out_in_parts() -> None:
    source = BlockSource([seeds("a", 4, 40.0)], slots=lambda: 4)
    handed_out = [source.next() for _ in range(4)]
    assert sorted(pack.id for pack in handed_out) == ["a0", "a1", "a2", "a3"]
    assert [pack.cost for pack in handed_out] == [10.0] * 4
    assert source.next() is None


def test_a_pack_within_its_fair_share_stays_whole() -> None:
    source = BlockSource([seeds(name, 4, 4.0) for name in "abcdef"], slots=lambda: 2)
    assert [len(source.next().trials) for _ in range(6)] == [4, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("slots", [2, 3, 8, 100])
def test_packs_of_equal_length_one_for_each_slot_stay_whole(slots: int) -> None:
    source = BlockSource([seeds(f"{index}-", 4, 0.1) for index in range(slots)], slots=lambda: slots)
    assert [len(source.next().trials) for _ in range(slots)] == [4] * slots


def test_only_a_little_more_than_a_fair_share_is_too_much_in_every_block() -> None:
    def block(name: str) -> list[Pack]:
        return [seeds(name, 2, 3.0), seeds(f"{name}-one-", 1, 1.8)]  # 2 and 1.8 of work: 1.9 for each of two slots

    blocks = [block("b"), []]
    source = BlockSource(block("a"), lambda: blocks.pop(0), slots=lambda: 2)
    for name in "ab":
        packs = [source.next() for _ in range(3)]
        assert [pack.id for pack in packs] == [f"{name}-one-0", f"{name}1", f"{name}0"]
        for pack in packs:
            end(source, pack.id)
    assert source.next() is None


def test_what_has_ended_is_no_part_of_a_fair_share() -> None:
    source = BlockSource([seeds(name, 4, 4.0) for name in "ab"], slots=lambda: 2)
    for trial in source.next().trials.values():
        end(source, trial)
    assert len(source.next().trials) == 2


def test_parts_wait_for_packs_that_take_longer() -> None:
    source = BlockSource([seeds("a", 2, 60.0), seeds("b", 1, 39.0)], slots=lambda: 3)
    assert [source.next().id for _ in range(3)] == ["b0", "a1", "a0"]


def test_of_two_packs_of_equal_cost_the_one_with_fewer_seeds_takes_longer() -> None:
    source = BlockSource([seeds("a", 1, 10.0), seeds("b", 2, 11.0)])
    assert [source.next().id for _ in range(2)] == ["a0", "b0-2"]


def test_without_a_number_of_slots_packs_stay_whole() -> None:
    source = BlockSource([seeds("a", 4, 40.0)])
    assert source.next().id == "a0-4"


def test_a_part_of_a_pack_costs_its_share() -> None:
    part = seeds("a", 4, 40.0).part({"a1", "a2", "a3"})
    assert (part.trials, part.cost) == ({1: "a1", 2: "a2", 3: "a3"}, 30.0)


def test_a_pack_without_a_graph_is_the_same_but_for_that() -> None:
    whole = Pack({"network": {"depth": 8}, "training": {"epochs": 2, "cuda_graph": "auto"}}, {0: "a", 1: "b"}, 3.0)
    assert whole.without_graph() == Pack(
        {"network": {"depth": 8}, "training": {"epochs": 2, "cuda_graph": "never"}}, {0: "a", 1: "b"}, 3.0
    )
    assert whole.settings["training"]["cuda_graph"] == "auto"


def test_halves_share_trials_and_cost() -> None:
    one, other = Pack({}, {0: "a", 1: "b", 2: "c"}, 6.0).halves()
    assert (one.trials, one.cost) == ({0: "a", 1: "b"}, 4.0)
    assert (other.trials, other.cost) == ({2: "c"}, 2.0)


def test_each_further_seed_takes_a_third_of_the_first() -> None:
    assert Pack({}, {0: "a"}, 6.0).work == 6.0
    assert Pack({}, {0: "a", 1: "b", 2: "c"}, 18.0).work == pytest.approx(10.0)
