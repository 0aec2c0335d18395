"""Contrasts, adjusted p and power recomputed by brute force and by other functions of scipy, and their edges."""

import math
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from scipy import integrate, stats

from reports.analysis import many, pooled, power
from reports.analysis.contrasts import NOT_WIRED, contrasts
from reports.analysis.effects import Exact, Sign, differences, one_sided_flip_p, paired, smallest_p, welch
from tests.reports.analysis.build import study

RNG = np.random.default_rng(11)
A, B = list(RNG.normal(6, 0.2, 7)), list(RNG.normal(6.2, 0.3, 7))


def two(first, second, **more):
    made = study([({"variant": "new"}, first), ({"variant": "old"}, second)], baseline={"variant": "old"}, **more)
    (found,) = contrasts(made)
    return found


def test_the_paired_contrast_is_scipys():
    expected = stats.ttest_rel(A, B)
    found = two(A, B)
    assert found.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_welch_is_scipys():
    expected = stats.ttest_ind(A, B, equal_var=False)
    found = welch({"a": dict(enumerate(A)), "b": dict(enumerate(B))}, {"a": 1.0, "b": -1.0})
    assert (found.t, found.df, found.p) == pytest.approx((expected.statistic, expected.df, expected.pvalue))


def test_the_sign_flip_p_by_all_swaps():
    values = np.array(A) - np.array(B)
    sums = [sum(s * v for s, v in zip(signs, values, strict=True)) for signs in product((1, -1), repeat=7)]
    assert one_sided_flip_p(list(values)) == np.mean([each >= values.sum() - 1e-12 for each in sums])


def test_a_contrast_names_the_smallest_exact_p():
    assert two(A[:4], B[:4]).smallest_p == 0.125


def test_no_exact_p_beats_the_attainable_minimum():
    for n in range(1, 9):
        assert 2 * one_sided_flip_p([1.0 + 0.1 * place for place in range(n)]) == pytest.approx(smallest_p(n))


@pytest.mark.parametrize("p", [list(RNG.uniform(size=9) ** 3), [0.04, 0.01, 0.04, 0.0, 0.3], [0.6, 0.9], [0.03]])
def test_holm_is_the_closed_test_of_all_families_by_bonferroni(p):
    """A hypothesis falls at the level at which every family that holds it does (Marcus, Peritz and Gabriel 1976)."""
    places = range(len(p))
    families = [family for size in places for family in combinations(places, size + 1)]
    worst = {family: min(1.0, len(family) * min(p[place] for place in family)) for family in families}
    assert many.holm(p) == pytest.approx([max(worst[each] for each in families if place in each) for place in places])


def test_no_p_are_adjusted_to_no_p():
    assert many.holm([]) == []


def test_pooled_is_the_linear_model_with_seeds_missing():
    grid = {arm: {seed: float(RNG.normal()) for seed in range(5)} for arm in "abcd"}
    del grid["a"][1], grid["c"][4]
    rows = [(arm, seed, value) for arm, found in grid.items() for seed, value in found.items()]
    design = np.array(
        [[arm == each for each in "abcd"] + [seed == each for each in range(1, 5)] for arm, seed, _ in rows],
        dtype=float,
    )
    values = np.array([value for *_, value in rows])
    solution, residual, _, _ = np.linalg.lstsq(design, values, rcond=None)
    df = len(rows) - design.shape[1]
    contrast = np.array([1, 0, -1, 0] + [0] * 4)
    se = math.sqrt(residual[0] / df * contrast @ np.linalg.inv(design.T @ design) @ contrast)
    found = pooled.fit(grid).effect({"a": 1.0, "c": -1.0})
    assert (found.estimate, found.se, found.df) == pytest.approx((solution[0] - solution[2], se, df))


def test_pooled_leaves_out_arms_with_a_fail():
    grid = {arm: {seed: float(RNG.normal()) for seed in range(3)} for arm in "abc"}
    grid["c"][0] = math.inf
    found = pooled.fit(grid)
    assert found.arms == ("a", "b")
    assert found.effect({"a": 1.0, "c": -1.0}) is None


@pytest.mark.parametrize(
    "grid",
    [
        {},
        {"a": {0: 1.0}},
        {"a": {0: 1.0}, "b": {1: 2.0}},
        {"a": {0: 1.0, 1: 1.0}, "b": {0: 2.0, 1: 2.0}},
        {"a": {0: 1.0, 1: 2.0}, "b": {2: 3.0, 3: 4.0}, "c": {0: 1.0, 1: 3.0}},
    ],
)
def test_no_pooled_model_where_it_cannot_be_estimated(grid):
    assert pooled.fit(grid) is None


@pytest.mark.parametrize("n", [1, 4, 5, 6, 9, 12])
def test_the_sign_interval_inverts_the_sign_test(n):
    values = tuple(np.sort(RNG.normal(size=n)))
    low, high = Sign(values).interval(0.95)
    if n < 6:
        assert (low, high) == (None, None)
    else:
        assert 2 * Sign(values).p_above(low) <= 0.05 < 2 * Sign(values).p_above(low + 1e-6)
        assert 2 * Sign(values).p_below(high + 1e-6) <= 0.05 < 2 * Sign(values).p_below(high - 1e-6)


def test_both_fail_is_a_tie_that_helps_nobody():
    found = Sign((math.nan,) * 8)
    assert (found.p_above(0), found.p_below(0)) == (1.0, 1.0)
    assert (found.estimate, found.interval(0.95)) == (None, (None, None))


