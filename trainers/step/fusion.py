"""The networks of several seeds as one network: their channels side by side, their convolutions grouped.

One grouped convolution over K networks costs less than K convolutions where networks are narrow: vector units are
filled, and every call is paid once instead of K times. The arithmetic of each replica stays its own; only the order of
sums inside a convolution may differ, so a replica equals its solo run up to rounding
(tests/trainers/step/test_fusion.py).

Images of a fused network are (count, K * channels, height, width), the replicas' channels one after another, and its
logits (count, K * classes). Every fused parameter and buffer holds the replicas' tensors one after another.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces import shortcuts
from search_spaces.blocks import Unit
from search_spaces.layers import BatchNorm, NarrowProjection
from search_spaces.networks import highway, residual, vgg


class FusedLinear(nn.Linear):
    """K linear layers: (count, K * features) to (count, K * outputs)."""

    def __init__(self, count: int, features: int, outputs: int, bias: bool) -> None:
        super().__init__(features, count * outputs, bias)
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        """Multiply each replica's features with its own weights."""
        weight = self.weight.view(self.count, -1, self.in_features)
        features = x.reshape(len(x), self.count, -1).transpose(0, 1)
        result = torch.bmm(features, weight.mT).transpose(0, 1).flatten(1)
        return result if self.bias is None else result + self.bias


class FusedPad(nn.Module):
    """K zero-padded shortcuts (`search_spaces.shortcuts.Pad`): each replica's new channels follow its own."""

    def __init__(self, count: int, pad: shortcuts.Pad) -> None:
        super().__init__()
        self.count = count
        self.stride = pad.stride
        self.channels = pad.channels

    def forward(self, x: Tensor) -> Tensor:
        """Subsample and pad (count, K * C, H, W)."""
        x = x[:, :, :: self.stride, :: self.stride]
        replicas = x.view(len(x), self.count, -1, *x.shape[2:])
        return F.pad(replicas, (0, 0, 0, 0, 0, self.channels)).flatten(1, 2)


class FusedScalar(shortcuts.Shortcut):
    """K shortcuts with one learned factor on the residual."""

    factor: nn.Parameter

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Scale each replica's channels by its factor."""
        factors = self.factor.repeat_interleave(residual.shape[1] // len(self.factor))
        return shortcut, residual * factors[:, None, None]


def fuse(networks: Sequence[nn.Module]) -> nn.Module | None:
    """Return one network that computes what `networks`, all of one arm, compute; None where that is not known how.

    It has shapes only: `load` puts the replicas' values in. Networks with random parts (dropout, stochastic depth) are
    not fused, since their draws would be others than alone, nor are modules that this file does not know.
    """
    first = networks[0]
    if not can_fuse(first):
        return None
    device = next(first.parameters()).device
    with torch.device("meta"):  # values come with `load`, and drawing some here would disturb the caller's generator
        fused = _fuse(first, len(networks))
    return fused.to_empty(device=device)


def can_fuse(network: nn.Module) -> bool:
    """Whether `fuse` knows how to fuse networks like this one."""
    return all(_is_known(module) for module in network.modules())


def load(fused: nn.Module, networks: Sequence[nn.Module]) -> None:
    """Copy the replicas' parameters and buffers into the fused network."""
    for whole, parts in _pairs(fused, networks):
        for at, part in enumerate(parts):
            whole[at].copy_(part)


def store(fused: nn.Module, networks: Sequence[nn.Module]) -> None:
    """Copy the fused network's parameters and buffers back into the replicas."""
    for whole, parts in _pairs(fused, networks):
        for at, part in enumerate(parts):
            part.copy_(whole[at])


def split(whole: Tensor, parts: Sequence[Tensor]) -> Tensor:
    """Return the fused tensor `whole` seen as (K, *shape of a part)."""
    return whole.detach().view(len(parts), *parts[0].shape)  # the first dimension alone is divided


def _pairs(fused: nn.Module, networks: Sequence[nn.Module]) -> Iterator[tuple[Tensor, list[Tensor]]]:
    replicas = [dict(chain(each.named_parameters(), each.named_buffers())) for each in networks]
    for name, whole in chain(fused.named_parameters(), fused.named_buffers()):
        parts = [replica[name].detach() for replica in replicas]
        yield split(whole, parts), parts


def _fuse(module: nn.Module, count: int) -> nn.Module:
    if type(module) in _FUSERS:
        return _FUSERS[type(module)](module, count)
    return _with_children(module, count)


def _with_children(module: nn.Module, count: int) -> nn.Module:
    """Return a copy of `module` that treats all channels alike, around fused children."""
    result = copy.copy(module)
    result._modules = {name: None if child is None else _fuse(child, count) for name, child in module._modules.items()}
    return result


def _convolution(layer: Any, count: int) -> nn.Module:
    return nn.Conv2d(
        layer.in_channels * count,
        layer.out_channels * count,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups * count,
        layer.bias is not None,
    )


def _batch_norm(layer: Any, count: int) -> nn.Module:
    fused: nn.BatchNorm2d = type(layer)(layer.num_features * count, layer.eps, layer.momentum, layer.affine)
    fused.num_batches_tracked = None
    return fused


def _linear(layer: Any, count: int) -> nn.Module:
    return FusedLinear(count, layer.in_features, layer.out_features, layer.bias is not None)


def _scalar(shortcut: Any, count: int) -> nn.Module:
    fused = _with_children(shortcut, count)
    fused.__class__ = FusedScalar
    fused._parameters = {"factor": nn.Parameter(shortcut.factor.detach().repeat(count))}
    return fused


def _layer_scale(shortcut: Any, count: int) -> nn.Module:
    fused = _with_children(shortcut, count)
    fused._parameters = {"factors": nn.Parameter(shortcut.factors.detach().repeat(count, 1, 1))}
    return fused


_FUSERS: Mapping[type[nn.Module], Callable[[Any, int], nn.Module]] = {
    nn.Conv2d: _convolution,
    NarrowProjection: _convolution,
    nn.BatchNorm2d: _batch_norm,
    BatchNorm: _batch_norm,
    nn.Linear: _linear,
    shortcuts.Pad: lambda pad, count: FusedPad(count, pad),
    shortcuts.LearnedScalar: _scalar,
    shortcuts.LayerScale: _layer_scale,
}

# Modules that do the same to every channel, or only put their children together.
_CHANNELWISE = (
    nn.ReLU,
    nn.Identity,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.Sequential,
    Unit,
    shortcuts.Shortcut,
    shortcuts.NoShortcut,
    shortcuts.Scale,
    shortcuts.ExclusiveGate,
    shortcuts.ShortcutGate,
    shortcuts.Conv1x1,
    residual.ResidualNetwork,
    vgg.VGGNetwork,
    highway.HighwayNetwork,
    highway.HighwayLayer,
    highway._Pool,
)


def _is_known(module: nn.Module) -> bool:
    if getattr(module, "concat", False) or "forward" in vars(module):  # replaced by activation checkpointing
        return False
    return type(module) in _FUSERS or type(module) in _CHANNELWISE
