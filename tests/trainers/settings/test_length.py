import pytest

from trainers import complete_training
from trainers.settings.length import cut_short


def training(**given):
    return complete_training(given, {"name": "cifar10"})


@pytest.mark.parametrize(
    ("given", "images", "expected"),
    [
        ({"recipe": "he2015_cifar", "epochs": 2}, 50_000, "never drops: it takes 782 steps"),
        ({"recipe": "he2016_cifar", "epochs": 1}, 50_000, "its 391 steps are all warm-up, at the rate 0.01"),
        ({"recipe": "he2016_cifar", "iterations": 40_000}, 50_000, "does not drop for the last time"),
        ({"recipe": "li2018", "epochs": 10}, 50_000, "never drops: it takes 10 epochs"),
        ({"recipe": "he2015_cifar", "epochs": 2, "batch_size": 100_000}, 50_000, "it takes 2 steps"),
    ],
)
def test_a_recipe_that_its_length_cuts_short_is_told(given, images, expected):
    assert expected in cut_short(training(**given), images)


@pytest.mark.parametrize(
    "given",
    [
        {"recipe": "quick", "epochs": 1},
        {"recipe": "densenet_cifar", "epochs": 4},
        {"recipe": "he2015_cifar"},
        {"recipe": "fb_resnet_torch_cifar"},
        {"recipe": "he2015_cifar", "epochs": 2, "schedule": {"unit": "fraction", "drops": [0.5, 0.75], "warmup": None}},
        {"schedule": "constant", "epochs": 1},
    ],
)
def test_a_recipe_of_its_own_length_or_in_shares_is_not(given):
    assert cut_short(training(**given), 50_000) is None


def test_the_remedy_that_is_told_is_one():
    told = cut_short(training(recipe="he2015_cifar", epochs=2), 50_000)
    assert "`schedule: {unit: fraction, drops: [0.5, 0.75]}`" in told
    remedied = training(recipe="he2015_cifar", epochs=2, schedule={"unit": "fraction", "drops": [0.5, 0.75]})
    assert cut_short(remedied, 50_000) is None
