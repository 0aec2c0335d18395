import math

import numpy as np
import pytest
from scipy import stats

from reports.analysis import assurance
from reports.analysis.claims import parse_claims
from reports.analysis.effects import Student
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

FACTORS = {"variant": ("original", "preact")}
(CLAIM,) = parse_claims([{"id": "x", "says": "preact < original"}], FACTORS)


def test_possible_truths_have_the_posterior_of_a_normal_mean():
    drawn = assurance.possible([Student("paired", 4, 1.0, 0.3, 3)])
    # Student's t with 3 degrees of freedom, at the estimate and scaled by its standard error.
    assert np.median(drawn.effect) == pytest.approx(1.0, abs=0.05)
    quartile = 1 + 0.3 * stats.t.ppf(0.75, 3)
    assert np.quantile(drawn.effect, 0.75) == pytest.approx(quartile, abs=0.05)


@pytest.mark.parametrize("pilot", [3, 5, 8])
def test_assurance_is_the_share_of_fresh_studies_that_decide(pilot):
    """Truths from a wide prior, a pilot of each, and a fresh study: the assurance told by the pilot is calibrated."""
    rng = np.random.default_rng(7)
    told, came = [], []
    for truth in rng.uniform(-3, 3, 1500):
        first = rng.normal(truth, 1, pilot)
        effect = Student("paired", pilot, first.mean(), first.std(ddof=1) / math.sqrt(pilot), pilot - 1)
        draws = assurance.possible([effect])
        told.append(assurance.decided(CLAIM, draws, np.full(assurance.DRAWS, 8.0), 0.05, "every").mean())
        fresh = rng.normal(truth, 1, 8)
        came.append(abs(fresh.mean() / fresh.std(ddof=1) * math.sqrt(8)) > stats.t.ppf(0.975, 7))
    assert np.mean(told) == pytest.approx(np.mean(came), abs=0.04)
    sure = np.array(told) > 0.9
    if sure.sum() > 50:
        assert np.array(came)[sure].mean() > 0.85


def test_the_seeds_needed_are_the_fewest_that_decide():
    draws = assurance.possible([Student("paired", 5, 0.8, 0.3, 4)])
    found = assurance.needed(CLAIM, draws, 0.05, 0.8, "every")
    known = np.isfinite(found)
    assert (assurance.decided(CLAIM, draws, np.where(known, found, 2), 0.05, "every")[known] >= 0.8).all()
    fewer = np.maximum(np.where(known, found, 3) - 1, 2)
    assert (assurance.decided(CLAIM, draws, fewer, 0.05, "every")[known & (found > 2)] < 0.8).all()


def test_an_undecided_claim_tells_the_range_of_seeds_and_the_assurance():
    made = study(
        [({"variant": "original"}, [5.0, 5.3, 5.1, 5.2, 4.9]), ({"variant": "preact"}, [4.8, 5.2, 5.0, 5.3, 4.9])]
    )
    (found,) = verdicts_of(made, {"says": "preact < original"})
    ahead = found.forecast
    assert ahead.needed_low < ahead.needed
    assert 0.2 < ahead.assurance < 0.8
    assert "If the effect is what it looks like, about" in found.sentence
    assert "in eight of ten" in found.sentence


@pytest.mark.parametrize(("effect", "margin"), [(0.0, 1.0), (0.2, 0.9), (0.9, 0.6), (2.0, 0.6), (-1.2, 0.4)])
def test_of_a_known_truth_an_equality_is_decided_as_often_as_among_simulated_seeds(effect, margin):
    (claim,) = parse_claims([{"id": "x", "says": "preact == original", "within": margin}], FACTORS)
    spread, n, rng = 0.7, 12, np.random.default_rng(8)
    draws = assurance.Draws(np.full((1, 2), effect), np.full((1, 2), spread), 1.0)
    data = rng.normal(effect, spread, (40_000, n))
    half = stats.t.ppf(0.975, n - 1) * data.std(axis=1, ddof=1) / math.sqrt(n)
    low, high = data.mean(axis=1) - half, data.mean(axis=1) + half
    came = ((low > -margin) & (high < margin)) | (low > margin) | (high < -margin)
    told = assurance.decided(claim, draws, np.full(2, float(n)), 0.05, "every")
    assert told == pytest.approx([came.mean()] * 2, abs=0.012)
