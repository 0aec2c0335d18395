"""Curves, fronts, the literature, rates, the noise floor, the bootstrap and the prospects: their edges."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reports.analysis import literature
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import parse_claims
from reports.analysis.curves import band
from reports.analysis.literature import compare, published_row
from reports.analysis.looks import alpha_spending, e_value
from reports.analysis.noise import machine_check, noise_floor
from reports.analysis.pareto import on_front, pareto, study_front
from reports.analysis.prospects import Spread, prospects, study_spread
from reports.analysis.published import Published, parse_statistic
from reports.analysis.rates import fisher_p
from reports.trials import Epoch
from tests.reports.analysis.build import study

RNG = np.random.default_rng(8)


def with_curves(curves, states=()):
    made = study([({"depth": 20}, [5.0 if seed not in states else None for seed in range(len(curves))])])
    trials = tuple(
        replace(
            trial, curve=tuple(Epoch(place + 1, 1.0, value, None, value, 0.1, 1.0) for place, value in enumerate(curve))
        )
        for trial, curve in zip(made.trials, curves, strict=True)
    )
    return replace(made, trials=trials)


def test_a_band_of_few_seeds_is_their_range():
    made = with_curves([[9.0, 5.0], [8.0, 4.0], [10.0, 3.0]])
    found = band(made, made.arms[0])
    assert (found.kind, found.low, found.high, found.n) == ("range", (8.0, 3.0), (10.0, 5.0), (3, 3))


def test_a_band_of_five_seeds_is_their_range_and_of_six_an_interval():
    for count, kind in ((5, "range"), (6, "pointwise")):
        made = with_curves([[5.0 + seed / 10] for seed in range(count)])
        assert band(made, made.arms[0]).kind == kind


def test_a_band_of_many_seeds_is_students_interval():
    made = with_curves([[value] for value in (5.0, 5.2, 5.1, 4.9, 5.3, 5.0)])
    found = band(made, made.arms[0])
    assert found.kind == "pointwise"
    assert found.low[0] == pytest.approx(stats.t.interval(0.95, 5, 5 + 1 / 12, 0.147196 / math.sqrt(6))[0], abs=1e-3)


def test_a_seed_that_diverged_leaves_the_band_and_its_n():
    made = with_curves([[9.0, 5.0], [8.0]])
    assert band(made, made.arms[0]).n == (2, 1)


def test_no_curve_no_band():
    made = with_curves([])
    assert band(made, made.arms[0]).epochs == ()


def test_the_front_keeps_ties_and_copes_with_nothing():
    assert pareto({"a": (5.0, 1.0), "b": (5.0, 1.0), "c": (5.0, 2.0)}).front == ("a", "b")
    assert pareto({}).front == ()


def test_an_arm_is_on_the_front_of_a_draw_when_no_other_beats_it():
    rng = np.random.default_rng(5)
    costs = rng.integers(1, 6, size=12).astype(float)
    errors = rng.integers(1, 8, size=(50, 12)).astype(float)
    found = on_front(errors, costs)
    for row, drawn in zip(errors, found, strict=True):
        points = {str(place): (row[place], costs[place]) for place in range(12)}
        assert {str(place) for place in np.flatnonzero(drawn)} == set(pareto(points).front)


def test_the_front_leaves_out_arms_with_a_fail_and_says_how_sure_it_is():
    made = study([({"v": "a"}, [5.0, 5.2, 5.1]), ({"v": "b"}, [9.0, 9.1, 9.2]), ({"v": "c"}, [4.0, None, 4.1])])
    found = study_front(made, {"v=a": 1.0, "v=b": 2.0, "v=c": 3.0})
    assert (found.front, found.dominated, found.excluded) == (("v=a",), ("v=b",), ("v=c",))
    assert found.probability == {"v=a": 1.0, "v=b": 0.0}


def test_two_equal_arms_share_the_front_about_half_of_the_time():
    made = study([({"v": "a"}, list(RNG.normal(5, 1, 40))), ({"v": "b"}, list(RNG.normal(5, 1, 40)))])
    found = study_front(made, {"v=a": 1.0, "v=b": 1.0})
    assert math.fsum(found.probability.values()) == pytest.approx(1.0)


def test_one_seed_gives_a_front_but_no_probability():
    assert study_front(study([({"v": "a"}, [5.0])]), {"v=a": 1.0}).probability == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("median of 5 runs", ("median", 5)),
        ("best (mean+-std) of 5 runs", ("best", 5)),
        ("best of five", ("best", None)),
        ("Mean of 3", ("mean", 3)),
        ("single run", ("single", 1)),
        ("not stated", (None, None)),
        (None, (None, None)),
    ],
)
def test_the_statistic_of_a_row(text, expected):
    assert parse_statistic(text) == expected


def test_a_row_that_prints_the_mean_beside_the_best_is_compared_by_its_mean():
    row = {"error_pct": 6.43, "mean": 6.61, "std": 0.16, "statistic": "best (mean+-std) of 5 runs", "paper": "he2015"}
    assert published_row(row) == Published(6.61, 0.16, 5, "mean", "he2015")


def test_the_best_of_five_is_compared_with_our_expected_best():
    ours = list(RNG.normal(6.61, 0.16, 200))
    found = compare(dict(enumerate(ours)), Published(6.43, n=5, statistic="best"))
    assert found.ours == pytest.approx(np.mean(ours) - 1.163 * np.std(ours, ddof=1), abs=1e-3)
    assert found.verdict == "consistent"
    assert "best of 5" in found.note


def test_a_best_with_its_sd_gives_the_mean_behind_it():
    found = compare(dict(enumerate(RNG.normal(6.61, 0.16, 5))), Published(6.43, 0.16, 5, "best"))
    assert "their mean is taken as 6.62" in found.note


def test_spreads_whose_squares_are_too_small_for_numbers_tell_nothing():
    found = compare({0: 1e-200, 1: 2e-200}, Published(1e-200, 1e-200, 5, "mean"))
    assert (found.verdict, found.t) == ("cannot tell", None)


def test_a_median_of_five_varies_too():
    rng = np.random.default_rng(0)
    medians = np.median(rng.normal(size=(100_000, 5)), axis=1)
    assert literature.median_variance(5) == pytest.approx(medians.var(), rel=0.02)
    assert literature.best_variance(5) == pytest.approx(rng.normal(size=(100_000, 5)).min(1).var(), rel=0.02)
    ours = {0: 6.3, 1: 6.5, 2: 6.4}
    wide, narrow = compare(ours, Published(6.37, n=5, statistic="median")), compare(ours, Published(6.37))
    assert wide.high - wide.low > narrow.high - narrow.low


@pytest.mark.parametrize(
    ("ours", "value", "verdict"),
    [
        ({}, 6.6, "cannot tell"),
        ({0: 6.6}, 6.6, "cannot tell"),
        ({0: 6.6, 1: 6.6}, 6.6, "cannot tell"),
        ({0: 6.6, 1: math.inf}, 6.6, "cannot tell"),
        ({0: math.inf, 1: math.inf}, None, "consistent"),
        ({0: 6.6, 1: 6.5}, None, "differs"),
        ({}, None, "cannot tell"),
        ({0: 6.6, 1: 6.61, 2: 6.59}, 9.0, "differs"),
    ],
)
def test_verdicts_on_a_published_number(ours, value, verdict):
    assert compare(ours, Published(value)).verdict == verdict


def test_rates_without_fails_or_without_seeds():
    assert fisher_p(0, 5, 0, 5) == fisher_p(5, 5, 5, 5) == 1.0
    assert fisher_p(0, 0, 1, 2) is None


def test_the_ramp_spends_alpha_and_no_more():
    assert math.fsum(alpha_spending((3, 5, 8, 12), 0.05)) == pytest.approx(0.05)


def test_an_e_value_averages_at_most_one_under_the_null():
    t = np.random.default_rng(1).standard_t(4, 100_000)
    assert np.mean([e_value(each, 5) for each in t]) == pytest.approx(1.0, abs=0.05)


def test_the_noise_floor_is_the_baseline_against_itself():
    values = list(RNG.normal(6, 0.2, 6))
    made = study([({"v": "old"}, values), ({"v": "new"}, values)], baseline={"v": "old"})
    (found,) = noise_floor(made)
    expected = stats.ttest_ind(values[3:], values[:3], equal_var=False)
    assert found.arm.name == "v=old"
    assert (found.difference, found.p) == pytest.approx((np.mean(values[3:]) - np.mean(values[:3]), expected.pvalue))


@pytest.mark.parametrize("values", [[], [5.0], [None, None], [5.0, 5.0]])
def test_a_noise_floor_of_too_little(values):
    found = noise_floor(study([({"v": "old"}, values)], baseline={"v": "old"}))
    assert all(each.p is None for each in found)


def on_machines(offset, n=8):
    made = study([({"v": name}, list(RNG.normal(6, 0.1, n))) for name in ("a", "b")])
    trials = []
    for trial in made.trials:
        host = "left" if trial.seed % 2 else "right"
        trials.append(replace(trial, host=host, test_error=trial.test_error + (offset if host == "left" else 0)))
    return replace(made, trials=tuple(trials))


def test_machines_that_differ_are_found():
    found = machine_check(on_machines(1.0))
    assert found.offsets["left"] - found.offsets["right"] == pytest.approx(1.0, abs=0.2)
    assert found.p < 0.001


def test_machines_are_compared_as_in_the_linear_model():
    made = on_machines(0.05)
    left, right = (
        [t.test_error for t in made.trials if t.host == host and t.arm == "v=a"] for host in ("left", "right")
    )
    only = replace(made, trials=tuple(t for t in made.trials if t.arm == "v=a"))
    assert machine_check(only).p == pytest.approx(stats.ttest_ind(left, right).pvalue)


def test_one_machine_is_nothing_to_compare():
    assert machine_check(study([({"v": "a"}, [5.0, 5.1])])) is None


FACTORS = {"variant": ("plain", "original", "preact"), "depth": (20, 110)}
HE = Spread(0.16, "He et al. 2015, Table 6")


def prospect(claim, n, spread=HE, **settings):
    claims = parse_claims([{"id": "x", **claim}], FACTORS)
    (found,) = prospects(claims, FACTORS, n, AnalysisSettings(**settings), spread=spread)
    return found


@pytest.mark.parametrize(("test", "n", "size"), [("paired", 5, 0.381), ("paired", 8, 0.262), ("pooled", 5, 0.381)])
def test_the_smallest_effect_that_the_seeds_see(test, n, size):
    found = prospect({"says": "preact < original", "where": "depth == 20", "test": test}, n)
    assert found.detectable == pytest.approx(size, abs=1e-3)
    assert found.can


@pytest.mark.parametrize(
    ("claim", "beyond"),
    [
        ({"where": "depth == 20"}, ""),
        ({"where": "depth == 20", "by": 0.5}, " beyond the 0.5 claimed"),
        ({"over": "every"}, " in each of 2 contexts"),
        ({"over": "any", "by": 2}, " beyond the 2 claimed"),
        ({"over": "every", "by": 2}, " beyond the 2 claimed in each of 2 contexts"),
    ],
)
def test_what_the_seeds_see_is_said_in_one_sentence(claim, beyond):
    found = prospect({"says": "preact < original", **claim}, 5)
    assert found.sentence == (
        f"5 seeds see an effect of {found.detectable:.2g}{beyond} or more; "
        "80% power, SD 0.16 from He et al. 2015, Table 6. Smaller ones stay open."
    )


@pytest.mark.parametrize(
    ("margin", "n", "can", "more"),
    [
        (0.25, 8, "cannot support", " If there is no difference and the SD is this one, it takes about 11 seeds."),
        (0.31, 8, "can support", ""),  # it takes 8, no more than there are
        (0.31, 7, "cannot support", " If there is no difference and the SD is this one, it takes about 8 seeds."),
        (0.5, 8, "can support", ""),
    ],
)
def test_the_seeds_that_an_equality_takes_are_said_where_they_are_more_than_planned(margin, n, can, more):
    found = prospect({"says": "preact == original", "where": "depth == 20", "within": margin}, n)
    assert found.sentence == (
        f"{n} seeds {can} within {margin:g}: they reach {found.detectable:.2g}; "
        f"80% power, SD 0.16 from He et al. 2015, Table 6.{more}"
    )
    assert found.can == (found.needed <= n)


def test_a_family_of_claims_is_told_beside_one_alone():
    claims = parse_claims([{"id": each, "says": "preact < original", "where": "depth == 20"} for each in "ab"], FACTORS)
    for family, many in (("holm", " (0.46 among 2 claims)"), ("none", "")):
        found, _ = prospects(claims, FACTORS, 5, AnalysisSettings(family=family), spread=HE)
        assert found.sentence.startswith(f"5 seeds see an effect of 0.38{many} or more;")


@pytest.mark.parametrize("n", [2, 3, 4])
def test_fewer_than_five_seeds_are_promised_nothing_that_outliers_could_undo(n):
    found = prospect({"says": "preact < original", "where": "depth == 20"}, n)
    assert (found.detectable, found.can) == (None, True)
    assert f"{n} seeds decide only what rare outliers could not undo" in found.sentence
    assert "any smaller effect takes 5 seeds" in found.sentence


def test_an_average_over_contexts_sees_less():
    one = prospect({"says": "preact < original", "where": "depth == 20"}, 5).detectable
    assert prospect({"says": "preact < original", "over": "average"}, 5).detectable == pytest.approx(one / math.sqrt(2))


def test_a_growing_effect_is_harder_to_see():
    one = prospect({"says": "preact < original", "where": "depth == 20"}, 5).detectable
    grows = prospect({"says": "effect(preact, original) increases with depth"}, 5)
    assert grows.detectable == pytest.approx(one * math.sqrt(2))


@pytest.mark.parametrize(
    ("claim", "n", "words"),
    [
        ({"says": "plain fails"}, 3, "3 seeds cannot decide a fail rate > 0.5: it takes 6"),
        ({"says": "preact < original"}, 1, "1 seed decides nothing"),
        ({"says": "preact == original", "within": 0.1}, 3, "3 seeds decide nothing: it takes at least 5"),
        ({"says": "preact == original", "within": 0.1}, 5, "5 seeds cannot support within 0.1"),
        ({"says": "preact < original", "test": "sign"}, 5, "it takes at least 6"),
    ],
)
def test_a_study_that_cannot_answer_is_told_so(claim, n, words):
    found = prospect(claim, n)
    assert not found.can
    assert words in found.sentence


def test_without_a_spread_nothing_is_invented():
    found = prospect({"says": "preact < original"}, 5, spread=None)
    assert found.detectable is None
    assert "not known yet" in found.sentence


def test_the_spread_of_a_study_is_pooled_over_the_arms_without_a_fail():
    made = study(
        [({"v": "a"}, [5.0, 5.2, 5.1]), ({"v": "b"}, [9.0, 9.4]), ({"v": "c"}, [4.0, None]), ({"v": "d"}, [1.0])]
    )
    assert study_spread(made).sd == pytest.approx(math.sqrt((2 * 0.01 + 0.08) / 3))
    assert study_spread(study([({"v": "a"}, [5.0])])) is None


@pytest.mark.parametrize("over", ["every", "any"])
@pytest.mark.parametrize("contexts", [1, 2, 3, 5])
def test_the_effect_that_the_seeds_see_is_seen_with_the_power_promised(over, contexts):
    depths = tuple(range(contexts))
    factors = {"variant": ("original", "preact"), "depth": depths}
    claims = parse_claims([{"id": "x", "says": "preact < original", "over": over}], factors)
    settings = AnalysisSettings()
    (found,) = prospects(claims, factors, 5, settings, spread=Spread(1.0, "made up"))
    draws = np.random.default_rng(5).normal(found.detectable, math.sqrt(2), size=(20_000, contexts, 5))
    t = draws.mean(axis=2) / draws.std(axis=2, ddof=1) * math.sqrt(5)
    if over == "every":
        decided = (t > stats.t.ppf(0.975, 4)).all(axis=1)
    else:
        decided = (t > stats.t.ppf(1 - 0.025 / contexts, 4)).any(axis=1)
    assert decided.mean() == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("n", [3, 5])
def test_an_equal_and_dearer_arm_is_seldom_surely_on_the_front(n):
    rng = np.random.default_rng(4)
    sure = 0
    for at in range(300):
        drawn = {name: [float(each) for each in rng.normal(5, 0.2, n)] for name in ("cheap", "dear")}
        made = study([({"v": name}, values) for name, values in drawn.items()], name=f"null-{at}")
        found = study_front(made, {"v=cheap": 1.0, "v=dear": 2.0}, draws=500)
        sure += found.probability["v=dear"] >= 0.995
    assert sure / 300 <= 0.02


@pytest.mark.parametrize(
    ("ours", "published", "note"),
    [
        ({}, Published(6.0), "no result of ours"),
        ({0: 5.0}, Published(6.0), "one seed"),
        ({0: 5.0, 1: 5.0}, Published(6.0), "identical in every seed"),
        ({0: 5.0, 1: 5.2}, Published(6.0, 0.1, 5, "mean"), "mean and SD of both"),
    ],
)
def test_the_note_beside_a_published_number_says_what_it_is_held_against(ours, published, note):
    assert compare(ours, published).note == note
