"""Residual units: a wiring and a shortcut made into one module."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from search_spaces.fusing import channelwise
from search_spaces.layers import ConvShape, layers
from search_spaces.shortcuts import SHORTCUTS, Pad, Place, build_shortcut, project
from search_spaces.wiring import EXPANSION, Wiring


@dataclass(frozen=True)
class UnitShape:
    """What a unit is built from besides the network's settings.

    `planes` are the channels inside the branch. `growth` is what a concat unit adds to its input, 0 for add. `lead`
    says where the wiring's lead stands: in the branch, ``shared`` before the split, or ``done`` by the stem.
    """

    in_channels: int
    planes: int
    stride: int
    index: int
    units: int
    growth: int
    lead: str


class Unit(nn.Module):
    """A residual unit; with the wiring ``conv bn relu conv bn | add | relu``: 3×3, BN, ReLU, 3×3, BN, add, ReLU.

    `shared` acts before the split (None where nothing does), then `branch` and `merge` (the shortcut), then `after`.
    """

    fused = channelwise

    def __init__(self, settings: Mapping[str, Any], wiring: Wiring, shape: UnitShape) -> None:
        super().__init__()
        out = shape.growth or shape.planes * EXPANSION[settings["block"]]
        tokens = wiring.branch if shape.lead == "branch" else wiring.body
        self.shared = (
            nn.Sequential(*layers(wiring.lead, shape.in_channels)) if shape.lead == "shared" and wiring.lead else None
        )
        self.branch = nn.Sequential(*layers(tokens, shape.in_channels, _convs(settings, shape, out)))
        self.merge = build_shortcut(settings["shortcut"], _place(settings, wiring, shape, out))
        self.out_channels = shape.in_channels + out if wiring.merge == "concat" else out
        merged_is_fresh = settings["shortcut"]["op"] != "none" or wiring.branch[-1] != "relu"
        self.after = (
            nn.Sequential(*layers(wiring.after, self.out_channels, overwrite=merged_is_fresh)) if wiring.after else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        if self.shared is not None:
            x = self.shared(x)
        merged: Tensor = self.merge(x, self.branch(x))
        return merged if self.after is None else self.after(merged)


def shortcut_convolves(settings: Mapping[str, Any], changes_shape: bool) -> bool:
    """Whether the shortcut of a unit goes through a convolution (a projection, or a 1×1 convolution everywhere)."""
    if settings["shortcut"]["op"] == "none":
        return False
    if SHORTCUTS[settings["shortcut"]["op"]].is_convolution:
        return True
    downsample = settings["downsample"]
    return downsample == "projection_everywhere" or (downsample == "projection" and changes_shape)


def _convs(settings: Mapping[str, Any], shape: UnitShape, out: int) -> list[ConvShape]:
    planes = shape.planes
    if settings["block"] == "single":
        return [(shape.in_channels, out, 3, shape.stride)]
    if settings["block"] == "basic":
        return [(shape.in_channels, planes, 3, shape.stride), (planes, out, 3, 1)]
    first, middle = (shape.stride, 1) if settings["stride_in"] == "1x1" else (1, shape.stride)
    return [(shape.in_channels, planes, 1, first), (planes, planes, 3, middle), (planes, out, 1, 1)]


def _place(settings: Mapping[str, Any], wiring: Wiring, shape: UnitShape, out: int) -> Place:
    def resize() -> nn.Module | None:
        if shortcut_convolves(settings, not place.same_shape):
            return project(place, settings["projection_bn"])
        return None if place.same_shape else Pad(place)

    place = Place(
        in_channels=shape.in_channels,
        out_channels=shape.in_channels if wiring.merge == "concat" else out,
        residual_channels=out,
        stride=shape.stride,
        index=shape.index,
        units=shape.units,
        merge=wiring.merge,
        resize=resize,
        overwrite=wiring.branch[-1] != "relu",
    )
    return place
