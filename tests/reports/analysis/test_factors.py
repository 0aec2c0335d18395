"""The analysis of variance by comparing two models at a time, variance shares by hand, and grids with holes."""

import math
import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from reports.analysis import factors as analysis
from reports.analysis.factors import Observation, anova, study_anova
from reports.analysis.shares import decompose, normalised, study_shares
from tests.reports.analysis.build import study

RNG = np.random.default_rng(5)


def made(shape=(2, 3, 2), n=4, holes=(), fail=None, names=("a", "b", "c")):
    results = []
    for place, cell in enumerate(np.ndindex(*shape)):
        values = dict(enumerate(6 + 0.3 * np.array(cell) @ np.arange(1, len(cell) + 1) + RNG.normal(0, 0.2, n)))
        kept = {seed: float(value) for seed, value in values.items() if (place, seed) not in holes}
        if place == fail:
            kept[0] = None
        results.append(({name: f"l{level}" for name, level in zip(names, cell, strict=False)}, kept))
    return study(results)


def sum_coded(levels):
    known = sorted(set(levels))
    return np.array([[(level == each) - float(level == known[-1]) for each in known[:-1]] for level in levels])


def by_two_models(given, kind):
    """Return squares, df, F and p of every term, the squares being what a smaller model leaves and the larger fits."""
    y = np.array([trial.test_error for trial in given.trials])
    levels = {arm.name: arm.levels for arm in given.arms}
    one = {name: sum_coded([levels[trial.arm][name] for trial in given.trials]) for name in given.factors}
    one["seed"] = sum_coded([trial.seed for trial in given.trials])
    names = tuple(given.factors)
    terms = [("seed",), *(term for size in range(len(names)) for term in combinations(names, size + 1))]
    columns = {}
    for term in terms:
        block = np.ones((len(y), 1))
        for name in term:
            block = np.hstack([block * each[:, None] for each in one[name].T])
        columns[term] = block

    def left(kept):
        design = np.hstack([np.ones((len(y), 1)), *(columns[term] for term in kept)])
        return float(((y - design @ np.linalg.lstsq(design, y)[0]) ** 2).sum())

    df = len(y) - 1 - sum(block.shape[1] for block in columns.values())
    mse = left(terms) / df
    found = {}
    for term in terms:
        others = [each for each in terms if each != term and (kind == 3 or not set(term) < set(each))]
        squares, width = left(others) - left([*others, term]), columns[term].shape[1]
        f = squares / width / mse
        found[term] = (squares, width, f, stats.f.sf(f, width, df))
    return found, df


@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize("holes", [(), ((0, 1), (5, 2), (7, 0))])
def test_three_factors_with_the_seed_as_block_by_comparing_models(kind, holes):
    given = made(holes=holes)
    expected, df = by_two_models(given, kind)
    found = study_anova(given, kind=kind)
    assert {effect.term for effect in found.effects} == set(expected)
    for effect in found.effects:
        assert (effect.squares, effect.df, effect.f, effect.p) == pytest.approx(expected[effect.term], rel=1e-7)
    assert found.df == df


def test_factors_and_levels_may_be_called_anything():
    plain, odd = made(), made(names=("net.block", "C(y)", "lambda"))
    for each in (plain, odd):
        assert study_anova(each).dropped == ()
    assert {effect.term[0] for effect in study_anova(odd).effects} == {"net.block", "C(y)", "lambda", "seed"}


@pytest.mark.parametrize("kind", [2, 3])
def test_without_a_residual_the_squares_are_there_and_no_f(kind):
    values = [({"a": a, "b": b}, [5.0 + 2 * a + b + seed for seed in range(3)]) for a in (0, 1) for b in (0, 1)]
    found = study_anova(study(values), kind=kind)
    squares = {effect.term: effect.squares for effect in found.effects}
    assert squares == pytest.approx({("a",): 12.0, ("b",): 3.0, ("seed",): 8.0, ("a", "b"): 0.0}, abs=1e-9)
    assert all(effect.f is effect.p is effect.omega2 is None for effect in found.effects)
    assert found.mse is None


