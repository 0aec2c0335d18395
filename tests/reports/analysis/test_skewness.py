"""Whether the seeds of all arms together are skewed, and where the rows say so."""

import numpy as np
import pytest
from scipy import stats

from reports.analysis.arms import summarise
from reports.analysis.badges import SKEWED
from reports.analysis.contrasts import contrasts
from reports.analysis.skewness import are_skewed, is_skewed_sample, skewness
from reports.findings import find
from reports.sections.arm_tables import arms_table
from reports.sentences.statistics import skewed
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

NORMAL = np.random.default_rng(3).normal(0, 0.2, (9, 8))
LOGNORMAL = np.exp(0.8 * np.random.default_rng(4).normal(0, 1, (9, 8)))


def made(noise):
    """Return nine arms, each a point above the one before, and the first one their baseline."""
    return study(
        [({"v": f"a{at}"}, [5.0 + at + float(each) for each in row]) for at, row in enumerate(noise)],
        baseline={"v": "a0"},
    )


def readings(noise):
    return {f"a{at}": dict(enumerate(map(float, row))) for at, row in enumerate(noise)}


def test_the_mean_skewness_is_scipys_weighted_by_what_each_arm_can_tell():
    found = skewness(readings(LOGNORMAL))
    assert found.mean == pytest.approx(np.mean([stats.skew(row, bias=False) for row in LOGNORMAL]))
    assert found.arms == 9
    uneven = readings(LOGNORMAL) | {"few": {0: 1.0, 1: 2.0, 2: 9.0}}
    assert abs(skewness(uneven).mean - found.mean) < abs(stats.skew([1, 2, 9], bias=False) - found.mean) / 10


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_skewness_is_that_of_the_shape_whatever_the_scale(scale):
    scaled = {arm: {seed: scale * value for seed, value in each.items()} for arm, each in readings(LOGNORMAL).items()}
    assert skewness(scaled).mean == pytest.approx(skewness(readings(LOGNORMAL)).mean)


@pytest.mark.parametrize(("arms", "n"), [(2, 5), (9, 3), (9, 5), (3, 20)])
def test_normal_arms_are_called_skewed_in_one_of_a_hundred(arms, n):
    rng = np.random.default_rng([arms, n])
    called = sum(are_skewed(readings(rng.normal(0, 1, (arms, n)))) for _ in range(1000))
    assert called < 10 + 3 * 10**0.5


@pytest.mark.parametrize(("n", "least"), [(5, 0.45), (8, 0.9)])
def test_nine_lognormal_arms_are_seen(n, least):
    rng = np.random.default_rng(n)
    seen = sum(are_skewed(readings(np.exp(0.8 * rng.normal(0, 1, (9, n))))) for _ in range(200))
    assert seen / 200 > least


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": {}},
        {"a": {0: 1.0, 1: 2.0}},
        {"a": dict.fromkeys(range(9), 3.0)},
        {"a": {0: 1.0, 1: float("inf"), 2: 2.0}},
    ],
)
def test_arms_without_a_shape_say_nothing(values):
    assert (skewness(values), are_skewed(values)) == (None, False)


def test_one_arm_of_eight_seeds_is_skewed_by_dagostinos_test():
    far = dict(enumerate([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.02, 9.0]))
    assert is_skewed_sample(far)
    assert not is_skewed_sample(dict(enumerate(map(float, range(8)))))
    assert not is_skewed_sample({seed: far[seed] for seed in range(1, 8)})  # seven seeds


@pytest.mark.parametrize(("noise", "marked"), [(NORMAL, False), (LOGNORMAL, True)])
def test_rows_verdicts_and_the_paragraph_carry_the_mark(noise, marked):
    whole = made(noise)
    assert {SKEWED in each.badges for each in contrasts(whole)} == {marked}
    (found,) = verdicts_of(whole, {"says": "a0 < a1"})
    assert (SKEWED in found.badges) is marked
    findings = find(whole)
    own = [is_skewed_sample(each.values) for each in summarise(whole)]
    assert ("mean skewness" in (skewed(findings) or "")) is marked
    assert (skewed(findings) is not None) is (marked or any(own))
    table = arms_table(findings)
    place = [column.key for column in table.columns].index("note")
    assert [bool(row[place]) for row in table.rows] == [marked or mine for mine in own]


def test_a_sign_test_needs_no_such_mark():
    whole = made(LOGNORMAL)
    assert not any(SKEWED in each.badges for each in contrasts(whole, test="sign"))
    (found,) = verdicts_of(whole, {"says": "a0 < a1", "test": "sign"})
    assert SKEWED not in found.badges
