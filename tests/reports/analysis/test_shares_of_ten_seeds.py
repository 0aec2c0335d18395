"""From ten seeds on the intervals of variance shares are resampled; they must not be narrower for that."""

from itertools import product

import numpy as np

from reports.analysis import shares
from reports.results import Arm, State, Study, Trial

FACTORS = {"one": (0, 1), "two": (0, 1, 2)}


def study(rng, name):
    cells = list(product(*FACTORS.values()))
    arms = tuple(Arm(f"{a}{b}", {"one": a, "two": b}, {}, hash=f"{a}{b}") for a, b in cells)
    trials = tuple(
        Trial(f"{a}{b}/{seed}", f"{a}{b}", seed, State.COMPLETE, test_error=float(10 + a + 0.5 * b + noise))
        for a, b in cells
        for seed, noise in enumerate(rng.normal(0, 1, 10))
    )
    return Study(name, "", "", {}, FACTORS, {}, 95, arms, trials)


def mean_width(how):
    rng, widths = np.random.default_rng(3), []
    for at in range(12):
        found, _ = shares.study_shares(study(rng, f"s{at}"), draws=200)
        assert found.interval == how
        widths.append(found.shares[0].high - found.shares[0].low)
    return float(np.mean(widths))


def test_resampled_intervals_are_as_wide_as_those_from_the_residual_spread(monkeypatch):
    resampled = mean_width("seeds resampled")
    monkeypatch.setattr(shares, "FEWEST", 11)
    assert 1 < resampled / mean_width("from the residual spread") < 1.15
