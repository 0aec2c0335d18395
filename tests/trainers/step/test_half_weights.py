"""Copies of the weights in bf16 give what autocast gives, to the bit."""

import copy

import pytest
import torch
from torch import nn

from tests.trainers.networks import TINY, task
from tests.trainers.step.test_fusion import FUSABLE, UNFUSED, settings_of
from trainers import Trainer
from trainers.step.half_weights import HalfWeights
from trainers.step.pack_trainer import make_groups
from trainers.step.stopwatch import Stopwatch


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
@pytest.mark.parametrize("changes", [*FUSABLE.values(), *UNFUSED.values()], ids=[*FUSABLE, *UNFUSED])
def test_a_step_with_copied_weights_is_autocasts_to_the_bit(changes, seeds):
    asked = task(*seeds, data=TINY, network_settings=settings_of(changes), precision="bf16", batch_size=10)
    trainer = Trainer(asked)
    watch = Stopwatch(trainer.device, False)
    one, other = (copy.deepcopy(trainer.replicas) for _ in range(2))
    with_copies, with_autocast = (make_groups(each, asked.training, trainer.numerics, watch) for each in (one, other))
    for group in with_autocast:
        group.halves = None
    for groups in (with_copies, with_autocast):
        for group in groups:
            batch = group.join([next(iter(trainer.loader.train(0, 1))) for _ in group.replicas])
            group.begin()
            for _ in range(2):
                torch.manual_seed(0)
                group.step(batch, 0.1, 0.1)
            group.end()
    assert all(group.halves is not None for group in with_copies)
    for copied, cast in zip(one, other, strict=True):
        expected = cast.network.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in copied.network.state_dict().items())
        assert all(
            torch.equal(*each) for each in zip(copied.optimiser.velocities, cast.optimiser.velocities, strict=True)
        )


def test_fp32_has_no_copies():
    trainer = Trainer(task(0, data=TINY))
    (group,) = make_groups(trainer.replicas, trainer.task.training, trainer.numerics, Stopwatch(trainer.device, False))
    assert group.halves is None


def test_frozen_weights_are_not_copied():
    trained, frozen = nn.Conv2d(1, 2, 3), nn.Linear(2, 3)
    frozen.weight.requires_grad_(False)
    whole = nn.Sequential(trained, nn.Flatten(), frozen)
    halves = HalfWeights(whole, list(whole.parameters()))
    assert halves.names == ["0.weight", "0.bias", "2.bias"]
    assert [each.dtype for each in halves.inputs] == [torch.bfloat16, torch.bfloat16, torch.float32, torch.bfloat16]
