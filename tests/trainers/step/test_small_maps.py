"""Convolutions of small maps as products are torch's convolutions."""

import pytest
import torch
from torch import nn

from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.step import small_maps
from trainers.step.small_maps import SmallMapConvolution, use_products


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("groups", "inputs", "outputs"), [(1, 3, 5), (3, 4, 4), (2, 1, 7)])
def test_gradients_are_torchs_in_double_precision(groups, inputs, outputs, order):
    x = torch.randn(6, groups * inputs, 2, 2).double().to(memory_format=order).requires_grad_()
    weight = torch.randn(groups * outputs, inputs, 3, 3).double().to(memory_format=order).requires_grad_()
    ours = SmallMapConvolution.apply(x, weight, groups)
    theirs = nn.functional.conv2d(x, weight, None, 1, 1, 1, groups)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    gradient = torch.randn_like(ours)
    for one, other in zip(*(torch.autograd.grad(each, (x, weight), gradient) for each in (ours, theirs)), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_a_training_with_them_learns_as_one_without(seeds, monkeypatch):
    asked = task(*seeds, data=TINY, network_settings=network(depth=14), epochs=1)
    monkeypatch.setattr(small_maps, "pays", lambda: False)
    without = Trainer(asked).run_epoch()
    monkeypatch.setattr(small_maps, "pays", lambda: True)
    pack = Trainer(asked)
    found = pack.run_epoch()
    trained = pack.pack._groups[0].network
    assert any("forward" in vars(module) for module in trained.modules())
    for one, other in zip(found, without, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)


def test_other_convolutions_and_other_maps_compute_as_before():
    layers = nn.Sequential(nn.Conv2d(2, 2, 1, bias=False), nn.Conv2d(2, 2, 3, 2, 1, bias=False), nn.Conv2d(2, 2, 3))
    assert use_products(layers) == 0
    layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    images = torch.randn(1, 2, 4, 4)
    expected = layer(images)
    assert use_products(layer) == 1
    assert torch.equal(layer(images), expected)


def test_maps_of_two_by_two_pixels_are_products_also_with_frozen_weights():
    layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    images = torch.randn(5, 2, 2, 2)
    expected = layer(images)
    use_products(layer)
    out = layer(images)
    assert type(out.grad_fn).__name__ == "SmallMapConvolutionBackward"
    torch.testing.assert_close(out, expected)
    layer.weight.requires_grad_(False)
    assert layer(images).grad_fn is None
    (gradient,) = torch.autograd.grad(layer(images.requires_grad_()).sum(), images)
    assert gradient.abs().sum() > 0


def test_second_derivatives_are_torchs():
    x, weight = torch.randn(2, 2, 2, 2).double().requires_grad_(), torch.randn(4, 1, 3, 3).double().requires_grad_()
    assert torch.autograd.gradgradcheck(lambda *each: SmallMapConvolution.apply(*each, 2), (x, weight))


def test_what_follows_may_work_in_place():
    images = torch.randn(4, 2, 2, 2)
    layers = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.ReLU(inplace=True))
    expected = layers(images)
    use_products(layers)
    out = layers(images)
    torch.testing.assert_close(out, expected)
    out.sum().backward()
    assert layers(images[:0]).shape == (0, 2, 2, 2)


@pytest.mark.parametrize(
    "changes",
    [{"activation": "full_preact"}, {"activation": "bn_after_add"}, {"activation": "conv relu conv | add | relu"}],
    ids=str,
)
def test_every_wiring_trains_as_without_them(changes, monkeypatch):
    asked = task(0, 1, data=TINY, network_settings=network(depth=14, **changes), epochs=1)
    monkeypatch.setattr(small_maps, "pays", lambda: False)
    without = Trainer(asked).run_epoch()
    monkeypatch.setattr(small_maps, "pays", lambda: True)
    for one, other in zip(Trainer(asked).run_epoch(), without, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-3)


def test_a_step_of_the_users_own_computes_as_torch_does(monkeypatch):
    monkeypatch.setattr(small_maps, "pays", lambda: True)
    trainer = Trainer(task(0, data=TINY, step="tests.trainers.step.step_example:doubled"))
    trainer.run_epoch()
    assert not any("forward" in vars(module) for module in trainer.replicas[0].network.modules())
