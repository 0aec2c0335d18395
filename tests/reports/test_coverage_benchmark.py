"""The simulation of coverage: its studies have the truth that they are held against, and it tells a wrong interval."""

import numpy as np
import pytest

from benchmarks import coverage
from benchmarks.error_rates import NOISES, draw


@pytest.mark.parametrize(
    ("low", "high", "truth", "inside"),
    [(1, 3, 2, True), (1, 3, 4, False), (None, 3, -9, True), (1, None, 0, False), (None, None, 0, None)],
)
def test_an_open_end_holds_whatever_lies_there(low, high, truth, inside):
    assert coverage.holds(low, high, truth) is inside


def test_the_difference_is_that_of_the_second_arm_to_the_first():
    errors = draw(np.random.default_rng(0), NOISES["normal"], 2, 200, coverage.SHIFT)
    low, high = coverage.compared(errors, 200, "paired")
    assert low < coverage.SHIFT < high
    assert high - low < 0.5


def test_a_search_keeps_the_share_of_its_gain_that_the_confirmation_has():
    (found,) = coverage.confirmations(coverage.searched(2.0, {"a0": [10, 11, 12], "a1": [9.2, 9.8, 11]}))
    assert (found.searched_gain, found.survived) == (2.0, pytest.approx(0.5))
    assert found.survived_low < 0.5 < found.survived_high


@pytest.mark.parametrize(("truth", "holds"), [(1.0, True), (0.0, False)])
def test_an_interval_that_misses_the_truth_is_told(truth, holds):
    case = coverage.Interval("x", "normal", 5, lambda rng: coverage.holds(*sorted(rng.normal(1, 1, 6))[::5], truth))
    found = coverage.covered(case, 200, 1)
    assert found["holds"] is holds
    assert found["printed"] == 200


@pytest.mark.parametrize("case", [*coverage.intervals()][::7], ids=lambda case: case.name)
def test_intervals_are_simulated(case):
    found = coverage.covered(case, 4, 1)
    assert found == coverage.covered(case, 4, 1)
    assert 0 <= found["covered"] <= 1


@pytest.mark.parametrize("case", [*coverage.promises()][::5], ids=lambda case: case.name)
def test_promises_are_simulated(case):
    found = coverage.kept(case, 2, 1)
    assert found["made"] == 2
    assert 0 <= found["found"] <= 1


def test_a_promise_of_more_power_than_there_is_is_told():
    found = coverage.kept(coverage.Promise("x", 5, lambda rng: (0.8, bool(rng.random() < 0.5))), 200, 1)
    assert found["holds"] is False
