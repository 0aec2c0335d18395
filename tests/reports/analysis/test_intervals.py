"""The interval of a spread: chi-squared for normal noise, wider where the values have heavy tails."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.analysis.intervals import critical_t, quantile_chi2, sd_interval


def covered(draw, truth, arms, n, studies=1500):
    rng = np.random.default_rng(7)
    found = [sd_interval(draw(rng, (arms, n)).tolist()) for _ in range(studies)]
    return np.mean([low <= truth <= high for low, high in found])


def test_even_values_get_the_chi_squared_interval():
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    low, high = sd_interval([values])
    sd = np.std(values, ddof=1)
    assert low == pytest.approx(sd * math.sqrt(4 / stats.chi2.ppf(0.975, 4)))
    assert high == pytest.approx(sd * math.sqrt(4 / stats.chi2.ppf(0.025, 4)))


@pytest.mark.parametrize("groups", [[], [[1.0]], [[2.0, 2.0], [3.0, 3.0, 3.0]]])
def test_without_a_spread_there_is_no_interval(groups):
    assert sd_interval(groups) is None


def test_an_outlier_widens_it_and_groups_count_their_own_means():
    even, far = [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1.0, 1.0, 1.0, 9.0]
    (low, high), (far_low, far_high) = sd_interval([even, even]), sd_interval([even, far])
    assert far_high / far_low > 1.5 * high / low
    moved = [[10 + each for each in even], even]
    assert sd_interval(moved) == pytest.approx((low, high))


@pytest.mark.parametrize(("arms", "n"), [(1, 5), (9, 5)])
def test_it_holds_the_spread_of_normal_noise(arms, n):
    assert covered(lambda rng, size: rng.normal(0, 1, size), 1.0, arms, n) > 0.94


@pytest.mark.parametrize(("arms", "n", "least"), [(1, 5, 0.83), (9, 5, 0.9)])
def test_it_holds_that_of_lognormal_noise_far_more_often_than_chi_squared(arms, n, least):
    """Chi-squared holds it in 75 % of studies of one arm, and in 55 % of nine arms."""
    truth = math.sqrt((math.exp(0.64) - 1) * math.exp(0.64))
    assert covered(lambda rng, size: np.exp(0.8 * rng.normal(0, 1, size)), truth, arms, n) > least


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_it_has_the_scale_of_the_values_however_small_or_large(scale):
    groups = [[1.0, 2.0, 4.0], [3.0, 3.5, 9.0]]
    low, high = sd_interval(groups)
    assert sd_interval([[scale * each for each in group] for group in groups]) == pytest.approx(
        (scale * low, scale * high), rel=1e-9, abs=0
    )


@pytest.mark.parametrize("df", [1, 2, 3.7, 9, 40.25, 1000])
def test_quantiles_are_those_of_scipys_distributions(df):
    for p in (0.005, 0.025, 0.5, 0.9, 0.975, 0.995):
        assert quantile_chi2(df, p) == stats.chi2.ppf(p, df)
        assert critical_t(df, p) == stats.t.ppf(0.5 + p / 2, df)
