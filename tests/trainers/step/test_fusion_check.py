"""A network of the user's own is fused only where it computes the same; else its seeds train apart, and say why."""

import random
import re

import pytest
import torch

from search_spaces import complete_network
from tests.trainers.networks import TINY, task
from trainers import Trainer
from trainers.step import fusion_check

DIFFERS = "a step of the fused network raised|after (1 fused step|2 fused steps), .* is not what a replica"
ODD = {
    "circular": "padding_mode='circular'",
    "forward_hook": "has hooks",
    "forward_pre_hook": "has hooks",
    "gradient_hook": "has hooks",
    "module_gradient_hook": "has hooks",
    "cumulative": "momentum=None",
    "untracked": "no running statistics",
    "frozen_stem": "first.weight is frozen",
    "shared_layer": "used in several places",
    "tied_weights": "share their memory",
    "shared_memory": "share their memory",
    "spectral": "has hooks",
    "parametrized_spectral": "Parametrized",
    "parametrized": "Parametrized",
    "dropout": "Dropout",
    "subclassed_convolution": "ShiftedConv",
    "buffer_in_forward": DIFFERS,
    "mixed_channels": DIFFERS,
    "python_state": "changes attributes",
    "draws_from_torch": "draws random numbers",
    "draws_from_python": "draws random numbers",
    "draws_from_numpy": "draws random numbers",
    "replaced_forward": "forward pass replaced",
    "replaced_inner_function": "function of its own",
    "double_layer": "float64",
    "another_structure_a_seed": "differ in structure",
}


def finished(builder, *seeds):
    asked = task(
        *seeds, data=TINY, network_settings=complete_network({"family": f"tests.trainers.odd_networks:{builder}"})
    )
    trainer = Trainer(asked)
    while not trainer.finished:
        trainer.run_epoch()
    return trainer


def numbers(trainer, seed):
    return [(each.train_loss, each.test_loss, each.test_error) for each in trainer.records if each.seed == seed]


@pytest.mark.parametrize("builder", ODD)
def test_an_odd_network_trains_in_a_pack_as_it_does_alone(builder):
    pack = finished(builder, 0, 1, 2)
    telemetry = pack.outcomes()[0].telemetry
    assert telemetry["fused"] is False
    for seed in (0, 1, 2):
        assert numbers(pack, seed) == numbers(finished(builder, seed), seed)


@pytest.mark.parametrize("builder", ODD)
def test_the_telemetry_says_why_an_odd_network_is_not_fused(builder):
    found = finished(builder, 0, 1, 2).outcomes()[0].telemetry["not_fused_because"]
    assert re.search(ODD[builder], found), found


@pytest.mark.parametrize("builder", ["plain", "clamped_in_place"])
def test_a_network_of_the_users_own_that_computes_the_same_is_fused(builder):
    pack = finished(builder, 0, 1)
    telemetry = pack.outcomes()[0].telemetry
    assert telemetry["fused"] is True
    assert "not_fused_because" not in telemetry
    assert telemetry["pack_seeds"] == [0, 1]
    for (loss, *_), (alone, *_) in zip(numbers(pack, 1), numbers(finished(builder, 1), 1), strict=True):
        assert loss == pytest.approx(alone, rel=1e-3)


def test_comparing_leaves_the_generators_and_the_networks_as_they_are():
    torch.manual_seed(1)
    random.seed(1)
    expected = torch.rand(1), random.random()
    torch.manual_seed(1)
    random.seed(1)
    first = finished("plain", 0, 1)
    assert (torch.rand(1), random.random()) == expected
    assert numbers(first, 0) == numbers(finished("plain", 0, 1), 0)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_tensors_are_close_by_their_own_scale(scale):
    one = torch.tensor([1.0, 0.5]) * scale
    assert fusion_check._close(one, one * (1 + fusion_check.TOLERANCE / 2))
    assert not fusion_check._close(one, one * (1 + 3 * fusion_check.TOLERANCE))
    assert fusion_check._close(torch.zeros(2), torch.zeros(2))
    assert not fusion_check._close(torch.zeros(2) + scale, torch.zeros(2))
