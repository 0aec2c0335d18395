"""Shortcut operations: what happens to the signal that skips a residual branch, and how the two meet again.

To add one, write a subclass of `Shortcut` whose keyword arguments are its settings, override `weigh`, and name it in
`SHORTCUTS`; study files can use it at once, and `tests/search_spaces/test_shortcuts.py` runs the common checks on it.
One that draws random numbers says ``is_random = True``. The seeds of an arm are computed as one network, in which an
operation treats every channel alike; one that does not overrides `fused` (`search_spaces.fusing`). Diagrams show it as
a box with its name on the shortcut; `drawing` can say better.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.annotations import Rate, Share
from search_spaces.drawing import ShortcutDrawing
from search_spaces.errors import SettingError, unknown
from search_spaces.fusing import channelwise
from search_spaces.layers import BatchNorm, conv, every_pixel
from search_spaces.settings import read_settings


@dataclass(frozen=True)
class Place:
    """Where a shortcut stands.

    Channels are those of the unit's input and of the residual; `out_channels` is what the shortcut must have at the
    merge. `resize` makes the module that brings the shortcut to the merge's shape, None where it has that shape.
    `index` counts the network's units from 0 to `units` - 1. `overwrite` says that the residual's memory may be reused.
    """

    in_channels: int
    out_channels: int
    residual_channels: int
    stride: int
    index: int
    units: int
    merge: str
    resize: Callable[[], nn.Module | None]
    overwrite: bool

    @property
    def same_shape(self) -> bool:
        """Whether the unit's input already has the shape of the merge."""
        return self.stride == 1 and self.in_channels == self.out_channels


class Shortcut(nn.Module):
    """The identity shortcut, and the base of all others: ``x, residual -> shortcut(x) + residual``."""

    merges: ClassVar[tuple[str, ...]] = ("add", "concat")
    is_convolution: ClassVar[bool] = False
    is_random: ClassVar[bool] = False

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.resize = self.resizer(place)
        self.concat = place.merge == "concat"
        self.overwrite = place.overwrite

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Return what a diagram shows of the completed shortcut `settings`."""
        return ShortcutDrawing() if cls is Shortcut else ShortcutDrawing(layers=(settings["op"].replace("_", " "),))

    def resizer(self, place: Place) -> nn.Module | None:
        """Return the module that brings the shortcut to the merge's shape; None for the identity."""
        return place.resize()

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two signals as they enter the merge; `x` is the unit's input, `shortcut` the same, resized."""
        return shortcut, residual

    def fused(self, count: int) -> nn.Module | None:
        """Return the operation for `count` networks side by side (`search_spaces.fusing`); None where there is none."""
        return None if self.is_random or self.concat else channelwise(self, count)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """Merge the unit's input (N, C, H, W) with the residual branch's output."""
        shortcut = x if self.resize is None else self.resize(x)
        shortcut, residual = self.weigh(x, shortcut, residual)
        if self.concat:
            return torch.cat((shortcut, residual), 1)
        return residual.add_(shortcut) if self.overwrite else residual + shortcut


