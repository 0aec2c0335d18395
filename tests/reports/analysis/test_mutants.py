"""Facts that mutants of the analysis survived: each test tells the code from its nearest wrong neighbour."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reports.analysis import factors
from reports.analysis.analysis_settings import AnalysisSettings, parse_analysis
from reports.analysis.arms import summarise
from reports.analysis.claims import parse_claims
from reports.analysis.contrasts import NOT_WIRED, choose, contrasts
from reports.analysis.effects import Student, differences, one_sided_flip_p, sign
from reports.analysis.forecast import chances, decision_probabilities, each_context
from reports.analysis.grammar import SHOWN_AROUND, _around
from reports.analysis.intervals import mean_interval, rate_interval
from reports.analysis.literature import compare
from reports.analysis.noise import noise_floor
from reports.analysis.outliers import could_undo, least_seeds, too_few_for_t, with_sign_flips
from reports.analysis.pareto import study_front
from reports.analysis.power import seeds_for_rate, smallest_paired
from reports.analysis.procedure import Procedure
from reports.analysis.prospects import Spread, prospects
from reports.analysis.published import Published
from reports.analysis.samplers import expected_least
from reports.trials import State
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of
from tests.reports.analysis.test_samplers import only
from tests.reports.searches import configuration, replayed

FACTORS = {"variant": ("plain", "preact"), "depth": (20, 110)}


@pytest.mark.parametrize(
    ("n", "alpha", "few"),
    [(2, 0.05, True), (4, 0.05, True), (4, 0.12, True), (4, 0.13, False), (3, 0.26, False), (5, 0.0001, False)],
)
def test_so_few_seeds_decide_by_t_where_half_to_their_power_is_within_the_level(n, alpha, few):
    assert too_few_for_t(n, alpha) is few


def test_a_lenient_level_takes_fewer_seeds():
    assert [least_seeds(alpha) for alpha in (0.05, 0.13, 0.26, 0.6)] == [5, 4, 3, 2]


def test_three_seeds_are_said_to_leave_room_for_outliers_in_most_seeds():
    claims = parse_claims([{"id": "x", "says": "preact < plain"}], FACTORS)
    (found,) = prospects(claims, FACTORS, 3, AnalysisSettings())
    assert "leave room for some in 63 % of all seeds: any smaller effect takes 5 seeds." in found.sentence


def test_a_refuted_any_shows_the_context_that_comes_nearest_to_it():
    noise = np.array([-0.2, -0.1, 0.0, 0.1, 0.2, 0.05])
    places = (("plain", 20, 5.0), ("preact", 20, 9.0), ("plain", 110, 5.0), ("preact", 110, 6.0))
    levels = [
        ({"variant": variant, "depth": depth}, list(base + noise * (1 if variant == "plain" else -1)))
        for variant, depth, base in places
    ]
    made = study(levels, baseline={"variant": "plain"})
    (found,) = verdicts_of(made, {"says": "preact < plain", "over": "any"})
    assert found.verdict == "Refuted"
    assert found.estimate == pytest.approx(-1.0, abs=0.2), "at depth 110, where it is least wrong"


def test_the_test_of_an_effect_may_be_chosen_and_that_of_fails_may_not():
    effect = {"id": "x", "says": "effect(plain, preact) increases with depth", "test": "sign"}
    (claim,) = parse_claims([effect], FACTORS)
    assert claim.test == "sign"


def test_along_the_way_a_better_sampler_is_ahead_of_random_search():
    study_of = replayed(configuration("tpe", gain=1.0), seeds=20)
    reference, other = study_of.search["comparison"]["configurations"]
    (found,) = only(configuration("tpe", gain=1.0))
    expected = float(np.mean(np.mean(other["best"], axis=1) - np.mean(reference["best"], axis=1)))
    assert found.along.mean == pytest.approx(expected)
    assert expected < 0
    assert found.at_end.mean == pytest.approx(
        np.mean([runs[-1] for runs in other["best"]]) - np.mean([runs[-1] for runs in reference["best"]])
    )


def test_the_place_of_an_arm_of_two_seeds_on_the_front_is_drawn_with_one_degree_of_freedom():
    made = study([({"v": "cheap"}, [5.0, 5.0]), ({"v": "dear"}, [5.2, 5.6])])
    (_, probability) = study_front(made, {"v=cheap": 1.0, "v=dear": 2.0}, draws=40_000).probability.values()
    assert probability == pytest.approx(stats.t.cdf(-2, 1), abs=0.01), "0.148, and not the 0.092 of two degrees"


def test_of_an_odd_number_of_seeds_the_last_is_in_neither_half_of_the_noise_floor():
    made = study([({"v": "old"}, [6.0, 6.2, 6.1, 6.5, 9.0])], baseline={"v": "old"})
    (found,) = noise_floor(made)
    assert (found.first, found.second) == ({0: 6.0, 1: 6.2}, {2: 6.1, 3: 6.5})


@pytest.mark.parametrize(("errors", "expected"), [([5.0], 1.0), ([5.0, 5.5], 1.25)])
def test_seeds_too_few_for_a_test_still_have_a_difference(errors, expected):
    made = study([({"v": "old"}, [4.0] * len(errors)), ({"v": "new"}, errors)], baseline={"v": "old"})
    (found,) = contrasts(made)
    assert found.estimate == pytest.approx(expected)


def test_what_a_prospect_detects_is_in_the_units_of_the_metric():
    claims = parse_claims([{"id": "x", "says": "preact < plain"}], FACTORS)
    in_sds, in_points = (
        prospects(claims, FACTORS, 8, AnalysisSettings(), spread={"x": Spread(sd, "made up")})[0].detectable
        for sd in (1.0, 3.0)
    )
    assert in_points == pytest.approx(3 * in_sds)
    contexts = len(FACTORS["depth"])
    level, power = each_context("every", contexts, 0.05, 0.8)
    assert in_sds == pytest.approx(smallest_paired(8, level, power) * 2**0.5)


def test_the_margin_that_an_equality_needs_leaves_room_for_both_of_its_tests():
    said = {"id": "x", "says": "preact == plain", "within": 1.0, "where": "depth = 20"}
    (found,) = prospects(
        parse_claims([said], FACTORS), FACTORS, 8, AnalysisSettings(), spread={"x": Spread(1.0, "made up")}
    )
    assert found.detectable == pytest.approx(smallest_paired(8, 0.05, 0.9) * 2**0.5)


@pytest.mark.parametrize(("says", "estimate"), [("preact < 7", 1.0), ("preact > 7", -1.0)])
def test_an_arm_held_against_a_number_is_as_far_from_it_as_its_mean(says, estimate):
    made = study([({"variant": "preact"}, [5.8, 6.0, 6.2, 6.1, 5.9]), ({"variant": "plain"}, [9.0] * 5)])
    (found,) = verdicts_of(made, {"says": says})
    assert found.estimate == pytest.approx(estimate)


def test_a_large_difference_that_rounding_puts_below_an_equal_margin_reaches_it():
    effect = sign(dict.fromkeys(range(3), 1e6 * (1 - 1e-12)))
    assert (effect.above(1e6), effect.below(1e6)) == (3, 0)
    assert (effect.above(1e6 + 1), effect.below(1e6 + 1)) == (0, 3)


def test_the_estimate_of_a_claim_on_fails_is_the_share_that_failed():
    made = study([({"variant": "plain"}, [5.0, None, 5.0, 5.0]), ({"variant": "preact"}, [5.0] * 4)])
    (found,) = verdicts_of(made, {"says": "plain fails"})
    assert found.estimate == 0.25


def test_an_interval_of_a_mean_holds_95_per_cent_unless_asked_for_another():
    values = [1.0, 2.0, 4.0]
    expected = stats.t.interval(0.95, 2, np.mean(values), np.std(values, ddof=1) / 3**0.5)
    assert tuple(mean_interval(values)) == pytest.approx(expected)


@pytest.mark.parametrize(("low", "fragile"), [(5.0, True), (9.8, True), (9.9, False), (15.0, False)])
def test_unseen_outliers_up_to_the_worst_reading_could_undo_the_refutation_of_an_equality(low, fragile):
    (claim,) = parse_claims([{"id": "x", "says": "preact == plain", "within": 1.0}], FACTORS)
    readings = {"preact": dict.fromkeys(range(3), 13.0), "plain": dict.fromkeys(range(3), 6.0)}
    weights = {"preact": 1.0, "plain": -1.0}
    room = (1 - 0.05 ** (1 / 3)) * (20 - 6)
    assert room == pytest.approx(8.84, abs=0.01), "what the arm that is ahead could lose"
    assert could_undo(claim, weights, readings, (low, low + 2), worst=20.0)[1] is fragile


def test_arms_that_share_no_seed_are_held_against_the_least_p_of_so_many_pairs():
    (claim,) = parse_claims([{"id": "x", "says": "preact < plain"}], FACTORS)
    assert with_sign_flips((0.001, 0.9), (True, False), 3, [], claim) == (0.125, 0.9)
    assert with_sign_flips((0.001, 0.9), (False, False), 3, [], claim) == (0.001, 0.9)


def test_a_text_of_two_hundred_characters_is_shown_whole_and_a_longer_one_in_part():
    whole = "x" * 2 * SHOWN_AROUND
    assert _around(whole, len(whole)) == whole
    assert _around(f"{whole}y", len(whole) + 1) == f"...{'x' * (SHOWN_AROUND - 1)}y"


def test_of_one_seed_no_t_test_has_chances():
    made = study([({"variant": "preact"}, [5.0, 5.5, 5.2]), ({"variant": "plain"}, [6.0, 6.1, 6.6])])
    (found,) = verdicts_of(made, {"says": "preact < plain"})
    (shown,) = found.contexts
    one = [replace(shown, effect=Student("pooled", 1, 1.0, 0.1, 4))]
    assert chances(found.claim, one, 5, 0.05) is None
    assert decision_probabilities(found.claim, one, 5, 0.05) is None
    assert decision_probabilities(found.claim, [shown], 5, 0.05) is not None


def test_by_means_too_a_residual_of_nothing_is_no_error(monkeypatch):
    monkeypatch.setattr(factors, "MOST_COLUMNS", 0)
    seeds = np.array([0.0, 1.0, 4.0])
    additive = study([({"v": "a"}, list(2.0 + seeds)), ({"v": "b"}, list(8.0 + seeds))])
    found = factors.study_anova(additive)
    assert (found.mse, found.effect("v").f, found.effect("v").squares) == (None, None, 54.0)


@pytest.mark.parametrize(
    ("plain", "note"),
    [([6.0, 6.0, 6.0], NOT_WIRED), ([6.0], "fewer than two seeds in an arm"), ([6.0, 6.0], NOT_WIRED)],
)
def test_a_welch_test_that_cannot_be_made_says_why(plain, note):
    readings = {"preact": dict(enumerate([5.0, 5.0, 5.0])), "plain": dict(enumerate(plain))}
    weights = {"preact": 1.0, "plain": -1.0}
    test = "".join(("wel", "ch"))  # as read from a file: equal to the word here, and not the same object
    assert choose(readings, weights, differences(readings, weights), Procedure(test)) == (None, note)


def test_looks_that_are_given_twice_alike_are_taken():
    assert parse_analysis({"looks": [3, 5]}, {"looks": [3, 5]}).looks == (3, 5)


@pytest.mark.parametrize(("depths", "told"), [((20, 110), " in each of 2 contexts."), ((20,), ".")])
def test_a_claim_that_holds_everywhere_says_in_how_many_contexts(depths, told):
    noise = np.array([-0.2, -0.1, 0.0, 0.1, 0.2, 0.05])
    levels = [
        ({"variant": variant, "depth": depth}, list(base + noise * (1 if variant == "plain" else -1)))
        for depth in depths
        for variant, base in (("plain", 9.0), ("preact", 5.0))
    ]
    (found,) = verdicts_of(study(levels), {"says": "preact < plain", "over": "every"})
    assert found.verdict == "Supported"
    assert f"The effect is in the claimed direction{told}" in found.sentence


def test_an_arm_without_a_result_cannot_be_ranked():
    made = study([({"v": "a"}, {0: State.WAITING, 1: State.WAITING}), ({"v": "b"}, [5.0, 5.1]), ({"v": "c"}, [5.0])])
    assert [each.is_comparable for each in summarise(made)] == [False, True, False]


@pytest.mark.parametrize(("rate", "seeds"), [(0.01, 1), (0.03, 2), (0.5, 6)])
def test_the_fewest_seeds_whose_fails_put_the_lower_bound_above_a_rate(rate, seeds):
    assert seeds_for_rate(rate, 0.05) == seeds
    assert rate_interval(seeds, seeds)[0] > rate
    assert seeds == 1 or rate_interval(seeds - 1, seeds - 1)[0] < rate


def test_at_equal_cost_a_search_is_held_against_as_many_drawn_arms_beside_the_baseline():
    record = replayed(configuration("tpe", gain=1.0), seeds=20).search["comparison"]
    _, other = record["configurations"]
    (found,) = only(configuration("tpe", gain=1.0))
    least = expected_least(record["on_record"][0], record["on_record"][1:], 29)
    assert found.random_arms == pytest.approx(30)
    assert found.at_cost.mean == pytest.approx(np.mean([runs[-1] for runs in other["best"]]) - least)


def test_a_published_mean_of_two_runs_has_a_spread():
    found = compare({0: 6.3, 1: 6.5, 2: 6.4}, Published(6.6, 0.1, 2, "mean"))
    assert (found.note, found.t) == ("mean and SD of both", pytest.approx(-0.2 / (0.01 / 3 + 0.01 / 2) ** 0.5))


def test_seeds_that_all_go_one_way_have_the_least_p_however_large_the_numbers_are():
    values = [4963480.8, 4595928.6, 6212743.899999999, 7309786.899999999]
    first, second, third, fourth = values
    assert first + second + third + fourth < math.fsum(values), "one after the other they are rounded down"
    assert one_sided_flip_p(values) == 1 / 16
