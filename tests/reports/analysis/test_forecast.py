"""The chances that seeds decide a claim are those of simulated seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.analysis.claims import parse_claims
from reports.analysis.forecast import chances, decision_probabilities
from reports.analysis.verdicts import judge
from tests.reports.analysis.build import study

SPREAD = np.array([0.9, -1.1, 0.2, 0.4, -0.4])
DRAWS = 40_000


def judged(effect, **said):
    """Return the claim on two arms whose seeds differ by `effect` in the mean, and its contexts."""
    first = effect + SPREAD - SPREAD.mean()
    made = study(
        [({"variant": "preact"}, [6.0] * 5), ({"variant": "original"}, list(6 + first))],
        baseline={"variant": "original"},
    )
    (claim,) = parse_claims([{"id": "x", **said}], made.factors)
    (verdict,) = judge(made, (claim,))
    return claim, verdict.contexts


def interval(mean, sd, n, alpha):
    half = stats.t.ppf(1 - alpha / 2, n - 1) * sd / math.sqrt(n)
    return mean - half, mean + half


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize(("effect", "margin"), [(0.0, 1.0), (0.5, 1.5), (0.2, 0.9), (2.0, 0.6), (-2.0, 0.6)])
def test_an_equality_is_decided_as_often_as_among_simulated_seeds(effect, margin, alpha):
    claim, contexts = judged(effect, says="preact == original", within=margin)
    n, rng = 12, np.random.default_rng(3)
    data = rng.normal(effect, SPREAD.std(ddof=1), (DRAWS, n))
    low, high = interval(data.mean(axis=1), data.std(axis=1, ddof=1), n, alpha)
    support, refute = chances(claim, contexts, n, alpha)
    assert support == pytest.approx(np.mean((low > -margin) & (high < margin)), abs=0.012)
    assert refute == pytest.approx(np.mean((low > margin) | (high < -margin)), abs=0.012)


@pytest.mark.parametrize(("effect", "margin"), [(0.9, 0.0), (0.9, 0.3), (-0.5, 0.2)])
def test_a_difference_is_decided_as_often_as_among_simulated_seeds(effect, margin):
    claim, contexts = judged(effect, says="preact < original", by=margin)
    n, rng = 9, np.random.default_rng(4)
    data = rng.normal(effect, SPREAD.std(ddof=1), (DRAWS, n))
    low, high = interval(data.mean(axis=1), data.std(axis=1, ddof=1), n, 0.05)
    support, refute = chances(claim, contexts, n, 0.05)
    assert support == pytest.approx(np.mean(low > margin), abs=0.012)
    assert refute == pytest.approx(np.mean(high < margin), abs=0.012)
    wider, _ = chances(claim, contexts, n, 0.05, scale=2.0)
    data = rng.normal(effect, 2 * SPREAD.std(ddof=1), (DRAWS, n))
    low, _ = interval(data.mean(axis=1), data.std(axis=1, ddof=1), n, 0.05)
    assert wider == pytest.approx(np.mean(low > margin), abs=0.012)


@pytest.mark.parametrize(("effect", "margin", "n"), [(0.0, 0.8, 9), (0.4, 1.2, 12), (1.5, 0.3, 8), (-1.5, 0.3, 8)])
def test_an_equality_is_decided_as_often_by_seeds_to_come_given_those_so_far(effect, margin, n):
    claim, contexts = judged(effect, says="preact == original", within=margin)
    sd, seen, rng = SPREAD.std(ddof=1), len(SPREAD), np.random.default_rng(5)
    coming = effect + rng.standard_t(seen - 1, DRAWS) * sd * math.sqrt(1 / (n - seen) + 1 / seen)
    low, high = interval((seen * effect + (n - seen) * coming) / n, sd, n, 0.05)
    support, refute = decision_probabilities(claim, contexts, n, 0.05)
    assert support == pytest.approx(np.mean((low > -margin) & (high < margin)), abs=0.012)
    assert refute == pytest.approx(np.mean((low > margin) | (high < -margin)), abs=0.012)
