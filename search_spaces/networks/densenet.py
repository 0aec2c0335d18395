"""Densely connected networks (arXiv:1608.06993): every layer sees the concatenated outputs of all before it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.annotations import Depth, Positive, Range, Rate
from search_spaces.drawing import LABELS, ShortcutDrawing, UnitDrawing
from search_spaces.errors import SettingError
from search_spaces.layers import ConvShape, layers, linear, pixel_mean
from search_spaces.networks.family import Family
from search_spaces.settings import read_settings

# Table 1 of the paper; 161 layers from its released code.
IMAGENET_LAYERS = {
    121: (6, 12, 24, 16),
    161: (6, 12, 36, 24),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
    264: (6, 12, 64, 48),
}
_BOTTLENECK_WIDTH = 4


@dataclass(frozen=True, kw_only=True)
class DenseNet:
    """Settings of a densely connected network; None stands for a default that follows from the others.

    layout: ``cifar`` has a 3×3 stem and three blocks, ``imagenet`` a 7×7 stem, max-pooling and four blocks.
    depth: in the CIFAR layout 3n+4, with bottlenecks 6n+4 (40; 100, 190, 250); else 121, 161, 169, 201 or 264.
    growth: channels that each layer adds (k); 12, in the ImageNet layout 32, and 48 with 161 layers.
    bottleneck: a 1×1 convolution to 4k channels in front of each 3×3 (the B of DenseNet-BC).
    compression: the share of channels that a transition keeps (0.5 is the C of DenseNet-BC).
    stem_width: channels of the first convolution: 2k with bottleneck and compression, else 16 in the paper (2k in its
        released code); twice the growth in the ImageNet layout.
    dropout: after every convolution but the first; 0.2 in the paper where the data are not augmented.
    """

    layout: Literal["cifar", "imagenet"] = "cifar"
    depth: Depth | None = None
    growth: Positive | None = None
    bottleneck: bool | None = None
    compression: Annotated[float, Range(low=0.01, high=1)] | None = None
    stem_width: Positive | None = None
    dropout: Rate = 0.0


def complete(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting, checked; SettingError for a depth that cannot be built."""
    settings = read_settings(DenseNet, mapping, "densenet setting")
    large = settings["layout"] == "imagenet"
    defaults = {"depth": 121, "growth": 32, "bottleneck": True, "compression": 0.5}
    if settings["depth"] == 161:
        defaults["growth"] = 48
    if not large:
        defaults = {"depth": 40, "growth": 12, "bottleneck": False, "compression": 1.0}
    for key, value in defaults.items():
        settings[key] = value if settings[key] is None else settings[key]
    if settings["stem_width"] is None:
        compressed = settings["bottleneck"] and settings["compression"] < 1
        settings["stem_width"] = 2 * settings["growth"] if large or compressed else 16
    _check_transitions(settings)
    return settings


def _check_transitions(settings: Mapping[str, Any]) -> None:
    """Raise SettingError (key ``compression``) where a transition keeps no channel."""
    channels = settings["stem_width"]
    for count in layers_a_block(settings)[:-1]:
        channels += count * settings["growth"]
        kept = int(channels * settings["compression"])
        if kept < 1:
            least = math.ceil(1000 / channels) / 1000
            raise SettingError(
                f"compression {settings['compression']:g} of {channels} channels leaves none for the next block: "
                f"{least:g} or more keeps one",
                ("compression",),
            )
        channels = kept


