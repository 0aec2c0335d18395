import pytest
import torch

from search_spaces.errors import SettingError
from trainers.settings.recipe import complete_training
from trainers.settings.schedules import complete_schedule, learning_rate, momentum

CIFAR = {"name": "cifar10"}
PER_EPOCH = 391  # 50,000 images in batches of 128


def rates(training, total, per_epoch=PER_EPOCH):
    return [learning_rate(training, at, total, per_epoch) for at in range(total)]


def test_one_cycle_equals_torchs_at_every_step():
    training = complete_training({"recipe": "quick"}, {"name": "digits"})
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=230, pct_start=0.2)
    for at in range(230):
        assert learning_rate(training, at, 230, 23) == pytest.approx(optimiser.param_groups[0]["lr"], abs=1e-12)
        assert momentum(training, at, 230) == pytest.approx(optimiser.param_groups[0]["momentum"], abs=1e-12)
        optimiser.step()
        if at < 229:
            theirs.step()


@pytest.mark.parametrize(("total", "warmup"), [(5, 0.9), (7, 0.9), (3, 0.5), (2, 0.6)])
def test_the_shortest_cycles_end_where_they_should(total, warmup):
    training = complete_training({"lr": 0.3, "schedule": {"warmup": warmup}}, {"name": "digits"})
    assert learning_rate(training, total - 1, total, total) == pytest.approx(0.3 * 4e-6)


def test_he2016_warms_up_for_400_iterations_and_drops_at_32k_and_48k():
    training = complete_training({"recipe": "he2016"}, CIFAR)
    expected = [0.01] * 400 + [0.1] * 31_600 + [0.01] * 16_000 + [0.001] * 16_000
    assert rates(training, 64_000) == pytest.approx(expected)


def test_momentum_is_constant_unless_the_schedule_cycles_it():
    training = complete_training({"recipe": "he2016"}, CIFAR)
    assert {momentum(training, at, 64_000) for at in (0, 400, 63_999)} == {0.9}


def test_he2015_has_no_warm_up():
    training = complete_training({"recipe": "he2015_cifar"}, CIFAR)
    expected = [0.1] * 32_000 + [0.01] * 16_000 + [0.001] * 16_000
    assert rates(training, 64_000) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("recipe", "per_epoch", "epochs", "drops"),
    [
        ("resnet_1k_layers_code", 782, 200, [80, 121]),
        ("fb_resnet_torch_cifar", 391, 164, [80, 121]),
        ("li2018", 391, 300, [150, 225, 275]),
        ("densenet_cifar", 782, 300, [150, 225]),
        ("he2016_imagenet", 5005, 90, [30, 60]),
        ("he2015_imagenet", 5005, 119, [30, 60, 90]),
    ],
)
def test_step_recipes_divide_by_ten_after_whole_epochs(recipe, per_epoch, epochs, drops):
    data = {"name": "image_folder"} if "imagenet" in recipe else CIFAR
    training = complete_training({"recipe": recipe}, data)
    edges = [0, *drops, epochs]
    expected = [0.1 / 10**at for at in range(len(edges) - 1) for _ in range((edges[at + 1] - edges[at]) * per_epoch)]
    assert rates(training, epochs * per_epoch, per_epoch) == pytest.approx(expected)


def test_cosine_rises_then_falls_to_its_end():
    training = complete_training({"schedule": {"name": "cosine", "warmup": 0.5, "end": 0.0}, "lr": 1.0}, CIFAR)
    found = rates(training, 8, 8)
    assert found[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert found[4] == 1.0
    assert found[4:] == sorted(found[4:], reverse=True)


def test_constant_stays():
    training = complete_training({"schedule": "constant", "lr": 0.3}, CIFAR)
    assert rates(training, 5) == [0.3] * 5


@pytest.mark.parametrize(
    ("schedule", "key", "part"),
    [
        ("one_cicle", ("schedule",), 'did you mean "one_cycle"'),
        ({"name": "step", "drop": [1]}, ("schedule", "drop"), 'did you mean "drops"'),
        ({"name": "step", "unit": "epochs"}, ("schedule", "drops"), "list of epochs"),
        ({"name": "step", "drops": [0.75, 0.5]}, ("schedule", "drops"), "must rise"),
        ({"name": "step", "drops": [0.5, 2]}, ("schedule", "drops", 1), "from 0 to 1, not"),
        ({"name": "step", "warmup": {"rate": 1}}, ("schedule", "warmup", "rate"), "lr"),
        ({"name": "one_cycle", "momentum": [0, 0.9]}, ("schedule", "momentum", 0), "above 0"),
        ({"name": "one_cycle", "warmup": 2}, ("schedule", "warmup"), "from 0 to 1, not"),
    ],
)
def test_a_wrong_schedule_is_refused_where_it_stands(schedule, key, part):
    with pytest.raises(SettingError, match=part) as raised:
        complete_schedule(schedule)
    assert raised.value.key == key
