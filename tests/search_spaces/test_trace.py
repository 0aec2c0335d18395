"""A trace takes short cuts where torch has no device to ask: it is the one that torch's own functions would give."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces import trace as traces
from search_spaces.networks.families import build_network
from search_spaces.trace import trace

NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {"family": "resnet_cifar", "depth": 8, "shortcut": "none"},
    "projection": {"family": "resnet_cifar", "depth": 8, "downsample": "projection"},
    "preact": {"family": "resnet_cifar", "depth": 11, "block": "bottleneck", "activation": "full_preact"},
    "exclusive gate": {"family": "resnet_cifar", "depth": 8, "shortcut": {"op": "exclusive_gate", "bias": -6}},
    "shortcut gate": {"family": "resnet_cifar", "depth": 8, "shortcut": {"op": "shortcut_gate", "bias": -6}},
    "scale": {"family": "resnet_cifar", "depth": 8, "shortcut": {"op": "scale", "shortcut": 0.5, "residual": 0.5}},
    "dropout": {"family": "resnet_cifar", "depth": 8, "shortcut": {"op": "dropout", "rate": 0.5}},
    "conv1x1": {"family": "resnet_cifar", "depth": 8, "shortcut": "conv1x1"},
    "imagenet": {"family": "resnet_imagenet", "depth": 18, "width": 8},
    "vgg": {"family": "vgg", "width": 8},
    "highway": {"family": "highway"},
    "densenet": {"family": "densenet", "depth": 22},
}


class Own(nn.Module):
    """A network of what networks of a user's own may hold."""

    def __init__(self, forward: Callable[["Own", Tensor], Tensor], convolution: nn.Module | None = None) -> None:
        super().__init__()
        self.first = convolution or nn.Conv2d(3, 10, 3)
        self.last = nn.Linear(10, 10)
        self.inner = forward

    def forward(self, images: Tensor) -> Tensor:
        return self.inner(self, images)


def pooled(of: Callable[[Tensor], Tensor]) -> Callable[[Own, Tensor], Tensor]:
    return lambda own, images: own.last(of(own.first(images)).mean((2, 3)))


def last(images: Tensor) -> Tensor:
    """Return (N, C, H, W) seen as (N, H, W, C)."""
    return images.permute(0, 2, 3, 1)


def in_order(x: Tensor) -> Tensor:
    """Return ten numbers an image of (N, H, W, C), through a view that only one order in memory allows."""
    return x.permute(0, 3, 1, 2).view(len(x), -1)[:, :10, None, None]


def in_memory(images: Tensor) -> Tensor:
    """Return images with the channels last in memory."""
    return images.contiguous(memory_format=torch.channels_last)


def flat(images: Tensor) -> Tensor:
    """Return ten numbers an image, by a copy where the order in memory asks for one."""
    return images.flatten(1)[:, :10, None, None]


ACTIVATIONS: dict[str, nn.Module] = {
    "relu": nn.ReLU(),
    "gelu": nn.GELU(),
    "gelu by tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "silu in place": nn.SiLU(inplace=True),
    "tanh": nn.Tanh(),
    "mish": nn.Mish(),
    "hardswish": nn.Hardswish(),
    "leaky relu": nn.LeakyReLU(0.2),
    "elu": nn.ELU(0.5),
    "relu to six": nn.ReLU6(),
    "softplus": nn.Softplus(2, 10),
}
OWN: dict[str, Callable[[], nn.Module]] = {
    "stride, dilation, padding": lambda: Own(pooled(F.relu), nn.Conv2d(3, 10, 3, stride=2, dilation=2, padding=3)),
    "groups": lambda: Own(pooled(F.relu), nn.Conv2d(3, 10, (1, 3), groups=1, bias=False)),
    "transposed": lambda: Own(pooled(F.relu), nn.ConvTranspose2d(3, 10, 3, stride=2)),
    "mean of all": lambda: Own(lambda own, images: own.last(own.first(images).mean((2, 3)) + images.mean())),
    "mean that keeps": lambda: Own(pooled(lambda x: x - x.mean((1, -1), keepdim=True))),
    "spread": lambda: Own(pooled(lambda x: x.mul_(x[:1]) * 2 + x[:, :1] / 3 + 1)),
    "doubles": lambda: Own(pooled(lambda x: (x + torch.ones((), dtype=torch.float64)).float())),
    "whole numbers": lambda: Own(pooled(lambda x: x * (torch.ones(10, 1, 1, dtype=torch.int64) * 2.5))),
    "no dropout": lambda: Own(pooled(lambda x: F.dropout(x, 0.0) + F.dropout(x, 0.3, training=False))),
    "dropout": lambda: Own(pooled(lambda x: F.dropout(F.dropout2d(x, 0.3), 0.3))),
    "pooled": lambda: Own(pooled(lambda x: F.max_pool2d(F.max_pool2d(x, 3, 2, 1), (2, 3), dilation=2))),
    "pooled up": lambda: Own(pooled(lambda x: F.max_pool2d(x, 4, ceil_mode=True))),
    "one minus": lambda: Own(pooled(lambda x: (1 - torch.sigmoid(x)).sub_(0.5))),
    "number first": lambda: Own(pooled(lambda x: torch.mul(2.0, x) + torch.add(1, x))),
    "minus, spread": lambda: Own(pooled(lambda x: torch.rsub(x[:, :1], x, alpha=2))),
    "mean of doubles": lambda: Own(pooled(lambda x: x * x.mean((2, 3), keepdim=True, dtype=torch.float64).float())),
    "mean of a number": lambda: Own(pooled(lambda x: x + x.mean().mean(0))),
    "channels last": lambda: Own(
        pooled(lambda x: in_order(F.dropout(torch.sigmoid(1 - last(x)) + 1.0, 0.3) * last(x)))
    ),
    "spread to channels last": lambda: Own(pooled(lambda x: in_order(torch.ones(1, 1, 1, 10) * last(x)))),
    "weights channels last": lambda: Own(pooled(flat), nn.Conv2d(3, 10, 3).to(memory_format=torch.channels_last)),
    **{name: lambda layer=layer: Own(pooled(layer)) for name, layer in ACTIVATIONS.items()},
    "activation channels last": lambda: Own(pooled(lambda x: flat(F.leaky_relu(F.relu(in_memory(x)), 0.2)))),
    "activation of doubles": lambda: Own(pooled(lambda x: F.softplus(F.elu(x.double())).float())),
    "normalised and pooled channels last": lambda: Own(
        pooled(lambda x: flat(F.max_pool2d(F.batch_norm(in_memory(x), None, None, training=True), 2)))
    ),
}