class NoShortcut(Shortcut):
    """A plain network: the residual branch alone, where shapes change too (arXiv:1512.03385, section 3.3)."""

    merges = ("add",)

    def resizer(self, place: Place) -> None:
        """Resize nothing: there is no shortcut."""

    def fused(self, count: int) -> nn.Module | None:
        """Return the operation for `count` networks side by side."""
        return channelwise(self, count)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return the residual."""
        return residual


class Scale(Shortcut):
    """Constant factors on the shortcut and on the residual (arXiv:1603.05027, section 3.1 and table 1).

    shortcut: the factor on the shortcut.
    residual: the factor on the residual branch.
    """

    def __init__(self, place: Place, *, shortcut: float = 0.5, residual: float = 1.0) -> None:
        super().__init__(place)
        self.factors = shortcut, residual

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the factors that are not 1."""
        shortcut, residual = ("" if settings[key] == 1 else f"{settings[key]:g}" for key in ("shortcut", "residual"))
        return ShortcutDrawing(shortcut_factor=shortcut, residual_factor=residual)

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Multiply each by its factor."""
        on_shortcut, on_residual = self.factors
        return (
            shortcut if on_shortcut == 1 else shortcut * on_shortcut,
            residual if on_residual == 1 else residual * on_residual,
        )


class Gate(Shortcut):
    """A gate g = sigmoid(1×1 convolution of the unit's input), its bias started at a constant.

    bias: the bias that the gate's convolution starts from.
    """

    merges = ("add",)
    layers: ClassVar[tuple[str, ...]] = ("1×1 conv", "sigmoid")

    def __init__(self, place: Place, *, bias: float = 0.0) -> None:
        super().__init__(place)
        self.gate = conv(place.in_channels, place.out_channels, 1, place.stride, bias=bias)


class ExclusiveGate(Gate):
    """Highway gating: g on the residual, 1 - g on the shortcut (arXiv:1603.05027, section 3.2)."""

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the gate on both paths."""
        return ShortcutDrawing(shortcut_factor="1 − g", residual_factor="g", gate=cls.layers)

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Share the signal between the two paths."""
        gate = torch.sigmoid(self.gate(x))
        return (1 - gate) * shortcut, gate * residual


class ShortcutGate(Gate):
    """Shortcut-only gating: 1 - g on the shortcut, the residual as it is (arXiv:1603.05027, section 3.2)."""

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the gate on the shortcut."""
        return ShortcutDrawing(shortcut_factor="1 − g", gate=cls.layers)

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Gate the shortcut."""
        return torch.sigmoid(-self.gate(x)) * shortcut, residual


class Conv1x1(Shortcut):
    """A 1×1 convolution on every shortcut (arXiv:1603.05027, section 3.3; option C of arXiv:1512.03385).

    The paper does not say whether batch normalisation follows it; that of option C does, so `bn` is on.

    bn: whether a batch normalisation follows.
    """

    is_convolution = True

    def __init__(self, place: Place, *, bn: bool = True) -> None:
        self.bn = bn
        super().__init__(place)

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the convolution and its batch normalisation."""
        return ShortcutDrawing(layers=projection_layers(settings["bn"]))

    def resizer(self, place: Place) -> nn.Module:
        """Convolve whether or not the shape changes."""
        return project(place, self.bn)


class Dropout(Shortcut):
    """Dropout on the shortcut (arXiv:1603.05027, section 3.4).

    With `rescale`, kept values are divided by 1 - rate in training, as today's libraries and Caffe do: the expectation
    is kept and the variance doubles at rate 0.5. Without, they are kept as they are and the shortcut is multiplied by
    1 - rate at test time: the reading in which the paper's "scale of λ with an expectation of 0.5" holds.

    rate: the share of values that is dropped.
    rescale: whether what is left is scaled up in training.
    """

    is_random = True

    def __init__(self, place: Place, *, rate: Rate = 0.5, rescale: bool = True) -> None:
        super().__init__(place)
        self.rate = rate
        self.rescale = rescale

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the dropout with its rate."""
        return ShortcutDrawing(layers=(f"dropout {settings['rate']:g}",))

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Drop values of the shortcut in training."""
        kept = F.dropout(shortcut, self.rate, self.training)
        return (kept if self.rescale else kept * (1 - self.rate)), residual


class LearnedScalar(Shortcut):
    """One learned factor on the residual, started at zero (SkipInit, arXiv:2002.10444; ReZero, arXiv:2003.04887).

    start: the factor before training.
    """

    def __init__(self, place: Place, *, start: float = 0.0) -> None:
        super().__init__(place)
        self.factor = nn.Parameter(torch.full((), start))

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the learned factor."""
        return ShortcutDrawing(residual_factor="α")

    def fused(self, count: int) -> nn.Module | None:
        """Return the operation for `count` networks, each with its factor; None where it cannot be."""
        if self.concat:
            return None
        result = copy.copy(self)
        result._parameters = {"factor": nn.Parameter(self.factor.detach().repeat(count))}
        return result

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Scale the residual; in a fused network each network's channels by its own factor."""
        if self.factor.dim() == 0:
            return shortcut, residual * self.factor
        factors = self.factor.repeat_interleave(residual.shape[1] // len(self.factor))
        return shortcut, residual * factors[:, None, None]


class LayerScale(Shortcut):
    """A learned factor a channel on the residual, started small (arXiv:2103.17239).

    start: the factors before training.
    """

    def __init__(self, place: Place, *, start: float = 1e-4) -> None:
        super().__init__(place)
        self.factors = nn.Parameter(torch.full((place.residual_channels, 1, 1), start))

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the learned factors."""
        return ShortcutDrawing(residual_factor="γ")

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Scale the residual channel by channel."""
        return shortcut, residual * self.factors


class StochasticDepth(Shortcut):
    """Residual branches dropped at random in training, scaled by their survival at test time (arXiv:1603.09382).

    `survival` is that of the last unit; with the ``linear`` schedule it falls evenly from 1 at the network's input,
    with ``constant`` every unit has it. The paper drops a unit for a whole batch; ``per: image`` draws for each image.

    survival: the share of batches in which the last unit's branch is there.
    schedule: whether survival falls with depth.
    per: whether a branch is dropped for a batch or for each image.
    """

    is_random = True

    def __init__(
        self,
        place: Place,
        *,
        survival: Share = 0.5,
        schedule: Literal["linear", "constant"] = "linear",
        per: Literal["batch", "image"] = "batch",
    ) -> None:
        super().__init__(place)
        share = (place.index + 1) / place.units if schedule == "linear" else 1.0
        self.survival = 1 - share * (1 - survival)
        self.per_image = per == "image"

    @classmethod
    def drawing(cls, settings: Mapping[str, Any]) -> ShortcutDrawing:
        """Draw the branch as there or not."""
        return ShortcutDrawing(residual_factor="0 or 1")

    def weigh(self, x: Tensor, shortcut: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Drop the residual in training; scale it in evaluation."""
        if not self.training:
            return shortcut, residual * self.survival
        shape = (residual.shape[0] if self.per_image else 1, 1, 1, 1)
        return shortcut, residual * torch.empty(shape, dtype=residual.dtype, device=residual.device).bernoulli_(
            self.survival
        )


SHORTCUTS: dict[str, type[Shortcut]] = {
    "identity": Shortcut,
    "none": NoShortcut,
    "scale": Scale,
    "exclusive_gate": ExclusiveGate,
    "shortcut_gate": ShortcutGate,
    "conv1x1": Conv1x1,
    "dropout": Dropout,
    "learned_scalar": LearnedScalar,
    "layer_scale": LayerScale,
    "stochastic_depth": StochasticDepth,
}


def complete_shortcut(value: str | Mapping[str, Any], merge: str = "add") -> dict[str, Any]:
    """Return ``{"op": ..., every argument}`` for a shortcut given by its name or as a mapping."""
    mapping = {"op": value} if isinstance(value, str) else value
    if not isinstance(mapping, Mapping) or mapping.get("op") is None:
        raise SettingError(f"a shortcut is a name or a mapping with op, not {value!r}; ops: {', '.join(SHORTCUTS)}")
    op = mapping["op"]
    if not isinstance(op, str) or op not in SHORTCUTS:
        raise unknown("shortcut", op, SHORTCUTS, ("op",) if isinstance(value, Mapping) else ())
    if merge not in SHORTCUTS[op].merges:
        raise SettingError(f'shortcut {op} cannot be used with "{merge}", only with {", ".join(SHORTCUTS[op].merges)}')
    rest = {key: each for key, each in mapping.items() if key != "op"}
    return {"op": op, **read_settings(SHORTCUTS[op], rest, f"{op} setting", given=frozenset({"place"}))}


def build_shortcut(settings: Mapping[str, Any], place: Place) -> Shortcut:
    """Build a completed shortcut at its place."""
    arguments = {key: value for key, value in settings.items() if key != "op"}
    return SHORTCUTS[settings["op"]](place, **arguments)


class Pad(nn.Module):
    """Option A: every `stride`-th pixel, and zeros for the channels that are new (arXiv:1512.03385, section 3.3)."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.stride = place.stride
        self.channels = place.out_channels - place.in_channels

    def fused(self, count: int) -> nn.Module:
        """Return the shortcut for `count` networks side by side."""
        return FusedPad(count, self.stride, self.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Subsample and pad (N, C, H, W)."""
        x = every_pixel(x, self.stride)
        return F.pad(x, (0, 0, 0, 0, 0, self.channels)) if self.channels else x


class FusedPad(nn.Module):
    """`count` zero-padded shortcuts side by side: each network's new channels follow its own."""

    def __init__(self, count: int, stride: int, channels: int) -> None:
        super().__init__()
        self.count = count
        self.stride = stride
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Subsample and pad (N, count * C, H, W)."""
        x = every_pixel(x, self.stride)
        networks = x.view(len(x), self.count, -1, *x.shape[2:])
        return F.pad(networks, (0, 0, 0, 0, 0, self.channels)).flatten(1, 2)


def projection_layers(bn: bool) -> tuple[str, ...]:
    """Return what a diagram shows of `project`."""
    return ("1×1 conv", "BN") if bn else ("1×1 conv",)


def project(place: Place, bn: bool) -> nn.Module:
    """Return a 1×1 convolution from the unit's input to the merge's shape, with batch normalisation where `bn`."""
    projection = conv(place.in_channels, place.out_channels, 1, place.stride)
    return nn.Sequential(projection, BatchNorm(place.out_channels)) if bn else projection
