"""Residual networks for small images: three stages of units of one, two or three convolutions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

_LAYERS_A_UNIT_OF_EACH_STAGE = {"single": 3, "basic": 6, "bottleneck": 9}


@dataclass(frozen=True, kw_only=True)
class ResNetCifar(ResidualSettings):
    """Settings of arXiv:1512.03385, section 4.2, and arXiv:1603.05027, appendix.

    depth: 3n+2 with units of a single convolution (110), 6n+2 with basic units (20, 32, 44, 56, 110, 1202), 9n+2 with
        bottlenecks (164, 1001).
    downsample: by default projected with bottlenecks, padded with all others, as the two papers do.
    """

    depth: Depth = 20
    width: Positive = 16


def complete(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting, checked; SettingError for a depth that cannot be built, naming the nearest that can."""
    settings = complete_residual(ResNetCifar, mapping, "resnet_cifar setting", "basic")
    settings["downsample"] = settings["downsample"] or ("projection" if settings["block"] == "bottleneck" else "pad")
    units_a_stage(settings["depth"], settings["block"])
    return settings


def units(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Return how many units each stage has."""
    return (units_a_stage(settings["depth"], settings["block"]),) * 3


def build(settings: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int) -> ResidualNetwork:
    """Build the network of completed settings for images (C, H, W)."""
    units, width = units_a_stage(settings["depth"], settings["block"]), settings["width"]
    first = (input_shape[0], settings["stem_width"], 3, 1)
    stem = nn.Sequential(*layers(("conv", *wiring_of(settings).stem), input_shape[0], [first]))
    plan = [Stage(units, width, 1), Stage(units, 2 * width, 2), Stage(units, 4 * width, 2)]
    return assemble(settings, stem, plan, num_classes)


def units_a_stage(depth: int, block: str) -> int:
    """Return n of 3n+2, 6n+2 or 9n+2; SettingError (key ``depth``) where there is none."""
    step = _LAYERS_A_UNIT_OF_EACH_STAGE[block]
    units, rest = divmod(depth - 2, step)
    if rest or units < 1:
        first = max(1, units - 1)
        near = ", ".join(str(step * n + 2) for n in range(first, first + 4))
        raise SettingError(
            f"depth {depth} cannot be built with {block} blocks: {step}n+2 layers, for instance {near}", ("depth",)
        )
    return units


FAMILY = Family(complete, build, residual.words, residual.draw_unit, units, ResNetCifar)
