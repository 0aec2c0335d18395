"""What the methods say of the training: as a paper says it, and never a setting that another one overrides."""

from dataclasses import replace

import pytest

from reports.findings import find
from reports.sentences.training import training
from tests.reports.small import near, study

QUICK = {
    "recipe": "quick",
    "epochs": 10,
    "iterations": None,
    "batch_size": 64,
    "lr": 0.1,
    "momentum": 0.9,
    "nesterov": True,
    "momentum_form": "torch",
    "weight_decay": 0.0001,
    "decay": "all",
    "schedule": {"name": "one_cycle", "warmup": 0.2, "start": 0.04, "end": 4e-06, "momentum": [0.85, 0.95]},
    "augment": {"crop": 0, "flip": False, "resize": "none", "colour": False},
}


def told(*trainings):
    """Return the sentence of a study with an arm for each of these `training:` parts."""
    whole = study(("variant",), {(name,): near(3) for name in "abc"[: len(trainings)]})
    arms = zip(whole.arms, trainings, strict=True)
    changed = tuple(replace(arm, settings={**arm.settings, "training": each}) for arm, each in arms)
    return training(find(replace(whole, arms=changed)))


def test_the_quick_recipe_is_told_with_the_momentum_that_it_trains_with():
    assert told(QUICK, QUICK) == (
        "Training, the same in every arm: 10 epochs in batches of 64 images (recipe quick); SGD with Nesterov momentum "
        "(cycled between 0.85 and 0.95, against the learning rate) and weight decay 0.0001; a one-cycle learning rate "
        "that rises from 4 % of 0.1 to 0.1 over the first 20 % of the steps and falls to 0.0004 % of it; no "
        "augmentation. Every other setting stands under Provenance."
    )


STEPS = {"name": "step", "unit": "iterations", "drops": [32_000, 48_000], "factor": 0.1}
WARM = {"warmup": {"lr": 0.01, "iterations": 400}}
SCHEDULES = [
    (STEPS, "; learning rate 0.1, multiplied by 0.1 after 32,000 and 48,000 iterations;"),
    ({**STEPS, **WARM}, " iterations, the first 400 iterations at 0.01;"),
    ({**STEPS, "unit": "fraction", "drops": [0.5, 0.75]}, "multiplied by 0.1 after 50 % and 75 % of the training;"),
    ({"name": "cosine", "warmup": 0.0, "end": 0.0}, "; a learning rate that falls from 0.1 to zero along half a"),
    ({"name": "cosine", "warmup": 0.05, "end": 0.0}, "cosine, after a linear warm-up over the first 5 % of the steps;"),
    ({"name": "constant"}, "; a constant learning rate of 0.1;"),
]


@pytest.mark.parametrize(("schedule", "said"), SCHEDULES)
def test_each_schedule_says_where_its_rate_goes(schedule, said):
    assert said in told({**QUICK, "schedule": schedule})


OPTIMIZERS = [
    ({"momentum_form": "caffe", "nesterov": False}, "SGD with momentum 0.9 in Caffe's form and weight decay 0.0001"),
    (
        {"optimizer": "adamw", "nesterov": False, "weight_decay": 0.01},
        "AdamW with a first beta of 0.9 and weight decay",
    ),
    ({"weight_decay": 0}, "SGD with Nesterov momentum 0.9 and no weight decay"),
    ({"decay": "weights"}, "and weight decay 0.0001 of the weights alone"),
    ({"augment": {"crop": 4, "flip": True}}, "; augmentation by crops after padding by 4 pixels and mirror images."),
    ({"epochs": None, "iterations": 64_000}, "64,000 iterations in batches of 64 images"),
]


@pytest.mark.parametrize(("changes", "said"), OPTIMIZERS)
def test_optimizer_and_augmentation_are_named(changes, said):
    assert said in told({**QUICK, "schedule": {"name": "constant"}, **changes})


IN_PARTS = [
    (STEPS, "; the learning rate of each arm, multiplied by 0.1 after 32,000 and 48,000 iterations;"),
    ({"name": "cosine", "warmup": 0.0, "end": 0.0}, "; a learning rate that falls from its peak to zero along half a"),
    ({"name": "constant"}, "; a constant learning rate;"),
]


@pytest.mark.parametrize(("schedule", "said"), IN_PARTS)
def test_the_schedule_is_told_in_parts_of_the_rate_where_that_differs(schedule, said):
    shared = {**QUICK, "schedule": schedule}
    assert said in told(shared, {**shared, "lr": 0.05})


def test_what_differs_between_arms_is_not_told_as_the_same():
    said = told(QUICK, {**QUICK, "lr": 0.05, "optimizer": "rmsprop"})
    assert "10 epochs" in said
    assert "SGD" not in said
    assert "every arm apart from training.lr and training.optimizer: 10 epochs" in said
    assert "; a one-cycle learning rate that rises from 4 % of its peak to its peak over the first 20 % of" in said
    assert told({"lr": 0.1}, {"lr": 0.2}) is None