def with_bias(network: Own, bias: Tensor) -> Own:
    network.last.bias = nn.Parameter(bias)
    return network


WRONG: dict[str, Callable[[], nn.Module]] = {
    "channels": lambda: Own(pooled(F.relu), nn.Conv2d(4, 10, 3)),
    "pooled too small": lambda: Own(pooled(lambda x: F.max_pool2d(x, 40))),
    "padded too much": lambda: Own(pooled(lambda x: F.max_pool2d(x, 2, 1, 2))),
    "too small": lambda: Own(pooled(F.relu), nn.Conv2d(3, 10, 40)),
    "spread in place": lambda: Own(pooled(lambda x: x[:1].add_(x))),
    "shapes apart": lambda: Own(pooled(lambda x: x + x[:, :3])),
    "minus, shapes apart": lambda: Own(pooled(lambda x: torch.rsub(x, x[:, :3]))),
    "mean of a dimension too many": lambda: Own(lambda own, images: own.last(own.first(images).mean((2, 7)))),
    "mean of a dimension twice": lambda: Own(pooled(lambda x: x.mean((2, -2), keepdim=True))),
    "mean of whole numbers": lambda: Own(pooled(lambda x: x * x.long().mean((2, 3), keepdim=True))),
    "pooled without a step": lambda: Own(pooled(lambda x: F.max_pool2d(x, 2, (0, 1)))),
    "pooled without a gap": lambda: Own(pooled(lambda x: F.max_pool2d(x, 2, dilation=0))),
    "pooled by nothing": lambda: Own(pooled(lambda x: F.max_pool2d(x, 0, 1))),
    "padded by less than nothing": lambda: Own(pooled(lambda x: F.max_pool2d(x, 2, padding=-1))),
    "bias": lambda: with_bias(Own(pooled(F.relu)), torch.empty(7)),
    "features": lambda: Own(lambda own, images: own.last(images.flatten(1))),
}


@pytest.mark.parametrize(
    "build",
    [*(lambda each=each: build_network(each, (3, 32, 32), 10) for each in NETWORKS.values()), *OWN.values()],
    ids=[*NETWORKS, *OWN],
)
def test_a_trace_is_that_of_torchs_own_functions(
    build: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = trace(build, (3, 32, 32))
    monkeypatch.setattr(traces, "SHORT_CUTS", {})
    assert short == trace(build, (3, 32, 32))


@pytest.mark.parametrize("build", WRONG.values(), ids=WRONG)
def test_what_torch_refuses_is_refused_with_its_words(
    build: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((RuntimeError, IndexError)) as short:
        trace(build, (3, 32, 32))
    monkeypatch.setattr(traces, "SHORT_CUTS", {})
    with pytest.raises((RuntimeError, IndexError)) as whole:
        trace(build, (3, 32, 32))
    assert repr(short.value) == repr(whole.value)


@pytest.mark.parametrize("fill", [Tensor.uniform_, Tensor.normal_, Tensor.bernoulli_])
def test_a_tensor_that_a_builder_keeps_in_memory_is_filled(fill: Callable[[Tensor], Tensor]) -> None:
    filled = []

    def build() -> nn.Module:
        filled.append(fill(torch.full((4,), 7.0, device="cpu")))
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 10))

    trace(build, (3, 2, 2))
    assert 7.0 not in filled[0].tolist()