def layers_a_block(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Return how many dense layers each block has; SettingError (key ``depth``) where there is no such network."""
    depth = settings["depth"]
    if settings["layout"] == "imagenet":
        if depth not in IMAGENET_LAYERS:
            known = ", ".join(map(str, IMAGENET_LAYERS))
            raise SettingError(f"depth {depth} cannot be built in the imagenet layout: there are {known}", ("depth",))
        return IMAGENET_LAYERS[depth]
    step = 6 if settings["bottleneck"] else 3
    count, rest = divmod(depth - 4, step)
    if rest or count < 1:
        first = max(1, count)
        near = ", ".join(str(step * n + 4) for n in range(first, first + 3))
        kind = "with" if settings["bottleneck"] else "without"
        raise SettingError(f"depth {depth} cannot be built {kind} bottlenecks: {step}n+4 layers, as {near}", ("depth",))
    return (count,) * 3


def draw_unit(settings: Mapping[str, Any]) -> UnitDrawing:
    """Return the drawing of a dense layer of completed settings."""
    dropout = (f"dropout {settings['dropout']:g}",) if settings["dropout"] else ()
    kernels = ("1×1", "3×3") if settings["bottleneck"] else ("3×3",)
    layers_of = ((LABELS["bn"], LABELS["relu"], f"{kernel} conv", *dropout) for kernel in kernels)
    branch = tuple(label for layers in layers_of for label in layers)
    return UnitDrawing(branch=branch, shortcut=ShortcutDrawing(), merge="concat", note="identity")


class DenseLayer(nn.Module):
    """BN, ReLU, 3×3, or BN, ReLU, 1×1, BN, ReLU, 3×3; its output is appended to its input."""

    def __init__(self, channels: int, settings: Mapping[str, Any]) -> None:
        super().__init__()
        growth, inner = settings["growth"], _BOTTLENECK_WIDTH * settings["growth"]
        shapes: list[ConvShape] = [(channels, growth, 3, 1)]
        if settings["bottleneck"]:
            shapes = [(channels, inner, 1, 1), (inner, growth, 3, 1)]
        tokens = ("bn", "relu", "conv") * len(shapes)
        self.branch = nn.Sequential(*_with_dropout(layers(tokens, channels, shapes), settings["dropout"]))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C + growth, H, W)."""
        return torch.cat((x, self.branch(x)), 1)


class _Pool(nn.Module):
    """2×2 average pooling, or nothing where one pixel is left."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2) if min(x.shape[2:]) > 1 else x


class DenseNetwork(nn.Module):
    """Stem, dense blocks with transitions between them, BN, ReLU, global average pooling, classifier.

    `stages` holds the blocks; from the second on, each begins with the transition into it.
    """

    def __init__(self, stem: nn.Module, stages: nn.Sequential, tail: nn.Module, classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.stages = stages
        self.tail = tail
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to logits (N, classes)."""
        logits: Tensor = self.classifier(pixel_mean(self.tail(self.stages(self.stem(images)))))
        return logits


def build(settings: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int) -> DenseNetwork:
    """Build the network of completed settings for images (C, H, W)."""
    channels, stages = settings["stem_width"], []
    for number, count in enumerate(layers_a_block(settings)):
        stage: list[nn.Module] = []
        if number:
            kept = int(channels * settings["compression"])
            transition = layers(("bn", "relu", "conv"), channels, [(channels, kept, 1, 1)])
            stage += [*_with_dropout(transition, settings["dropout"]), _Pool()]
            channels = kept
        for _ in range(count):
            stage.append(DenseLayer(channels, settings))
            channels += settings["growth"]
        stages.append(nn.Sequential(*stage))
    tail = nn.Sequential(*layers(("bn", "relu"), channels))
    return DenseNetwork(_stem(settings, input_shape[0]), nn.Sequential(*stages), tail, linear(channels, num_classes))


def _stem(settings: Mapping[str, Any], channels: int) -> nn.Sequential:
    width = settings["stem_width"]
    if settings["layout"] == "cifar":
        return nn.Sequential(*layers(("conv",), channels, [(channels, width, 3, 1)]))
    convolution = layers(("conv", "bn", "relu"), channels, [(channels, width, 7, 2)])
    return nn.Sequential(*convolution, nn.MaxPool2d(3, stride=2, padding=1))


def _with_dropout(modules: list[nn.Module], rate: float) -> list[nn.Module]:
    if not rate:
        return modules
    return [
        each for layer in modules for each in ((layer, nn.Dropout(rate)) if isinstance(layer, nn.Conv2d) else (layer,))
    ]


def words(settings: Mapping[str, Any]) -> list[str]:
    """Put completed settings in words."""
    layer = "BN, ReLU, 1×1 convolution, " if settings["bottleneck"] else ""
    counts = ", ".join(map(str, layers_a_block(settings)))
    return [
        f"Densely connected network with {settings['depth']} layers, growth {settings['growth']}.",
        f"Blocks of {counts} layers: {layer}BN, ReLU, 3×3 convolution; the output is appended to the input.",
        f"Transitions keep {settings['compression']:.0%} of the channels and halve the size by average pooling.",
    ]


FAMILY = Family(complete, build, words, draw_unit, layers_a_block, DenseNet)
