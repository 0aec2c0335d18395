"""Residual networks for large images: four stages behind a 7×7 convolution and a max-pooling, 18 to 200 layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from search_spaces.annotations import Depth, Positive
from search_spaces.errors import SettingError
from search_spaces.layers import layers
from search_spaces.networks import residual
from search_spaces.networks.family import Family
from search_spaces.networks.residual import (
    ResidualNetwork,
    ResidualSettings,
    Stage,
    assemble,
    complete_residual,
    wiring_of,
)

# arXiv:1512.03385, table 1; 200 layers from arXiv:1603.05027, section 5.
UNITS = {
    "basic": {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)},
    "bottleneck": {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)},
}


@dataclass(frozen=True, kw_only=True)
class ResNetImageNet(ResidualSettings):
    """Settings of arXiv:1512.03385, table 1, and arXiv:1603.05027, section 5.

    depth: 18 or 34 with basic units, 50, 101, 152 or 200 with bottlenecks; `block` follows from it.
    downsample: projection, the option B of the paper's deeper networks and of all later code.
    stem_pool: the max-pooling stands behind the stem's activation (ResNet's code, fb.resnet.torch), or in front of it
        (timm's resnetv2).
    """

    depth: Depth = 50
    width: Positive = 64
    stem_pool: Literal["after_activation", "before_activation"] = "after_activation"


def complete(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting, checked; SettingError for a depth that the papers do not have, listing those they have."""
    block = "basic" if mapping.get("depth") in list(UNITS["basic"]) else "bottleneck"
    settings = complete_residual(ResNetImageNet, mapping, "resnet_imagenet setting", block)
    settings["downsample"] = settings["downsample"] or "projection"
    if settings["depth"] not in UNITS.get(settings["block"], ()):
        choices = "; ".join(f"{', '.join(map(str, depths))} with {block} blocks" for block, depths in UNITS.items())
        raise SettingError(
            f"depth {settings['depth']} cannot be built with {settings['block']} blocks: there are {choices}",
            ("depth",),
        )
    return settings


def units(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Return how many units each stage has."""
    return UNITS[settings["block"]][settings["depth"]]


def build(settings: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int) -> ResidualNetwork:
    """Build the network of completed settings for images (C, H, W)."""
    width, stem_width = settings["width"], settings["stem_width"]
    convolution = layers(("conv",), input_shape[0], [(input_shape[0], stem_width, 7, 2)])
    activation = layers(wiring_of(settings).stem, stem_width, overwrite=True)
    pool: nn.Module = nn.MaxPool2d(3, stride=2, padding=1)
    if settings["stem_pool"] == "after_activation":
        stem = nn.Sequential(*convolution, *activation, pool)
    else:
        stem = nn.Sequential(*convolution, pool, *activation)
    plan = [Stage(count, width * 2**number, 1 if number == 0 else 2) for number, count in enumerate(units(settings))]
    return assemble(settings, stem, plan, num_classes)


FAMILY = Family(complete, build, residual.words, residual.draw_unit, units, ResNetImageNet)
