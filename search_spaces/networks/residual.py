"""What the residual families share: their settings, and a stem, stages of units, and a classifier put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from torch import Tensor, nn

from search_spaces.annotations import Depth, Named, Positive, Rows
from search_spaces.blocks import Unit, UnitShape, shortcut_convolves
from search_spaces.drawing import LABELS, Layers, ShortcutDrawing, UnitDrawing, shortcut_text
from search_spaces.errors import SettingError, with_key
from search_spaces.fusing import channelwise
from search_spaces.layers import layers, linear, pixel_mean
from search_spaces.settings import read_settings
from search_spaces.shortcuts import SHORTCUTS, complete_shortcut, projection_layers
from search_spaces.wiring import CONVS, EXPANSION, Wiring, parse_wiring, wiring_name

ShortcutSetting = Annotated[Any, Rows(lambda: Named(lambda: SHORTCUTS, "op", frozenset({"place"})))]


@dataclass(frozen=True, kw_only=True)
class ResidualSettings:
    """The settings that every residual family has. None stands for a default that follows from the others.

    width: channels of the first stage; each later stage has twice as many. Wide residual networks (arXiv:1605.07146):
        depth without their three projections (28 there is 26 here), width 16k, stem_width 16, full_preact, projection.
    stem_width: channels of the first convolution; the width.
    block: the convolutions of a unit. ``single`` is one 3×3 (the 1-layer skips of arXiv:1603.05027, table 3), ``basic``
        two, ``bottleneck`` 1×1, 3×3 and 1×1.
    activation: a placement's name or a wiring (`search_spaces.wiring`).
    shortcut: an operation's name, or a mapping with ``op`` and its arguments (`search_spaces.shortcuts`).
    downsample: where shapes change, the shortcut is padded (A), projected (B), or projected everywhere (C).
    projection_bn: batch normalisation after projections. By default where the branch's last convolution has one: so
        yes in ResNet's code, no in that of the 1001-layer networks.
    stride_in: the bottleneck convolution that has the stride: the first 1×1 in the papers and the code of the
        1001-layer networks, the 3×3 in fb.resnet.torch and torchvision.
    share_preactivation: where units with a lead activate before the split, besides the network's first unit:
        ``projection`` where the shortcut is a convolution (arXiv:1603.05027, appendix, and its code), ``stage_start``
        also in each stage's first unit, whatever its shortcut; ``stage_start_only`` in those alone, also where every
        shortcut is a convolution (preresnet of fb.resnet.torch: with options A and B the same as ``stage_start``).
    growth: the channels that each unit of a concat wiring adds; the stage's width shared among its units.
    """

    depth: Depth
    width: Positive
    stem_width: Positive | None = None
    block: Literal["single", "basic", "bottleneck"] | None = None
    activation: str = "original"
    shortcut: ShortcutSetting = field(default="identity")
    downsample: Literal["pad", "projection", "projection_everywhere"] | None = None
    projection_bn: bool | None = None
    stride_in: Literal["1x1", "3x3"] = "1x1"
    share_preactivation: Literal["projection", "stage_start", "stage_start_only"] = "projection"
    growth: Positive | None = None


def complete_residual(
    target: type[ResidualSettings], mapping: Mapping[str, Any], kind: str, block: str
) -> dict[str, Any]:
    """Check `mapping` against `target` and fill in what follows from the rest; `block` is the family's default."""
    settings = read_settings(target, mapping, kind)
    settings["block"] = settings["block"] or block
    settings["stem_width"] = settings["stem_width"] or settings["width"]
    wiring = with_key("activation", parse_wiring, settings["activation"], CONVS[settings["block"]])
    settings["activation"] = wiring_name(wiring)
    settings["shortcut"] = with_key("shortcut", complete_shortcut, settings["shortcut"], wiring.merge)
    if settings["growth"] is not None and wiring.merge != "concat":
        raise SettingError("growth is for wirings that concat; an add keeps the width", ("growth",))
    if settings["projection_bn"] is None:
        settings["projection_bn"] = wiring.ends_normalised
    return settings


@dataclass(frozen=True)
class Stage:
    """One stage: how many units, their channels inside the branch, and the stride of the first."""

    units: int
    planes: int
    stride: int


