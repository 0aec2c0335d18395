import json

import numpy as np
import pytest

from search_spaces.arm import canonical_json, settings_hash
from search_spaces.errors import SettingError
from trainers import COSMETIC_SETTINGS, RECIPES, complete_training

DIGITS, CIFAR, FOLDER = {"name": "digits"}, {"name": "cifar10"}, {"name": "image_folder"}


def data_of(recipe):
    return FOLDER if recipe.endswith("imagenet") else CIFAR


@pytest.mark.parametrize("recipe", RECIPES)
def test_completing_twice_changes_nothing(recipe):
    once = complete_training({"recipe": recipe}, data_of(recipe))
    assert complete_training(once, data_of(recipe)) == once
    assert json.loads(json.dumps(once)) == once


def test_quick_is_the_default_recipe():
    assert complete_training({}, DIGITS)["recipe"] == "quick"


def test_he2016_is_as_published():
    found = complete_training({"recipe": "he2016"}, CIFAR)
    expected = {
        "iterations": 64_000,
        "epochs": None,
        "batch_size": 128,
        "lr": 0.1,
        "momentum": 0.9,
        "nesterov": False,
        "weight_decay": 1e-4,
        "decay": "all",
        "normalise": "pixel_mean",
        "augment": {"crop": 4, "flip": True, "resize": "none", "colour": False},
    }
    assert {key: found[key] for key in expected} == expected


def test_epochs_replace_iterations():
    found = complete_training({"recipe": "he2016", "epochs": 2}, CIFAR)
    assert (found["epochs"], found["iterations"]) == (2, None)


def test_one_field_of_a_recipes_schedule_can_be_changed():
    schedule = complete_training({"recipe": "he2016", "schedule": {"warmup": None}}, CIFAR)["schedule"]
    assert schedule["warmup"] is None
    assert schedule["drops"] == [32_000, 48_000]


@pytest.mark.parametrize("momentum", [0.9, 0.5])
@pytest.mark.parametrize("schedule", [None, {"warmup": 0.3}, {"momentum": None}])
def test_a_momentum_that_is_given_is_not_directions(momentum, schedule):
    given = {"momentum": momentum} | ({"schedule": schedule} if schedule else {})
    found = complete_training(given, DIGITS)
    assert (found["momentum"], found["schedule"]["momentum"]) == (momentum, None)
    assert complete_training(found, DIGITS) == found


def test_a_momentum_and_a_cycle_that_are_both_given_contradict_each_other():
    with pytest.raises(SettingError, match="give one of the two") as raised:
        complete_training({"momentum": 0.5, "schedule": {"momentum": [0.8, 0.9]}}, DIGITS)
    assert raised.value.key == ("momentum",)


def test_a_schedule_of_another_name_replaces_the_recipes():
    schedule = complete_training({"recipe": "he2016", "schedule": {"name": "cosine"}}, CIFAR)["schedule"]
    assert schedule == {"name": "cosine", "warmup": 0.0, "end": 0.0}


def test_numbers_have_one_form():
    numbers = complete_training({"lr": np.float32(0.5), "batch_size": np.int64(32), "epochs": 3.0}, DIGITS)
    assert canonical_json(numbers) == canonical_json(
        complete_training({"lr": 0.5, "batch_size": 32, "epochs": 3}, DIGITS)
    )


def test_text_is_never_a_number():
    with pytest.raises(SettingError, match=r"lr must be a number above 0, not '0.1'"):
        complete_training({"lr": "0.1"}, DIGITS)


def test_a_recipes_name_is_no_part_of_the_identity():
    named = [{"training": complete_training({"recipe": name}, CIFAR)} for name in ("he2016", "he2016_cifar")]
    assert settings_hash(named[0], COSMETIC_SETTINGS) == settings_hash(named[1], COSMETIC_SETTINGS)


@pytest.mark.parametrize(
    ("training", "data", "key", "part"),
    [
        ({"recipe": "quik"}, DIGITS, ("recipe",), 'did you mean "quick"'),
        ({"epoch": 3}, DIGITS, ("epoch",), 'did you mean "epochs"'),
        ({"epochs": 0}, DIGITS, ("epochs",), "a whole number from 1 to 1,000,000, not 0"),
        ({"epochs": 1e300}, DIGITS, ("epochs",), "a whole number from 1 to 1,000,000, not"),
        ({"epochs": 10**400}, DIGITS, ("epochs",), "a whole number from 1 to 1,000,000, not"),
        ({"epochs": True}, DIGITS, ("epochs",), "whole number"),
        ({"epochs": 3, "iterations": 5}, DIGITS, ("iterations",), "not both"),
        ({"lr": "fast"}, DIGITS, ("lr",), "number above 0"),
        ({"lr": float("nan")}, DIGITS, ("lr",), "number above 0"),
        ({"momentum": 1.5}, DIGITS, ("momentum",), "a number from 0 to 1, not 1.5"),
        ({"momentum": 0}, DIGITS, ("nesterov",), "momentum above 0"),
        ({"recipe": "he2016", "nesterov": True}, CIFAR, ("momentum_form",), "torch only"),
        ({"nesterov": False, "momentum_form": "caffe", "schedule": {"end": 0}}, DIGITS, ("schedule", "end"), "above 0"),
        ({"nesterov": "yes"}, DIGITS, ("nesterov",), "true or false"),
        (
            {"augment": {"crop": 4, "mirror": True}},
            DIGITS,
            ("augment", "mirror"),
            "known: colour, crop, crop_first, flip",
        ),
        ({"augment": {"colour": True}}, DIGITS, ("augment", "colour"), "for photographs"),
        ({"recipe": "he2016", "normalise": "channel"}, FOLDER, ("augment", "crop"), "image_folder can have"),
        ({"normalise": "pixel_mean"}, FOLDER, ("normalise",), "channel"),
        ({"init": {"conv": "xavier"}}, DIGITS, ("init", "conv"), "he_fan_in"),
        ({"schedule": 3}, DIGITS, ("schedule",), "mapping"),
        (1, DIGITS, (), "this must be a mapping"),
        (None, DIGITS, (), "this must be a mapping"),
    ],
)
def test_wrong_training_is_refused_where_it_stands(training, data, key, part):
    with pytest.raises(SettingError, match=part) as raised:
        complete_training(training, data)
    assert raised.value.key == key


def test_cropping_first_is_part_of_a_recipe_only_where_it_is_asked_for():
    assert complete_training({"recipe": "li2018"}, CIFAR)["augment"]["crop_first"] is True
    assert "crop_first" not in complete_training({"recipe": "fb_resnet_torch_cifar"}, CIFAR)["augment"]
    with pytest.raises(SettingError, match="needs a crop"):
        complete_training({"augment": {"crop_first": True}}, CIFAR)