def test_no_difference_is_not_a_win():
    assert Sign((0.0,) * 8).p_above(0) == 1.0


def test_differences_of_fails():
    grid = {"a": {0: math.inf, 1: 5.0, 2: math.inf, 3: 5.0}, "b": {0: 6.0, 1: math.inf, 2: math.inf, 4: 1.0}}
    found = differences(grid, {"a": 1.0, "b": -1.0})
    assert (found[0], found[1], math.isnan(found[2]), set(found)) == (math.inf, -math.inf, True, {0, 1, 2})


@pytest.mark.parametrize("df", [1, 2, 4.5, 11, 39])
@pytest.mark.parametrize("noncentrality", [0.3, 1.8, 5.0])
def test_power_is_the_normal_chance_averaged_over_the_spread(df, noncentrality):
    critical = stats.t.isf(0.025, df)
    spread = stats.chi(df, scale=1 / math.sqrt(df))

    def beyond(s):
        both = stats.norm.sf(critical * s - noncentrality) + stats.norm.cdf(-critical * s - noncentrality)
        return both * spread.pdf(s)

    expected = integrate.quad(beyond, 0, spread.isf(1e-14), epsabs=1e-11, limit=200)[0]
    assert power.t_power(noncentrality, df) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("df", [1, 2, 7.5, 30, 400])
def test_power_rises_from_alpha_to_one_without_a_gap(df):
    found = [power.t_power(size, df, 0.01) for size in np.linspace(0, 2000, 4001)]
    assert found[0] == pytest.approx(0.01)
    assert all(math.isfinite(each) for each in found)
    assert all(after >= before - 5e-3 for before, after in pairwise(found))


def test_seeds_needed_is_the_smallest_number():
    n = power.seeds_needed(0.7)
    assert power.t_power(0.7 * math.sqrt(n), n - 1) >= 0.8 > power.t_power(0.7 * math.sqrt(n - 1), n - 2)


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.005, 5e-4])
def test_the_smallest_effect_at_two_seeds_is_seen_with_the_power_asked_for(alpha):
    size = power.smallest_paired(2, alpha, 0.9)
    assert power.t_power(size * math.sqrt(2), 1, alpha) == pytest.approx(0.9, abs=1e-8)


@pytest.mark.parametrize("distance", [0.12, 0.3, 1.0, 3.0, 40.0])
def test_seeds_needed_by_counting_upwards(distance):
    counted = next(n for n in range(2, 1001) if power.t_power(distance * math.sqrt(n), n - 1, 0.02) >= 0.9)
    assert power.seeds_needed(distance, 0.02, 0.9) == counted


def test_a_tiny_effect_needs_more_seeds_than_anyone_has():
    assert power.seeds_needed(0.0) is None
    assert power.seeds_needed(0.01) is None


def test_smallest_effect_at_one_seed_does_not_exist():
    assert power.smallest_paired(1) is power.smallest_welch(1) is None


@pytest.mark.parametrize(
    ("first", "second", "note"),
    [
        ([], [], "no seed"),
        ([5.0], [6.0], "one seed"),
        ({0: 5.0}, {1: 6.0}, "no seed"),
        ([5.0] * 4, [6.0] * 4, NOT_WIRED),
    ],
)
def test_a_contrast_without_a_test_says_why(first, second, note):
    found = two(first, second)
    assert (found.test, found.p, found.low) == (None, None, None)
    assert note in found.note


def test_the_baseline_of_each_context():
    made = study(
        [({"variant": variant, "depth": depth}, A) for depth in (20, 56) for variant in ("old", "new")],
        baseline={"variant": "old"},
    )
    assert [(each.baseline.name, dict(each.context)) for each in contrasts(made)] == [
        ("variant=old depth=20", {"depth": 20}),
        ("variant=old depth=56", {"depth": 56}),
    ]


def test_without_a_baseline_there_is_no_contrast():
    assert contrasts(study([({"variant": "old"}, A)])) == ()


def test_holm_over_the_contrasts_of_a_study():
    values = {name: list(6 + RNG.normal(0, 0.3, 5)) for name in ("old", "a", "b", "c")}
    made = study([({"variant": name}, found) for name, found in values.items()], baseline={"variant": "old"})
    found = contrasts(made)
    assert [each.p_holm for each in found] == pytest.approx(many.holm([each.p for each in found]))


def test_welch_needs_two_seeds_in_each_arm():
    assert welch({"a": {0: 1.0}, "b": {0: 1.0, 1: 2.0}}, {"a": 1.0, "b": -1.0}) is None


def test_paired_with_a_fail_is_no_t_test():
    assert paired({0: 1.0, 1: math.inf, 2: 2.0}) is None


@pytest.mark.parametrize(
    ("estimate", "margin", "above"),
    [(3.0, 0.0, True), (0.0, 0.0, False), (-1.0, 0.0, False), (2.0, 2.0, True), (1.9, 2.0, False), (0.5, 0.3, True)],
)
def test_what_is_known_without_error_is_above_a_margin_or_is_not(estimate, margin, above):
    effect = Exact(5, estimate)
    assert (effect.p_above(margin), effect.p_below(margin)) == ((0.0, 1.0) if above else (1.0, 0.0))
    assert effect.interval(0.95) == (estimate, estimate)
