"""An interaction: the mean error at each level of one factor, a line for each level of another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reports.figures.labels import distinct
from reports.figures.readout import Mark, Readout, place, series, tag
from reports.figures.svg import Drawing
from reports.figures.theme import colour, draw, error_scale, label_ends, label_room, marker
from reports.metrics import PRIMARY
from reports.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (540, 330)
NARROW = (330, 260)
_LETTER = 6.1  # pixels
MOST_SLANTED = 20
"""Letters of a level's name that is written at a slant, where it has no room beside its neighbours."""


@dataclass(frozen=True)
class Means:
    """The mean at each level along the axis, with the ends of its interval; both are the mean where there is none."""

    label: str
    slot: int
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def interaction_drawing(lines: Sequence[Means], factor: str, levels: Sequence[str], prefix: str) -> Drawing:
    """Draw the lines over the levels of one factor, which stand side by side at equal distances."""
    broad = _drawn(lines, factor, levels, prefix, SIZE)
    return replace(broad, narrow=replace(_drawn(lines, factor, levels, f"{prefix}n", NARROW), sheet=None))


def _drawn(lines: Sequence[Means], factor: str, levels: Sequence[str], prefix: str, size: tuple[int, int]) -> Drawing:
    room = label_room(line.label for line in lines)
    pitch = (size[0] - 46 - room) / len(levels)
    is_slanted = max(map(len, levels)) * _LETTER > pitch - 8
    named = distinct(levels, MOST_SLANTED if is_slanted else max(map(len, levels)))
    below = 40 + (int(0.57 * _LETTER * max(map(len, named))) if is_slanted else 0)
    size = (size[0], size[1] + below - 40)

    def plot(axes: "Axes") -> Readout:
        error_scale(axes, [value for line in lines for value in line.high])
        for at, line in enumerate(lines):
            places = [x + 0.04 * (at - (len(lines) - 1) / 2) for x in range(len(levels))]
            tone = colour(line.slot)
            drawn = axes.plot(places, line.mean, color=tone, marker=marker(line.slot), markersize=5.5)
            for x, low, high in zip(places, line.low, line.high, strict=True):
                drawn += axes.plot((x, x), (max(low, 0), high), color=tone, linewidth=1.1)
            tag(drawn, series(line.slot))
        axes.set_xlim(-0.5, len(levels) - 0.5)
        slant: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if is_slanted else {}
        axes.set_xticks(range(len(levels)), labels=named, **slant)
        axes.set_xlabel(factor)
        axes.set_ylabel(f"mean {PRIMARY.label}")
        label_ends(axes, [(len(levels) - 1, line.mean[-1], line.label, line.slot) for line in lines])
        marks = [
            Mark(*place(axes, x, mean), line.slot, f"{level}, mean {number(mean)} %")
            for line in lines
            for x, (level, mean) in enumerate(zip(levels, line.mean, strict=True))
        ]
        return Readout({line.slot: line.label for line in lines}, tuple(marks))

    return draw(plot, prefix, size, (46, below, room, 12))
