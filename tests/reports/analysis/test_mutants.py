"""Facts that mutants of the analysis survived: each test tells the code from its nearest wrong neighbour."""

import numpy as np
import pytest

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import parse_claims
from reports.analysis.outliers import least_seeds, too_few_for_t
from reports.analysis.prospects import prospects
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
