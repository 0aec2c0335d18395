"""VGG networks (arXiv:1409.1556, table 1): 3×3 convolutions in five stages, max-pooling, and a fully connected head."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.annotations import MOST, Positive, Range, Rate
from search_spaces.drawing import UnitDrawing
from search_spaces.fusing import channelwise
from search_spaces.layers import BatchNorm, conv, linear
from search_spaces.networks.family import Family
from search_spaces.settings import read_settings

_CONVS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_WIDTHS = (1, 2, 4, 8, 8)
_HEAD_SIZE = 7


@dataclass(frozen=True, kw_only=True)
class VGG:
    """Settings of a VGG network.

    width: channels of the first stage.
    batch_norm: after every convolution (torchvision's vgg16_bn); the paper, from before batch normalisation, has none.
    hidden: features of the two hidden layers of the head, which sees 7×7 pixels; 0 for global average pooling and one
        linear layer, as small images want it.
    dropout: in the head's hidden layers.

    depth: layers with weights: 11, 13, 16 or 19.
    """

    depth: Literal[11, 13, 16, 19] = 16
    width: Positive = 64
    batch_norm: bool = False
    hidden: Annotated[int, Range(low=0, high=MOST)] = 4096
    dropout: Rate = 0.5


def complete(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting, checked."""
    return read_settings(VGG, mapping, "vgg setting")


def units(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Return how many units, a convolution and its activation each, every stage has."""
    return _CONVS[settings["depth"]]


def draw_unit(settings: Mapping[str, Any]) -> UnitDrawing:
    """Return the drawing of one convolution of completed settings."""
    return UnitDrawing(branch=("3×3 conv", *(("BN",) if settings["batch_norm"] else ()), "ReLU"))


class VGGNetwork(nn.Module):
    """Five stages, each ended by 2×2 max-pooling while there is more than one pixel, and the head."""

    fused = channelwise

    def __init__(self, stages: nn.Sequential, classifier: nn.Module, head_size: int) -> None:
        super().__init__()
        self.stages = stages
        self.classifier = classifier
        self.head_size = head_size

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to logits (N, classes)."""
        features = F.adaptive_avg_pool2d(self.stages(images), self.head_size)
        logits: Tensor = self.classifier(features.flatten(1))
        return logits


def build(settings: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int) -> VGGNetwork:
    """Build the network of completed settings for images (C, H, W)."""
    channels, size = input_shape[0], min(input_shape[1:])
    stages = []
    for count, factor in zip(_CONVS[settings["depth"]], _WIDTHS, strict=True):
        stage: list[nn.Module] = []
        for _ in range(count):
            stage.append(conv(channels, settings["width"] * factor, 3, bias=0.0))
            channels = settings["width"] * factor
            stage += [BatchNorm(channels)] if settings["batch_norm"] else []
            stage.append(nn.ReLU(inplace=True))
        if size > 1:
            stage.append(nn.MaxPool2d(2))
            size //= 2
        stages.append(nn.Sequential(*stage))
    hidden = settings["hidden"]
    head = _head(channels, hidden, settings["dropout"], num_classes) if hidden else linear(channels, num_classes)
    return VGGNetwork(nn.Sequential(*stages), head, _HEAD_SIZE if hidden else 1)


def _head(channels: int, hidden: int, dropout: float, classes: int) -> nn.Sequential:
    first, second = nn.Linear(channels * _HEAD_SIZE**2, hidden), nn.Linear(hidden, hidden)
    last = nn.Linear(hidden, classes)
    for layer in (first, second, last):
        nn.init.normal_(layer.weight, 0, 0.01)
        nn.init.zeros_(layer.bias)
    hidden_layers = [each for layer in (first, second) for each in (layer, nn.ReLU(inplace=True), nn.Dropout(dropout))]
    return nn.Sequential(*hidden_layers, last)


def words(settings: Mapping[str, Any]) -> list[str]:
    """Put completed settings in words."""
    norm = ", each followed by batch normalisation and ReLU" if settings["batch_norm"] else ", each followed by ReLU"
    head = f"Two hidden layers of {settings['hidden']} with dropout {settings['dropout']:g}, then the classifier."
    return [
        f"VGG with {settings['depth']} layers: 3×3 convolutions{norm}; no shortcuts.",
        "Max-pooling ends each of five stages.",
        head if settings["hidden"] else "Global average pooling, then the classifier.",
    ]


FAMILY = Family(complete, build, words, draw_unit, units, VGG)
