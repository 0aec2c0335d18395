"""Narrow projections: what oneDNN gets wrong on some processors does not reach a training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from search_spaces import build_network
from search_spaces.layers import VECTOR, NarrowProjection, conv, keep_clear

ROOT = str(Path(__file__).parents[2])
TRAIN_NARROW_PROJECTIONS = f"""
import torch
from search_spaces.layers import conv

torch.set_num_threads(1)
for channels in range(1, {VECTOR + 1}):
    layer = conv(channels, 2 * channels, 1, stride=2).to(memory_format=torch.channels_last)
    for _ in range(3):
        images = torch.empty((64, channels, 16, 16), memory_format=torch.channels_last).normal_().requires_grad_()
        layer(images).sum().backward()
"""


@pytest.mark.slow
def test_narrow_projections_train_in_channels_last_on_a_processor_without_avx_512():
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "PYTHONPATH": ROOT}
    finished = subprocess.run(
        [sys.executable, "-c", TRAIN_NARROW_PROJECTIONS], env=environment, capture_output=True, text=True, timeout=100
    )
    assert finished.returncode == 0, finished.stderr  # nn.Conv2d ends with a signal here


@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [7, 8])
def test_a_narrow_projection_computes_what_a_convolution_does(stride, order, size):
    torch.manual_seed(0)
    narrow = conv(VECTOR - 1, 5, 1, stride, bias=0.5).double().to(memory_format=order)
    plain = nn.Conv2d(VECTOR - 1, 5, 1, stride).double()
    plain.load_state_dict(narrow.state_dict())
    images = torch.randn(3, VECTOR - 1, size, size).double()
    mine, reference = torch.empty_like(images, memory_format=order).copy_(images), images.clone()
    mine.requires_grad_(), reference.requires_grad_()
    ours, expected = narrow(mine), plain(reference)
    torch.testing.assert_close(ours, expected, check_stride=False)
    weights = torch.randn_like(expected)
    (ours * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(mine.grad, reference.grad, check_stride=False)
    torch.testing.assert_close(narrow.weight.grad, plain.weight.grad, check_stride=False)
    if order is torch.channels_last:
        assert ours.is_contiguous(memory_format=order)


def test_a_familys_own_projection_is_kept_clear_too():
    family = {"family": "tests.search_spaces.plugin_example:projects"}
    assert type(build_network(family, (3, 8, 8))[0]) is NarrowProjection
    assert type(build_network(family, (VECTOR, 8, 8))[0]) is nn.Conv2d


@pytest.mark.parametrize("settings", [{"groups": 2}, {"padding": 1}, {"stride": 1}, {"kernel_size": 3}])
def test_a_projection_that_torch_computes_rightly_is_left_alone(settings):
    layer = nn.Conv2d(4, 4, **{"kernel_size": 1, "stride": 2, **settings})
    assert type(keep_clear(layer)) is nn.Conv2d


def test_every_other_convolution_is_torchs_own():
    assert type(conv(VECTOR, 16, 1, 2)) is nn.Conv2d
    assert type(conv(4, 8, 3, 2)) is nn.Conv2d
    assert type(conv(4, 8, 1)) is nn.Conv2d
