"""Pictures of what probes measured along one axis: a line for each arm, or a point for each value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from textwrap import fill
from typing import TYPE_CHECKING, Any

from reports.figures.scale import PanelScale
from reports.figures.svg import Drawing
from reports.figures.theme import colour, draw, label_ends, marker
from reports.figures.ticks import log_ticks
from reports.wording import numbers_alike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (330, 246)
LONGEST_LABEL, LINE = 38, 13
"""Letters that have room beside the vertical axis, and the pixels that a further line of them takes."""
FEW = 16
"""Places along an axis of which each has a mark."""


@dataclass(frozen=True)
class MeasuredLine:
    """One arm along an axis: the values at each place, of every seed."""

    label: str
    slot: int
    points: Mapping[float, Sequence[float]]

    @property
    def middle(self) -> list[tuple[float, float]]:
        """Return the median at each place."""
        return [(place, median(values)) for place, values in self.points.items()]


def lines_drawing(
    lines: Sequence[MeasuredLine],
    scale: PanelScale,
    labels: tuple[str, str],
    *,
    prefix: str,
    room: float,
    scatter: bool,
) -> Drawing:
    """Draw the median of each arm and a band over its seeds, or with `scatter` every value as a point."""
    beside = fill(labels[1], LONGEST_LABEL)

    def plot(axes: "Axes") -> None:
        if scale.is_log:
            axes.set_yscale("log")
        for line in lines:
            places = list(line.points)
            style: dict[str, Any] = {"color": colour(line.slot), "markersize": 4}
            if scatter:
                pairs = [(place, value) for place, values in line.points.items() for value in values]
                style |= {"marker": marker(line.slot), "linestyle": "none", "alpha": 0.7}
                axes.plot([x for x, _ in pairs], [y for _, y in pairs], **style)
                continue
            low = [min(values) for values in line.points.values()]
            high = [max(values) for values in line.points.values()]
            if low != high:
                axes.fill_between(places, low, high, color=colour(line.slot), alpha=0.16, linewidth=0)
            shown = marker(line.slot) if len(places) <= FEW else None
            axes.plot(places, [value for _, value in line.middle], marker=shown, **style)
        _limits(axes, scale)
        places = [place for line in lines for place in line.points]
        if all(place == round(place) for place in places):
            axes.locator_params(axis="x", integer=True, nbins=7)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(beside)
        label_ends(axes, [(*line.middle[-1], line.label, line.slot) for line in lines if line.points])

    more_lines = LINE * beside.count("\n")
    return draw(plot, prefix, SIZE, (58 + more_lines, 38, room, 12))


def _limits(axes: "Axes", scale: PanelScale) -> None:
    if scale.is_log:
        axes.set_ylim(scale.low / 1.3, scale.high * 1.3)
        ticks = log_ticks(scale.low / 1.3, scale.high * 1.3)
        axes.set_yticks(ticks, labels=numbers_alike(ticks))
        axes.minorticks_off()
        return
    room = 0.05 * (scale.high - scale.low) or 0.5
    low = 0.0 if 0 <= scale.low < 0.5 * scale.high else scale.low - room
    axes.set_ylim(low, scale.high + room)
