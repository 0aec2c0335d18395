"""The optimisers of torch.optim: the same updates as torch's, alone, fused, and continued from a checkpoint."""

import pytest
import torch
from torch import nn

from search_spaces.errors import SettingError
from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.settings.recipe import complete_training
from trainers.step.optim import SGD
from trainers.step.torch_optim import OPTIMISERS, TorchOptimiser, make_optimiser

NAMES = tuple(OPTIMISERS)
DIGITS = {"name": "digits"}
TORCHS = {
    "adam": lambda parts: torch.optim.Adam(parts, lr=0.01, betas=(0.8, 0.999), weight_decay=0.1),
    "adamw": lambda parts: torch.optim.AdamW(parts, lr=0.01, betas=(0.8, 0.999), weight_decay=0.1),
    "rmsprop": lambda parts: torch.optim.RMSprop(parts, lr=0.01, momentum=0.8, weight_decay=0.1),
}


def settings(name, **changes):
    return complete_training({"optimizer": name, **changes}, DIGITS)


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 3))


def gradients(model, at):
    torch.manual_seed(at)
    return torch.autograd.grad(model(torch.randn(4, 1, 8, 8)).square().sum(), list(model.parameters()))


def step(reference, model, at):
    for parameter, gradient in zip(model.parameters(), gradients(model, at), strict=True):
        parameter.grad = gradient
    reference.step()


def assert_close(ours, theirs):
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_updates_are_torchs(name):
    ours, theirs = small(), small()
    own = make_optimiser(ours, settings(name, momentum=0.8, weight_decay=0.1))
    reference = TORCHS[name](theirs.parameters())
    for at in range(5):
        own.step(gradients(ours, at), 0.01)
        step(reference, theirs, at)
    assert_close(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_a_momentum_and_a_rate_that_are_set_anew_count_from_the_next_step_on(name):
    ours, theirs = small(), small()
    own = make_optimiser(ours, settings(name, momentum=0.8, weight_decay=0.1))
    reference = TORCHS[name](theirs.parameters())
    for at in range(4):
        own.momentum = momentum = 0.8 - 0.2 * at
        own.step(gradients(ours, at), 0.01 * (1 + at))
        for group in reference.param_groups:
            group["lr"] = 0.01 * (1 + at)
            group |= {"betas": (momentum, 0.999)} if "betas" in group else {"momentum": momentum}
        step(reference, theirs, at)
    assert_close(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_making_an_optimiser_moves_no_weight(name):
    model = small()
    before = [each.clone() for each in model.parameters()]
    own = TorchOptimiser(model, settings(name, weight_decay=0.3))
    assert all(torch.equal(*each) for each in zip(model.parameters(), before, strict=True))
    assert not any(each.any() for each in own.velocities)


@pytest.mark.parametrize("name", NAMES)
def test_a_rate_can_be_set_anew_and_weights_alone_decay_on_request(name):
    model = small()
    own = make_optimiser(model, settings(name, decay="weights", weight_decay=0.5))
    before = [each.clone() for each in model.parameters()]
    own.step([torch.zeros_like(each) for each in model.parameters()], 0.1)
    moved = [not torch.equal(*each) for each in zip(model.parameters(), before, strict=True)]
    assert moved == [each.dim() > 1 for each in model.parameters()]


@pytest.mark.parametrize("name", NAMES)
def test_fused_replicas_train_as_each_alone(name):
    together = Trainer(task(0, 1, data=TINY, optimizer=name, fuse="always", epochs=2))
    alone = [Trainer(task(seed, data=TINY, optimizer=name, epochs=2)) for seed in (0, 1)]
    for each in (together, *alone):
        while not each.finished:
            each.run_epoch()
    losses = {(record.seed, record.epoch): record.train_loss for record in together.records}
    for each in alone:
        for record in each.records:
            assert losses[record.seed, record.epoch] == pytest.approx(record.train_loss, rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_a_training_goes_on_from_its_checkpoint_bit_for_bit(name, seeds, tmp_path):
    asked = task(*seeds, data=TINY, optimizer=name, epochs=3, fuse="always")
    whole, part = Trainer(asked), Trainer(asked)
    part.run_epoch()
    part.save(tmp_path / "state.pt")
    resumed = Trainer.resume(asked, tmp_path / "state.pt")
    for each in (whole, resumed):
        while not each.finished:
            each.run_epoch()
    assert [vars(each)["train_loss"] for each in resumed.records] == [each.train_loss for each in whole.records]


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_the_schedule_sets_the_rate_and_a_cycle_the_momentum(name):
    schedule = {"name": "one_cycle", "momentum": [0.5, 0.6]}
    trainer = Trainer(task(data=TINY, optimizer=name, epochs=1, schedule=schedule))
    trainer.run_epoch()
    assert 0.5 <= trainer.replicas[0].optimiser.momentum <= 0.6


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_digits_are_learnt(name):
    trainer = Trainer(task(0, network_settings=network(), optimizer=name, lr=0.01, epochs=4))
    while not trainer.finished:
        trainer.run_epoch()
    assert trainer.records[-1].test_error < 20


# Settings


@pytest.mark.parametrize(
    ("name", "lr", "momentum", "decay"), [("adam", 1e-3, 0.9, 0), ("adamw", 1e-3, 0.9, 0.01), ("rmsprop", 0.01, 0, 0)]
)
@pytest.mark.parametrize("recipe", ["quick", "he2015_cifar"])
def test_defaults_are_torchs_and_not_the_recipes(name, lr, momentum, decay, recipe):
    found = settings(name, recipe=recipe)
    assert (found["lr"], found["momentum"], found["weight_decay"]) == (lr, momentum, decay)
    assert (found["nesterov"], found["momentum_form"]) == (False, "torch")
    assert found["schedule"].get("momentum") is None
    assert settings(name, lr=0.5)["lr"] == 0.5
    assert complete_training(found, DIGITS) == found


def test_sgd_is_the_default_and_leaves_no_trace_in_the_hash():
    assert settings("sgd") == complete_training({}, DIGITS)
    assert "optimizer" not in settings("sgd")
    assert isinstance(make_optimiser(small(), settings("sgd")), SGD)


@pytest.mark.parametrize(
    ("changes", "key", "part"),
    [
        ({"optimizer": "adamm"}, ("optimizer",), "adam"),
        ({"optimizer": 3}, ("optimizer",), "adam"),
        ({"optimizer": ["adam"]}, ("optimizer",), "optimizer"),
        (
            {"optimizer": "rmsprop", "schedule": {"name": "one_cycle", "momentum": [0.5, 0.6]}},
            ("schedule", "momentum"),
            "is for sgd, adam and adamw",
        ),
        ({"optimizer": "adam", "nesterov": True}, ("nesterov",), "nesterov is for sgd; adam has no such form"),
        ({"optimizer": "adam", "momentum_form": "caffe"}, ("momentum_form",), "is for sgd"),
        ({"optimizer": "adam", "momentum": 1}, ("momentum",), "must be below 1"),
        ({"optimizer": "adamw", "recipe": "he2016"}, ("schedule", "warmup", "lr"), "above the rate of 0.001"),
    ],
)
def test_what_an_optimiser_cannot_do_is_refused(changes, key, part):
    with pytest.raises(SettingError, match=part) as raised:
        complete_training(changes, DIGITS)
    assert raised.value.key == key