def test_an_empty_arm_drops_the_interaction_that_it_makes_inestimable():
    found = study_anova(made(shape=(2, 2), holes=[(3, seed) for seed in range(4)]))
    assert found.dropped == (("a", "b"),)
    assert {effect.term for effect in found.effects} == {("a",), ("b",), ("seed",)}


def on_arms(names, cells, n=3):
    """Return a study of these arms alone; the error goes by the first factor, and by chance."""
    rng = np.random.default_rng(3)
    return study([(dict(zip(names, cell, strict=True)), list(6 + cell[0] + rng.normal(0, 0.1, n))) for cell in cells])


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_factors_that_vary_together_have_one_term_whichever_is_listed_first(names):
    given = on_arms(("a", "b"), [(0, 0), (1, 1), (2, 2)])
    found = study_anova(replace(given, factors={name: given.factors[name] for name in names}))
    joint, seed = found.effects
    assert found.joined == {joint.term[0]: names}
    assert seed.term == ("seed",)
    alone = study_anova(on_arms(("a",), [(0,), (1,), (2,)]))
    assert (joint.f, joint.p, joint.df) == pytest.approx((alone.effect("a").f, alone.effect("a").p, 2))


def test_three_factors_of_which_no_two_are_alike_but_all_depend_on_each_other_are_joined():
    found = study_anova(on_arms("abc", [(0, 0, 0), (0, 1, 1), (1, 1, 0)]))
    assert list(found.joined.values()) == [("a", "b", "c")]
    assert [effect.df for effect in found.effects] == [2, 2]


def test_only_those_that_vary_together_are_joined():
    found = study_anova(on_arms("abc", [(at, at, other) for at in range(3) for other in range(2)]))
    assert list(found.joined.values()) == [("a", "b")]
    (joint,) = found.joined
    assert {effect.term for effect in found.effects} == {("c",), (joint,), ("seed",), ("c", joint)}


def test_factors_of_a_grid_are_not_joined():
    assert study_anova(made()).joined == {}


@pytest.mark.parametrize("names", ["abcd", "dcba"])
def test_interactions_that_cannot_be_told_apart_are_dropped_all(names):
    half = [(a, b, c, (a + b + c) % 2) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    given = on_arms("abcd", half)
    found = study_anova(replace(given, factors={name: given.factors[name] for name in names}))
    assert {effect.term for effect in found.effects} == {("a",), ("b",), ("c",), ("d",), ("seed",)}
    assert {frozenset(term) for term in found.dropped} >= {frozenset(pair) for pair in combinations("abcd", 2)}


def test_where_arms_fail_ranks_of_all_readings_are_analysed():
    found = study_anova(made(shape=(2, 2), fail=3))
    assert (found.failed, found.ranked) == (("a=l1 b=l1",), True)
    assert (found.n, found.planned) == (16, 16)
    assert found.effect("a").squares + found.effect("b").squares > 0
    assert not study_anova(made(shape=(2, 2))).ranked


def test_a_depth_at_which_all_seeds_fail_has_an_effect():
    """Without the arms that fail, depth would do nothing."""
    rng = np.random.default_rng(5)
    rows = [
        (
            {"depth": depth, "variant": name},
            [None] * 5 if depth == 110 and name == "plain" else list(rng.normal(5, 1, 5)),
        )
        for depth in (20, 56, 110)
        for name in ("plain", "original")
    ]
    found = study_anova(study(rows))
    assert found.effect("depth").p < 0.05
    assert found.effect("depth", "variant").p < 0.05


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_ranks_with_fails_find_no_effect_where_there_is_none(rate):
    rng, count = np.random.default_rng(8), 120
    found: dict[tuple[str, ...], int] = {}
    for _ in range(count):
        rows = [
            ({"a": a, "b": b}, [None if rng.random() < rate else float(rng.normal(5, 1)) for _ in range(4)])
            for a in "xyz"
            for b in "pq"
        ]
        for effect in study_anova(study(rows)).effects:
            found[effect.term] = found.get(effect.term, 0) + (effect.p < 0.05)
    assert max(found.values()) / count <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / count)


