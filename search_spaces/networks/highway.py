"""Highway networks (arXiv:1507.06228): a learned gate shares each output between a transform and the input."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.annotations import Depth, Positive
from search_spaces.drawing import ShortcutDrawing, UnitDrawing
from search_spaces.errors import SettingError
from search_spaces.fusing import channelwise
from search_spaces.layers import BatchNorm, conv, linear, pixel_mean
from search_spaces.networks.family import Family
from search_spaces.settings import read_settings


@dataclass(frozen=True, kw_only=True)
class Highway:
    """Settings of a highway network laid out like the CIFAR residual networks, so that equal depths compare.

    The paper's CIFAR networks follow the FitNets' uneven widths; here are three stages of n layers, with max-pooling
    between them as in the paper.

    depth: 3n+2: the stem, n layers a stage, the classifier.
    gate_bias: where the transform gates' biases start; negative, so that layers start by carrying their input (the
        paper tried -1 to -10).
    batch_norm: in the transform, before its ReLU; the paper has none.

    width: channels of each layer.
    """

    depth: Depth = 20
    width: Positive = 16
    gate_bias: float = -2.0
    batch_norm: bool = False


def complete(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting, checked; SettingError for a depth that is not 3n+2."""
    settings = read_settings(Highway, mapping, "highway setting")
    depth = settings["depth"]
    if depth < 5 or (depth - 2) % 3:
        first = max(1, (depth - 2) // 3)
        near = ", ".join(str(3 * n + 2) for n in range(first, first + 3))
        raise SettingError(f"depth {depth} cannot be built: highway networks have 3n+2 layers, as {near}", ("depth",))
    return settings


def units(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Return how many layers each stage has; the first of a later stage has no gate."""
    return ((settings["depth"] - 2) // 3,) * 3


def draw_unit(settings: Mapping[str, Any]) -> UnitDrawing:
    """Return the drawing of a highway layer of completed settings."""
    return UnitDrawing(
        branch=("3×3 conv", *(("BN",) if settings["batch_norm"] else ()), "ReLU"),
        shortcut=ShortcutDrawing(
            shortcut_factor="1 − T", residual_factor="T", gate=("3×3 conv", "sigmoid"), gate_name="T"
        ),
        note=f"transform gate (bias {settings['gate_bias']:g})",
    )


class HighwayLayer(nn.Module):
    """H(x) T(x) + x (1 - T(x)), with H a 3×3 convolution and ReLU, T a 3×3 convolution and sigmoid (equation 3)."""

    fused = channelwise

    def __init__(self, channels: int, gate_bias: float, bn: bool) -> None:
        super().__init__()
        self.transform = _convolution(channels, channels, bn)
        self.gate = conv(channels, channels, 3, bias=gate_bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        gate = torch.sigmoid(self.gate(x))
        transformed: Tensor = self.transform(x)
        return x + gate * (transformed - x)


class HighwayNetwork(nn.Module):
    """Stem, three stages, global average pooling, classifier."""

    fused = channelwise

    def __init__(self, stem: nn.Module, stages: nn.Sequential, classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.stages = stages
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to logits (N, classes)."""
        logits: Tensor = self.classifier(pixel_mean(self.stages(self.stem(images))))
        return logits


class _Pool(nn.Module):
    """2×2 max-pooling, or nothing where one pixel is left."""

    fused = channelwise

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2) if min(x.shape[2:]) > 1 else x


def build(settings: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int) -> HighwayNetwork:
    """Build the network of completed settings for images (C, H, W)."""
    width, bn = settings["width"], settings["batch_norm"]
    stages = []
    for number, count in enumerate(units(settings)):
        channels = width * 2**number
        # A gate needs equal shapes, so the first layer of a later stage is a plain convolution.
        first: list[nn.Module] = [_Pool(), _convolution(channels // 2, channels, bn)] if number else []
        gated = count if number == 0 else count - 1
        stages.append(nn.Sequential(*first, *(HighwayLayer(channels, settings["gate_bias"], bn) for _ in range(gated))))
    stem = _convolution(input_shape[0], width, bn)
    return HighwayNetwork(stem, nn.Sequential(*stages), linear(4 * width, num_classes))


def _convolution(in_channels: int, out_channels: int, bn: bool) -> nn.Sequential:
    convolution = conv(in_channels, out_channels, 3, bias=None if bn else 0.0)
    norm = [BatchNorm(out_channels)] if bn else []
    return nn.Sequential(convolution, *norm, nn.ReLU(inplace=True))


def words(settings: Mapping[str, Any]) -> list[str]:
    """Put completed settings in words."""
    norm = ", batch normalisation" if settings["batch_norm"] else ""
    return [
        f"Highway network with {settings['depth']} layers in three stages.",
        f"A layer: H = 3×3 convolution{norm}, ReLU; T = 3×3 convolution, sigmoid; output H·T + x·(1 - T).",
        f"The gates' biases start at {settings['gate_bias']:g}. Between stages: max-pooling and a convolution.",
    ]


FAMILY = Family(complete, build, words, draw_unit, units, Highway)
