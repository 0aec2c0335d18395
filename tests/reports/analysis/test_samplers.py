"""Which sampler is worth its cost: equal time, exact chance, and a verdict for each."""

import math
from itertools import combinations
from statistics import fmean

import numpy as np
import pytest

from reports.analysis.samplers import Worth, comparison, expected_least
from tests.reports.searches import configuration, replayed

EVERY = [6.0, 9.0, 4.0, 7.0, 1.0, 5.0]


@pytest.mark.parametrize("draws", [1, 2, 3, 4, 5])
def test_the_expected_least_is_the_mean_over_every_draw_there_is(draws):
    least = [min(EVERY[0], *drawn) for drawn in combinations(EVERY[1:], draws)]
    assert expected_least(EVERY[0], EVERY[1:], draws) == pytest.approx(fmean(least))


@pytest.mark.parametrize(("draws", "expected"), [(0, 6.0), (-1, 6.0), (5, 1.0), (99, 1.0)])
def test_without_draws_the_first_is_left_and_with_all_of_them_the_least(draws, expected):
    assert expected_least(EVERY[0], EVERY[1:], draws) == expected


def test_between_whole_draws_lies_a_straight_line():
    ends = [expected_least(EVERY[0], EVERY[1:], draws) for draws in (2, 3)]
    assert expected_least(EVERY[0], EVERY[1:], 2.25) == pytest.approx(0.75 * ends[0] + 0.25 * ends[1])


def test_where_nothing_else_is_on_record_the_first_is_the_least():
    assert expected_least(2.0, [], 3) == 2.0


def test_random_search_drawn_at_random_meets_its_expectation():
    chance = np.random.default_rng(3)
    ends = [min(chance.choice(EVERY[1:], 2, replace=False).tolist() + EVERY[:1]) for _ in range(20_000)]
    assert np.mean(ends) == pytest.approx(expected_least(EVERY[0], EVERY[1:], 2), abs=0.05)


def only(*others, seeds=20):
    return comparison(replayed(*others, seeds=seeds)).contests


def test_what_ends_lower_in_the_same_time_is_worth_its_cost():
    (found,) = only(configuration("tpe", gain=1.0))
    assert found.worth is Worth.YES
    assert found.at_end.high < 0
    assert found.at_cost.high < 0
    assert found.p < 0.001
    assert found.random_arms == pytest.approx(30)


def test_what_ends_no_lower_in_far_more_time_is_not():
    (found,) = only(configuration("gp", gain=0.0, proposing=3000.0))
    assert found.at_end.low < 0 < found.at_end.high
    assert found.random_arms > 100
    assert found.worth is Worth.NO


def test_what_ends_as_random_search_does_is_not_decided():
    (found,) = only(configuration("nsga2", gain=0.0))
    assert found.worth is Worth.OPEN
    assert found.at_cost.low < 0 < found.at_cost.high


def test_a_scheduler_that_gives_arms_up_is_compared_with_fewer_random_arms():
    (found,) = only(configuration("random, asha", gain=0.0, training=100.0, stops=True))
    assert found.stops
    assert found.random_arms == pytest.approx(10, rel=0.01)


def test_p_is_adjusted_for_all_that_are_compared():
    alone = only(configuration("tpe", gain=0.4))[0].p
    among = only(configuration("tpe", gain=0.4), *(configuration(f"none-{at}", gain=0.0) for at in range(4)))[0].p
    assert among == pytest.approx(5 * alone)


def test_a_sampler_that_draws_nothing_was_seen_once_and_decides_nothing():
    (found,) = only(configuration("grid", gain=None))
    assert (found.at_cost.low, found.p, found.worth) == (None, None, Worth.OPEN)


def ending_alike(end, seeds):
    """Return a comparison whose one configuration ends at `end` in every seed, each on a way of its own."""
    study = replayed(configuration("tpe", gain=0.0), seeds=seeds)
    record = study.search["comparison"]
    every = record["on_record"]
    for best in record["configurations"][1]["best"]:
        best[-1] = sorted(every)[end]
    return every, comparison(study).contests[0]


def test_where_every_seed_finds_the_best_arm_p_is_the_chance_of_random_search():
    every, found = ending_alike(0, seeds=5)
    assert found.at_cost.low is None
    assert found.p == pytest.approx(2 * (29 / (len(every) - 1)) ** 5)
    assert found.worth is Worth.YES


def test_where_every_seed_ends_at_a_bad_arm_p_is_the_chance_of_random_search():
    every, found = ending_alike(40, seeds=5)
    better, others = 40, len(every) - 1
    missed = math.comb(others - better, 29) / math.comb(others, 29)
    assert found.p == pytest.approx(2 * missed**5)
    assert found.worth is Worth.NO


def test_the_band_is_students_over_the_seeds():
    study = replayed(configuration("tpe", gain=1.0), seeds=4)
    ends = [best[-1] for best in study.search["comparison"]["configurations"][1]["best"]]
    low, high = comparison(study).contests[0].band[-1]
    half = 3.182446 * np.std(ends, ddof=1) / math.sqrt(4)
    assert (low, high) == pytest.approx((np.mean(ends) - half, np.mean(ends) + half))


def test_each_p_stays_with_its_own_contender():
    made = replayed(*(configuration(name, gain=gain) for name, gain in (("a", 1.0), ("b", None), ("c", 0.0))))
    first, constant, last = comparison(made).contests
    assert first.p < 0.001
    assert constant.p is None
    assert last.p > 0.05


def test_a_search_that_was_not_replayed_has_no_comparison():
    assert comparison(replayed()) is None


def test_no_band_lies_above_the_baseline_that_every_search_begins_with():
    record = configuration("late", gain=0.0)
    whole = replayed(record, seeds=3)
    late = whole.search["comparison"]["configurations"][1]
    late["best"] = [[6.0, 6.0, 2.5], [6.0, 6.0, 6.0], [6.0, 3.0, 2.0]]
    whole.search["comparison"]["configurations"][0]["best"] = [[6.0, 5.0, 4.0]] * 3
    (found,) = comparison(whole).contests
    assert found.band[0] == (6.0, 6.0)
    assert [high for _, high in found.band[1:]] == [6.0, 6.0]
    assert all(low <= mean for (low, _), mean in zip(found.band, found.curve, strict=True))
