"""What is known of an arm before it is trained: how much it costs, and which arms compute the same."""

from pathlib import Path

import pytest

from orchestrator.planning.plan import make_plan
from orchestrator.scheduling.arm_facts import (
    network_facts,
    plan_trials,
    trial_cost,
    trial_epochs,
    trial_images,
)
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml
from search_spaces.arm import Arm

TRAINED_ON = 1437  # images of digits


def arms_of(factors: str, training: str = "epochs: 2") -> dict[str, Arm]:
    text = f"study: facts\nnetwork: {{width: 1, depth: 8}}\nfactors: {factors}\ntraining: {{recipe: quick, {training}}}"
    plan = make_plan(check_study(parse_yaml(text, "a.yaml"), Path()))
    return {each.arm.name: each.arm for each in plan.arms}


def test_the_effect_of_arms_is_the_same_where_their_networks_compute_the_same() -> None:
    plain, scaled, identity = arms_of("{shortcut: [none, {op: scale, shortcut: 0.5}, identity]}").values()
    (spelt,) = arms_of("{shortcut: [{op: scale, shortcut: 1.0, residual: 1.0}]}").values()
    assert len({network_facts(each).effect for each in (plain, scaled, identity)}) == 3
    assert network_facts(spelt).effect == network_facts(identity).effect
    assert network_facts(plain).without_gradient == ()


@pytest.mark.parametrize(
    ("training", "images", "epochs"),
    [
        ("epochs: 2", 2 * TRAINED_ON, 2),
        ("iterations: 30, batch_size: 100", 3000, 3),
        ("iterations: 3, batch_size: 1437", 3 * TRAINED_ON, 3),
    ],
)
def test_images_are_counted_as_often_as_they_come(training: str, images: int, epochs: int) -> None:
    (arm,) = arms_of("{depth: [8]}", training).values()
    assert (trial_images(arm), trial_epochs(arm)) == (images, epochs)
    assert trial_cost(arm) == 3.0 * network_facts(arm).flops * images


def test_a_trial_is_known_by_settings_data_and_seed() -> None:
    one, other = arms_of("{depth: [8, 14]}").values()
    trials = [*plan_trials(one, (0, 1)), *plan_trials(other, (0,))]
    assert len({trial.id for trial in trials}) == 3
    assert [(trial.arm.name, trial.seed) for trial in trials] == [(one.name, 0), (one.name, 1), (other.name, 0)]
    assert {trial.fingerprint for trial in trials} == {trials[0].fingerprint}
    (again,) = arms_of("{depth: [14]}").values()
    assert plan_trials(again, (0,))[0].id == trials[2].id


def test_a_planned_arm_says_how_many_images_are_for_what() -> None:
    text = "study: facts\ndata: {name: digits, validation: 0.2}\nnetwork: {width: 1, depth: 8}\nseeds: 1\n"
    (arm,) = make_plan(check_study(parse_yaml(text, "a.yaml"), Path())).arms
    images = arm.description["images"]
    assert images["training"] + images["validation"] == TRAINED_ON
    assert images["validation"] == pytest.approx(0.2 * TRAINED_ON, abs=5)
    assert images["test"] == 360