def test_with_one_seed_the_highest_interaction_is_the_error():
    found = study_anova(made(shape=(2, 3), n=1))
    assert found.error_terms == (("a", "b"),)
    assert found.df == 2


@pytest.mark.parametrize("names", ["abc", "cba"])
def test_all_interactions_of_the_highest_order_are_the_error_not_the_last_one_alone(names):
    cells = [cell for cell in np.ndindex(2, 2, 2) if any(cell)]
    given = on_arms("abc", cells, n=1)
    found = study_anova(replace(given, factors={name: given.factors[name] for name in names}))
    assert {effect.term for effect in found.effects} == {("a",), ("b",), ("c",)}
    assert {frozenset(term) for term in found.error_terms} == {frozenset(pair) for pair in combinations("abc", 2)}


def test_main_effects_never_stand_in_for_the_error():
    assert study_anova(on_arms("ab", [(0, 0), (1, 1), (1, 0)], n=1)) is None


@pytest.mark.parametrize("given", [study([]), study([({"a": 1}, [5.0])]), study([({"a": 1}, []), ({"a": 2}, [])])])
def test_too_little_for_an_analysis_of_variance(given):
    assert study_anova(given) is None


def test_identical_values_give_no_f():
    assert study_anova(study([({"a": level}, [5.0 + level] * 3) for level in (1, 2)])).effect("a").f is None
    assert study_anova(study([({"a": level}, [5.0] * 3) for level in (1, 2)])) is None


def test_shares_of_two_factors_by_hand():
    means = RNG.normal(size=(3, 4))
    rows, columns = means.mean(1, keepdims=True) - means.mean(), means.mean(0, keepdims=True) - means.mean()
    rest = means - means.mean() - rows - columns
    assert decompose(means, ("a", "b")) == pytest.approx(
        {("a",): (rows**2).mean(), ("b",): (columns**2).mean(), ("a", "b"): (rest**2).mean()}
    )


def test_the_variances_of_all_terms_add_up():
    means = RNG.normal(size=(2, 3, 4))
    assert math.fsum(decompose(means, "abc").values()) == pytest.approx(means.var())


def test_nothing_varies_no_shares():
    assert normalised(decompose(np.full((2, 2), 5.0), "ab")) is None


def test_shares_come_with_intervals_and_the_seeds_share_of_one_trial():
    found, reason = study_shares(made(shape=(2, 3)), draws=200)
    assert reason is None
    assert found.interval == "from the residual spread"
    assert all(0 <= each.low <= each.high <= 1 for each in found.shares)
    assert 0 < found.seed_share < 1


def test_a_factor_that_does_not_vary_has_no_share():
    given = made(shape=(2, 3))
    named = [replace(arm, levels={**arm.levels, "fixed": "one"}) for arm in given.arms]
    wider = replace(given, arms=tuple(named), factors={**given.factors, "fixed": ("one",)})
    found, reason = study_shares(wider, draws=20)
    assert reason is None
    assert {term for each in found.shares for term in each.term} == {"a", "b"}
    alone = replace(wider, factors={"fixed": ("one",)})
    assert study_shares(alone, draws=20) == (None, "no factor varies")


def test_from_ten_seeds_on_whole_seeds_are_resampled():
    found, _ = study_shares(made(shape=(2, 2), n=10), draws=100)
    assert found.interval == "seeds resampled"


def test_the_seeds_share_is_that_in_one_trials_variance():
    rng = np.random.default_rng(0)
    cells = [({"a": level}, list(6 + level + rng.normal(0, 1, 400))) for level in (0, 2)]
    found, _ = study_shares(study(cells), draws=1)
    assert found.seed_share == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (study([]), "no factor varies"),
        (made(shape=(2, 2), holes=[(3, seed) for seed in range(4)]), "the grid is not full: no result for a l1, b l1"),
        (made(shape=(2, 2), fail=0), "an arm with fails has no mean: a l0, b l0"),
        (study([({"a": level}, [5.0, 5.0]) for level in (1, 2)]), "all arms have the same mean"),
    ],
)
def test_no_shares_and_why(given, reason):
    found, why = study_shares(given)
    assert found is None
    assert reason in why


