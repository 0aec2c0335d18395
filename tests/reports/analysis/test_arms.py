"""The summary of one arm, at the edges: no trial, one trial, only fails, missing trials."""

import math

import pytest

from reports.analysis.arms import summarise, summarise_values
from reports.analysis.readings import generator, grid
from reports.results import Measurement
from reports.trials import State
from tests.reports.analysis.build import study


def test_an_arm_without_trials_says_so():
    (found,) = summarise(study([({"depth": 20}, [])]))
    assert (found.n, found.text, found.mean, found.fail_rate) == (0, "no result yet", None, None)


def test_one_seed_has_no_interval():
    (found,) = summarise(study([({"depth": 20}, [6.61])]))
    assert (found.text, found.low, found.sd) == ("6.61 (n=1)", None, None)


def test_only_fails_is_a_fail():
    (found,) = summarise(study([({"depth": 20}, [None, 88.0])]))
    assert (found.text, found.fails, found.mean, found.n_ok) == ("fail (2/2)", (0, 1), None, 0)


def test_trials_without_an_outcome_are_missing_and_not_fails():
    (found,) = summarise(study([({"depth": 20}, {0: 5.0, 1: State.FAILED, 2: State.PRUNED, 3: State.RUNNING})]))
    assert (found.n, found.n_fail, found.n_missing) == (1, 0, 3)


def test_a_single_survivor_among_few_fails_is_still_a_fail():
    assert summarise_values({0: 5.0, 1: math.inf}).text == "fail (1/2)"


def test_identical_seeds_are_flagged_and_get_no_interval():
    found = summarise_values({0: 6.5, 1: 6.5, 2: 6.5})
    assert found.flag is not None
    assert found.low is None


def test_the_training_error_of_a_trial_that_fails_on_the_test_set_is_a_number():
    made = study([({"depth": 20}, [88.0, None])], train={"depth=20": {0: 87.0}})
    assert grid(made, "train_error")["depth=20"] == {0: 87.0, 1: math.inf}


@pytest.mark.parametrize(
    ("path", "value"), [("layer_response.mean", 2.0), ("layer_response.std.max", 3.0), ("layer_response.std.0", 1.0)]
)
def test_a_measurement_is_read_by_its_path(path, value):
    found = Measurement("depth=20/0", "layer_response", {"mean": 2, "std": [1.0, 3.0]})
    assert grid(study([({"depth": 20}, [5.0])], measurements=[found]), path)["depth=20"] == {0: value}


def test_a_measurement_that_is_not_there_is_missing():
    assert grid(study([({"depth": 20}, [5.0])]), "layer_response.mean")["depth=20"] == {}


def test_every_purpose_has_its_own_random_numbers_and_always_the_same():
    first, again, other = (generator("s", "a", each).random() for each in ("x", "x", "y"))
    assert first == again != other
