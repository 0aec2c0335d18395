"""Weight gradients by pairs of pixels are those of torch's convolutions."""

import pytest
import torch
from torch import nn

from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.step import small_maps
from trainers.step.small_maps import SmallMapConvolution, use_small_map_gradients


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("groups", "inputs", "outputs"), [(1, 3, 5), (3, 4, 4), (2, 1, 7)])
def test_gradients_are_torchs_in_double_precision(groups, inputs, outputs, order):
    x = torch.randn(6, groups * inputs, 2, 2).double().to(memory_format=order).requires_grad_()
    weight = torch.randn(groups * outputs, inputs, 3, 3).double().to(memory_format=order).requires_grad_()
    ours = SmallMapConvolution.apply(x, weight, groups)
    theirs = nn.functional.conv2d(x, weight, None, 1, 1, 1, groups)
    assert torch.equal(ours, theirs)
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
    assert use_small_map_gradients(layers) == 0
    layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    images = torch.randn(1, 2, 4, 4)
    expected = layer(images)
    assert use_small_map_gradients(layer) == 1
    assert torch.equal(layer(images), expected)


def test_maps_of_two_by_two_pixels_take_the_other_gradient_and_frozen_weights_do_not():
    layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    use_small_map_gradients(layer)
    assert type(layer(torch.randn(1, 2, 2, 2)).grad_fn).__name__ == "SmallMapConvolutionBackward"
    layer.weight.requires_grad_(False)
    assert layer(torch.randn(1, 2, 2, 2)).grad_fn is None