def test_one_seed_has_shares_but_no_interval_and_no_seed_share():
    found, _ = study_shares(made(shape=(2, 2), n=1))
    assert (found.seed_share, found.interval, found.shares[0].low) == (None, None, None)


def test_the_same_study_gives_the_same_intervals():
    given = made(shape=(2, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert study_shares(given, draws=50) == study_shares(given, draws=50)


def test_three_readings_are_the_fewest_that_can_be_analysed():
    rows = [
        Observation({"a": level, "seed": seed}, value)
        for seed, (level, value) in enumerate([(0, 1.0), (0, 2.0), (1, 4.0)])
    ]
    found = anova(rows, ["a"], blocked=False)
    assert found.effect("a").f == pytest.approx((25 / 6) / (1 / 2))  # means 1.5 and 4 around 7/3
    assert anova(rows[:2], ["a"], blocked=False) is None
    assert anova(rows[1:], ["a"], blocked=False) is None


@pytest.mark.parametrize("blocked", [True, False])
@pytest.mark.parametrize(
    ("shape", "n"), [((2, 3, 2), 4), ((5,), 3), ((2, 3), 1), ((2, 2, 2, 2, 2), 2), ((2, 1, 4), 3)], ids=str
)
def test_a_wide_balanced_design_is_analysed_by_its_means_to_the_same_end(shape, n, blocked, monkeypatch):
    given = made(shape, n, names="abcde")
    by_least_squares = study_anova(given, blocked=blocked)
    monkeypatch.setattr(analysis, "MOST_COLUMNS", 0)
    monkeypatch.setattr(analysis, "_fitted", None)  # not called
    by_means = study_anova(given, blocked=blocked)
    assert [(each.term, each.df) for each in by_means.effects] == [
        (each.term, each.df) for each in by_least_squares.effects
    ]
    for name in ("squares", "f", "p", "partial_eta2", "omega2"):
        for one, other in zip(by_means.effects, by_least_squares.effects, strict=True):
            same = getattr(other, name)
            assert getattr(one, name) == (None if same is None else pytest.approx(same, rel=1e-8, abs=1e-12))
    ours, theirs = (replace(each, effects=(), squares=0, mse=None) for each in (by_means, by_least_squares))
    assert ours == theirs
    assert by_means.mse == (None if by_least_squares.mse is None else pytest.approx(by_least_squares.mse, rel=1e-9))


def test_a_wide_design_with_a_hole_is_analysed_by_least_squares(monkeypatch):
    given = made(holes=[(2, 1)])
    expected = study_anova(given)
    monkeypatch.setattr(analysis, "MOST_COLUMNS", 0)
    assert study_anova(given) == expected
    twice = study([({"a": "x"}, [1.0, 2.0]), ({"a": "y"}, [4.0])])
    assert analysis.is_balanced({"a": np.array([0, 0, 1]), "seed": np.array([0, 1, 0])}) is False
    assert study_anova(twice) is not None


def test_the_squares_of_four_hundred_levels_are_those_of_their_means():
    values = RNG.uniform(1, 9, (400, 3))
    given = study([({"a": f"l{level}"}, list(map(float, row))) for level, row in enumerate(values)])
    effect = study_anova(given).effect("a")
    assert effect.squares == pytest.approx(3 * ((values.mean(1) - values.mean()) ** 2).sum())
    assert effect.df == 399


@pytest.mark.parametrize(("factors", "order"), [(4, 4), (5, 3)])
def test_beyond_four_factors_interactions_of_more_than_three_are_left_to_the_residual(factors, order):
    found = study_anova(made(shape=(2,) * factors, n=2, names="abcde"))
    assert max(len(effect.term) for effect in found.effects) == order
    expected = sum(math.comb(factors, each) for each in range(1, order + 1))
    assert len([effect for effect in found.effects if effect.term != ("seed",)]) == expected
