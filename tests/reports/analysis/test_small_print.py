"""What a verdict must say of itself: trends over all levels, fails of the better arm, spreads that differ, outliers."""

import math

import numpy as np
import pytest

from reports.analysis import pooled
from reports.analysis.badges import FAILS_MORE, NOT_MONOTONE, OUTLIERS
from reports.analysis.evidence import trend_weights
from reports.analysis.outliers import unseen_share
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

GROWS = {"says": "effect(preact, original) increases with depth"}


def leads(by_depth: dict[int, float], n: int = 5, noise: float = 0.05):
    rng = np.random.default_rng(2)
    results = []
    for depth, lead in by_depth.items():
        for variant, shift in (("original", 0.0), ("preact", -lead)):
            values = [float(each) for each in 6 + shift + rng.normal(0, noise, n)]
            results.append(({"variant": variant, "depth": depth}, values))
    return study(results)


@pytest.mark.parametrize("levels", [(20, 110), (20, 56, 110), (8, 14, 20, 32)])
def test_a_trend_is_the_slope_over_all_levels_times_their_range(levels):
    readings = np.array([0.3 * level + 1 for level in levels])
    assert np.dot(trend_weights(levels), readings) == pytest.approx(0.3 * (levels[-1] - levels[0]))
    noisy = np.random.default_rng(1).normal(size=len(levels))
    slope = np.polyfit(levels, noisy, 1)[0]
    assert np.dot(trend_weights(levels), noisy) == pytest.approx(slope * (levels[-1] - levels[0]))


def test_the_middle_levels_count():
    ends_alone = leads({20: 0.0, 32: 3.0, 44: 3.0, 56: 0.5})
    (found,) = verdicts_of(ends_alone, GROWS)
    assert NOT_MONOTONE in found.badges
    assert "3.0" in found.sentence
    assert found.estimate == pytest.approx(0.45, abs=0.15)


def test_a_steady_growth_carries_no_badge():
    (found,) = verdicts_of(leads({20: 0.0, 56: 1.0, 110: 2.5}), GROWS)
    assert found.verdict == "Supported"
    assert NOT_MONOTONE not in found.badges
    (found,) = verdicts_of(
        leads({20: 2.5, 56: 1.0, 110: 0.0}), {"says": GROWS["says"].replace("increases", "decreases")}
    )
    assert (found.verdict, NOT_MONOTONE in found.badges) == ("Supported", False)


def test_a_trend_tells_the_lead_at_each_level_where_there_are_more_than_two():
    (found,) = verdicts_of(leads({20: 0.0, 110: 2.5}, noise=0.01), GROWS)
    assert "The lead is" not in found.sentence
    (found,) = verdicts_of(leads({20: 0.5, 56: 1.0, 110: 2.5}, noise=0.001), GROWS)
    assert "The lead is 0.50 at 20, 1.00 at 56, 2.50 at 110." in found.sentence


def test_an_arm_that_fails_more_often_is_not_better_without_a_word():
    better = [None] * 4 + [5.0 + seed / 100 for seed in range(16)]
    made = study([({"v": "a"}, better), ({"v": "b"}, [6.0 + seed / 50 for seed in range(20)])])
    (found,) = verdicts_of(made, {"says": "a < b"})
    assert found.verdict == "Supported"
    assert FAILS_MORE in found.badges
    assert "Fails: v=b in 0 of 20 (0 to 17 %), v=a in 4 of 20 (6 to 44 %)." in found.sentence
    (found,) = verdicts_of(made, {"says": "b > a"})
    assert FAILS_MORE in found.badges
    (found,) = verdicts_of(made, {"says": "b < a"})
    assert FAILS_MORE not in found.badges


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_the_pooled_test_is_refused_where_spreads_differ(n):
    rng = np.random.default_rng(40 + n)
    sds = dict.fromkeys("abcdef", 0.1) | {"a": 1.0, "b": 1.0}
    made = study([({"v": name}, [float(each) for each in rng.normal(6, sd, n)]) for name, sd in sds.items()])
    (found,) = verdicts_of(made, {"says": "a < b", "test": "pooled"})
    assert found.contexts[0].test == "paired"
    assert "paired t" in found.contexts[0].note


def test_the_pooled_test_serves_arms_that_spread_alike():
    residual = np.array([-0.1, 0.0, 0.1, 0.05, -0.05])
    rows = {name: dict(enumerate(6 + np.roll(residual, at))) for at, name in enumerate("abcde")}
    model = pooled.fit(rows)
    assert (model.ratio, model.p_alike) == (pytest.approx(1, abs=0.2), pytest.approx(1, abs=0.05))


def test_the_share_of_outliers_that_seeds_can_miss():
    for n in (2, 3, 8, 20):
        assert (1 - unseen_share(n)) ** n == pytest.approx(0.05)


def test_verdicts_that_unseen_outliers_could_undo_say_so():
    small = study([({"v": "a"}, [5.0, 5.01, 5.02, 5.0, 5.01]), ({"v": "b"}, [5.5, 5.52, 5.53, 5.51, 5.52])])
    (found,) = verdicts_of(small, {"says": "a < b"})
    assert (found.verdict, OUTLIERS in found.badges) == ("Supported", True)
    assert "5 seeds cannot exclude them: even where 45 % of an arm's trainings are outliers" in found.sentence


def test_verdicts_that_no_outlier_below_a_fail_could_undo_carry_no_badge():
    large = study(
        [({"v": "a"}, [2.0 + seed / 50 for seed in range(12)]), ({"v": "b"}, [18.0 + seed / 40 for seed in range(12)])]
    )
    (found,) = verdicts_of(large, {"says": "a < b"})
    assert (found.verdict, OUTLIERS in found.badges) == ("Supported", False)
    (found,) = verdicts_of(large, {"says": "a < b", "by": 15})
    assert (found.verdict, OUTLIERS in found.badges) == ("Supported", True)


@pytest.mark.parametrize(("n", "some"), [(2, False), (3, False), (4, False), (5, True)])
def test_clean_seeds_of_an_arm_with_outliers_decide_from_five_on_and_only_with_the_badge(n, some):
    """One arm has outliers in a fifth of its seeds; both arms have the same mean."""
    rng = np.random.default_rng(11)
    decided = badged = 0
    for _ in range(200):
        far = rng.random(n) < 0.2
        skewed = 5.0 + np.where(far, 9.0, 0.0) - 0.2 * 9.0 + rng.normal(0, 0.1, n)
        made = study(
            [({"v": "a"}, [float(x) for x in skewed]), ({"v": "b"}, [float(x) for x in rng.normal(5, 0.1, n)])]
        )
        (found,) = verdicts_of(made, {"says": "a < b"})
        decided += found.verdict != "Inconclusive"
        badged += found.verdict != "Inconclusive" and OUTLIERS in found.badges
    assert (decided > 30) if some else (decided == 0)
    assert badged == decided
    assert math.isclose(unseen_share(3), 0.632, abs_tol=0.001)