class ResidualNetwork(nn.Module):
    """Stem, stages of units, the tail's activation, global average pooling, classifier.

    `stages` is a Sequential of Sequentials of `Unit`; `tail` is None where the wiring has no lead.
    """

    fused = channelwise

    def __init__(self, stem: nn.Module, stages: nn.Sequential, tail: nn.Module | None, classifier: nn.Linear) -> None:
        super().__init__()
        self.stem = stem
        self.stages = stages
        self.tail = tail
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to logits (N, classes)."""
        features = self.stages(self.stem(images))
        if self.tail is not None:
            features = self.tail(features)
        logits: Tensor = self.classifier(pixel_mean(features))
        return logits


def wiring_of(settings: Mapping[str, Any]) -> Wiring:
    """Return the wiring of completed settings."""
    return parse_wiring(settings["activation"], CONVS[settings["block"]])


def assemble(settings: Mapping[str, Any], stem: nn.Module, plan: list[Stage], num_classes: int) -> ResidualNetwork:
    """Build the stages of `plan` behind `stem`, which has applied the wiring's stem tokens."""
    wiring = wiring_of(settings)
    channels, total, index = settings["stem_width"], sum(stage.units for stage in plan), 0
    stages = []
    for stage in plan:
        units = []
        for position in range(stage.units):
            stride = stage.stride if position == 0 else 1
            growth = (settings["growth"] or max(1, stage.planes // stage.units)) if wiring.merge == "concat" else 0
            changes = stride > 1 or (not growth and channels != stage.planes * EXPANSION[settings["block"]])
            lead = _lead(settings, index, position, changes)
            unit = Unit(settings, wiring, UnitShape(channels, stage.planes, stride, index, total, growth, lead))
            channels, index = unit.out_channels, index + 1
            units.append(unit)
        stages.append(nn.Sequential(*units))
    tail = nn.Sequential(*layers(wiring.tail, channels)) if wiring.tail else None
    return ResidualNetwork(stem, nn.Sequential(*stages), tail, linear(channels, num_classes))


def _lead(settings: Mapping[str, Any], index: int, position: int, changes_shape: bool) -> str:
    if index == 0:
        return "done"
    sharing = settings["share_preactivation"]
    if sharing != "projection" and position == 0:
        return "shared"
    if sharing == "stage_start_only":
        return "branch"
    return "shared" if shortcut_convolves(settings, changes_shape) else "branch"


_KERNELS = {"single": ("3×3",), "basic": ("3×3", "3×3"), "bottleneck": ("1×1", "3×3", "1×1")}


def draw_unit(settings: Mapping[str, Any]) -> UnitDrawing:
    """Return the drawing of a unit that changes no shape, from completed settings."""
    wiring = wiring_of(settings)
    shares = settings["share_preactivation"] != "stage_start_only" and shortcut_convolves(settings, changes_shape=False)
    shared = wiring.lead if shares else ()
    kernels = iter(_KERNELS[settings["block"]])
    branch = wiring.body if shared else wiring.branch
    unit = UnitDrawing(
        before=_labels(shared),
        branch=tuple(f"{next(kernels)} conv" if token == "conv" else LABELS[token] for token in branch),
        merge=wiring.merge,
        after=_labels(wiring.after),
    )
    if settings["shortcut"]["op"] == "none":
        return unit
    return replace(unit, shortcut=_draw_shortcut(settings), note=_note(settings))


def _draw_shortcut(settings: Mapping[str, Any]) -> ShortcutDrawing:
    operation = SHORTCUTS[settings["shortcut"]["op"]]
    drawn = operation.drawing(settings["shortcut"])
    return replace(drawn, layers=(*_projection(settings), *drawn.layers))


def _projection(settings: Mapping[str, Any]) -> Layers:
    """The layers that `projection_everywhere` puts in front of an operation that is no convolution itself."""
    is_own = SHORTCUTS[settings["shortcut"]["op"]].is_convolution
    if is_own or not shortcut_convolves(settings, changes_shape=False):
        return ()
    return projection_layers(settings["projection_bn"])


def _note(settings: Mapping[str, Any]) -> str:
    text, projection = shortcut_text(settings["shortcut"]), ", ".join(_projection(settings))
    return text if not projection else projection if text == "identity" else f"{projection}, {text}"


def _labels(tokens: Layers) -> Layers:
    return tuple(LABELS[token] for token in tokens)


def words(settings: Mapping[str, Any]) -> list[str]:
    """Put completed settings in words."""
    wiring = wiring_of(settings)
    drawing = draw_unit(settings)
    branch = ", ".join((*drawing.before, *drawing.branch))
    merge = {"add": "addition", "concat": "concatenation"}[wiring.merge]
    op = settings["shortcut"]["op"]
    lines = [
        f"Residual network with {settings['depth']} layers, {settings['block']} units, {settings['activation']}."
        if op != "none"
        else f"Plain network with {settings['depth']} layers, {settings['block']} units without shortcuts.",
        f"A unit: {branch}"
        + (f"; {merge}" if op != "none" else "")
        + (f"; then {', '.join(drawing.after)}." if drawing.after else "."),
    ]
    if op != "none":
        lines.append(f"Shortcut: {drawing.note}.")
        lines += _resizing(settings, wiring.merge)
    if wiring.lead:
        lines.append(_lead_in_words(settings, bool(drawing.before)))
    return lines


def _lead_in_words(settings: Mapping[str, Any], is_shared: bool) -> str:
    """Say where the lead's layers stand; `is_shared` where units that change no shape have them before the split."""
    lead = [LABELS[token] for token in wiring_of(settings).lead]
    first, stand = " and ".join(lead), "stands" if len(lead) == 1 else "stand"
    if settings["shortcut"]["op"] == "none":
        return f"One more {first} {'follows' if len(lead) == 1 else 'follow'} the last unit."
    before = f"The first unit's {first} {stand} before its split"
    if is_shared:
        before = f"Every unit's {first} {stand} before its split"
    elif settings["share_preactivation"] != "projection":
        before = f"In the first unit of each stage {first} {stand} before the split"
    elif shortcut_convolves(settings, changes_shape=True):
        before = f"In the first unit, and where shapes change, {first} {stand} before the split"
    return f"{before}; one more follows the last unit."


def _resizing(settings: Mapping[str, Any], merge: str) -> list[str]:
    if SHORTCUTS[settings["shortcut"]["op"]].is_convolution:
        return []
    padding = merge == "concat" and settings["downsample"] == "pad"
    return [f"Where shapes change: {'every second pixel' if padding else _RESIZING[settings['downsample']]}."]


_RESIZING = {
    "pad": "every second pixel, zeros for new channels (A)",
    "projection": "a 1×1 convolution (B)",
    "projection_everywhere": "a 1×1 convolution, as on every other shortcut (C)",
}
