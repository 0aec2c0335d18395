"""Cases at which a slip of one sign, one count or one comparison would show."""

import pytest
from scipy import stats

from reports.analysis.claims import parse_claims
from reports.analysis.contrasts import has_unlike_spreads
from reports.analysis.effects import Exact, Sign, Student, exact
from reports.analysis.forecast import _smallest
from reports.analysis.plan_changes import seeds_left_out
from reports.analysis.shares import study_shares
from tests.reports.analysis.build import study


@pytest.mark.parametrize(("n", "place"), [(5, None), (6, 0), (8, 0), (9, 1), (12, 2)])
def test_the_sign_interval_leaves_out_as_many_seeds_as_its_level_allows(n, place):
    values = tuple(float(value) for value in range(n))
    expected = (None, None) if place is None else (values[place], values[n - 1 - place])
    assert Sign(values).interval(0.95) == expected


def test_a_difference_that_every_seed_has_is_exact():
    assert exact({0: 1.5, 1: 1.5}) == Exact(2, 1.5)
    assert exact({0: 1.5, 1: 1.6}) is None
    assert exact({}) is None


@pytest.mark.parametrize(("widest", "doubted"), [(5.9, False), (6.1, True)])
def test_a_t_interval_is_in_doubt_where_spreads_differ_by_more_than_a_factor_of_three(widest, doubted):
    narrow, wide = ({seed: scale * (seed % 2) for seed in range(12)} for scale in (2.0, widest))
    assert has_unlike_spreads({"a": narrow, "b": wide}, {"a": 1, "b": -1}) == doubted


@pytest.mark.parametrize(("ratio", "doubted"), [(4.8, False), (4.9, True)])
def test_few_seeds_differ_by_as_much_by_chance(ratio, doubted):
    """The bound of five seeds each is the F of 4 and 4 degrees of freedom that is passed in half of one per cent."""
    assert stats.f.isf(0.005, 4, 4) ** 0.5 == pytest.approx(4.81, abs=0.01)
    narrow, wide = (dict(enumerate(scale * each for each in (0, 1, 2, 3, 4))) for scale in (1.0, ratio))
    assert has_unlike_spreads({"a": narrow, "b": wide}, {"a": 1, "b": -1}) == doubted


def test_the_smallest_effect_of_more_seeds_has_their_degrees_of_freedom():
    made = study([({"variant": "a"}, [1.0, 2.0]), ({"variant": "b"}, [2.0, 3.0])])
    (claim,) = parse_claims([{"id": "x", "says": "a < b"}], made.factors)
    found = _smallest(claim, Student("paired", 5, 1.0, 0.5, 4), 20, 0.05, 0.8)
    error, df = 0.5 * (5 / 20) ** 0.5, 19
    critical = stats.t.ppf(0.975, df)
    assert stats.nct.sf(critical, df, found / error) == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(("count", "words"), [(1, "1 seed of"), (2, "2 seeds of")])
def test_seeds_that_are_left_out_are_counted(count, words):
    assert seeds_left_out({"a": dict.fromkeys(range(count)), "b": {0: None}}).startswith(words)


def test_a_wider_interval_of_a_share_holds_the_narrower():
    noise = {(0, 0): (0.0, 0.4, 0.9), (0, 1): (0.5, 0.1, 0.2), (1, 0): (0.3, 0.8, 0.1), (1, 1): (0.9, 0.2, 0.6)}
    grid = [({"a": a, "b": b}, [a + 2.0 * b + each for each in noise[a, b]]) for a in (0, 1) for b in (0, 1)]
    wide, _ = study_shares(study(grid), level=0.95, draws=200)
    narrow, _ = study_shares(study(grid), level=0.5, draws=200)
    for outer, inner in zip(wide.shares, narrow.shares, strict=True):
        assert outer.low <= inner.low <= inner.high <= outer.high
    assert any(outer.low < inner.low for outer, inner in zip(wide.shares, narrow.shares, strict=True))
