"""Pictures of what probes measured: lines along one axis, and maps over two."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from reports.figures.svg import MUTED, PAPER, Drawing
from reports.figures.theme import colour, draw, label_ends, marker
from reports.figures.ticks import log_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (330, 246)
MAP_SIZE = (330, 292)
BAR = 12
"""Height of the legend's bar below a map, in pixels."""
STEPS = 12
"""Colours of a map."""
REACH = 10
"""How many times the smallest of the panels' largest values a logarithmic scale of contours reaches."""
FEW = 16
"""Places along an axis of which each has a mark."""


@dataclass(frozen=True)
class Line:
    """One arm along an axis: the values at each place, of every seed."""

    label: str
    slot: int
    points: Mapping[float, Sequence[float]]

    @property
    def middle(self) -> list[tuple[float, float]]:
        """Return the median at each place."""
        return [(place, median(values)) for place, values in self.points.items()]


@dataclass(frozen=True)
class Scale:
    """What panels of one figure share: the range of their values, and whether it is logarithmic."""

    low: float
    high: float
    is_log: bool


def scale_of(values: Sequence[float], is_log: bool) -> Scale:
    """Return the range of all values; a logarithmic one is linear after all where it spans less than a factor of 10."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    return Scale(low, high, is_log and low > 0 and high > 10 * low)


def contour_scale(panels: Sequence[Sequence[float]], is_log: bool) -> Scale:
    """Return the range of the panels' values; a logarithmic one ends at `REACH` times the flattest panel's largest.

    Where one network's loss grows without bound, the scale would otherwise leave the others a single band.
    """
    whole = scale_of([value for values in panels for value in values], is_log)
    if not whole.is_log:
        return whole
    return replace(whole, high=min(whole.high, REACH * max(whole.low, min(max(values) for values in panels))))


def lines_drawing(
    lines: Sequence[Line], scale: Scale, labels: tuple[str, str], *, prefix: str, room: float, scatter: bool
) -> Drawing:
    """Draw the median of each arm and a band over its seeds, or with `scatter` every value as a point."""

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
        axes.set_ylabel(labels[1])
        label_ends(axes, [(*line.middle[-1], line.label, line.slot) for line in lines if line.points])

    return draw(plot, prefix, SIZE, (58, 38, room, 12))


def map_drawing(
    grid: Mapping[tuple[float, float], float],
    scale: Scale,
    labels: tuple[str, str, str],
    *,
    prefix: str,
    contours: bool,
) -> Drawing:
    """Draw a value over two axes: filled contours, or a cell for each place. The legend's bar stands below."""

    def plot(axes: "Axes") -> None:
        import numpy as np
        from matplotlib.colors import BoundaryNorm

        columns, rows = (sorted({place[at] for place in grid}) for at in (0, 1))
        values = np.array([[grid.get((x, y), math.nan) for x in columns] for y in rows])
        bounds = bounds_of(scale)
        colours = map_colours()
        norm = BoundaryNorm(bounds, colours.N, clip=True)
        axes.grid(False)
        if contours:
            clipped = np.clip(values, bounds[0], bounds[-1])
            axes.contourf(columns, rows, np.ma.masked_invalid(clipped), bounds, cmap=colours, norm=norm)
            inner = [bound for bound in bounds[1:-1] if np.nanmin(values) < bound < np.nanmax(values)]
            if inner:
                axes.contour(columns, rows, values, inner, colors=[MUTED], linewidths=0.5)
            axes.plot([0], [0], marker="+", color=PAPER, markersize=7)
            axes.locator_params(axis="both", nbins=5)
        else:
            # Edges in the cell's own colour, so that no seam shows.
            style: dict[str, Any] = {"cmap": colours, "norm": norm, "edgecolors": "face", "linewidth": 0.6}
            axes.pcolormesh(_edges(columns), _edges(rows), values, **style)
            axes.set_xticks(_some(columns), labels=[f"{place:g}" for place in _some(columns)])
            axes.set_yticks(_some(rows), labels=[f"{place:g}" for place in _some(rows)])
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        draw_legend(axes, bounds, colours, labels[2], scale)

    return draw(plot, prefix, MAP_SIZE, (56, 88, 14, 12))


def draw_legend(axes: "Axes", bounds: Sequence[float], colours: Any, label: str, scale: Scale) -> None:
    """Draw the colours as a bar below the map, with the values at its ends and in the middle."""
    from matplotlib.patches import Rectangle

    left, width, top = axes.bbox.x0, axes.bbox.width, 40
    step = width / (len(bounds) - 1)
    figure = axes.figure
    for at in range(len(bounds) - 1):
        place = (left + at * step, top - BAR)
        # A little wider than its share, so that no seam shows.
        patch = Rectangle(place, step + (0.6 if at < len(bounds) - 2 else 0), BAR, transform=None, linewidth=0)
        patch.set_facecolor(colours(at))
        figure.add_artist(patch)
    for at, side in ((0, "left"), (len(bounds) // 2, "center"), (len(bounds) - 1, "right")):
        figure.text(
            left + at * step, top - BAR - 3, _short(bounds[at]), transform=None, ha=side, va="top", fontsize=9.5
        )
    spacing = " (logarithmic)" if scale.is_log else ""
    figure.text(left + width / 2, 1, f"{label}{spacing}", transform=None, ha="center", va="bottom", fontsize=9.5)


def _short(value: float) -> str:
    return f"{value:.2g}"


def bounds_of(scale: Scale) -> list[float]:
    """Return the ends of the colours' bands, in order."""
    low, high = scale.low, scale.high
    if high <= low:
        high = low + (abs(low) or 1.0)
    if scale.is_log:
        ratio = math.log(high / low)
        return [low * math.exp(ratio * at / STEPS) for at in range(STEPS + 1)]
    return [low + (high - low) * at / STEPS for at in range(STEPS + 1)]


def map_colours() -> Any:
    """Return colours from dark to light that stay apart in grey and for the colour-blind."""
    from matplotlib import colormaps

    return colormaps["viridis"].resampled(STEPS)


def _some(places: Sequence[float], most: int = 8) -> list[float]:
    """Return every place, or every second, third, ... of them, so that their numbers have room."""
    step = -(-len(places) // most)
    return list(places[::step])


def _edges(places: Sequence[float]) -> list[float]:
    """Return the edges of cells around places in order."""
    if len(places) == 1:
        return [places[0] - 0.5, places[0] + 0.5]
    between = [(one + other) / 2 for one, other in pairwise(places)]
    return [2 * places[0] - between[0], *between, 2 * places[-1] - between[-1]]


def _limits(axes: "Axes", scale: Scale) -> None:
    if scale.is_log:
        axes.set_ylim(scale.low / 1.3, scale.high * 1.3)
        ticks = log_ticks(scale.low / 1.3, scale.high * 1.3)
        axes.set_yticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        return
    room = 0.05 * (scale.high - scale.low) or 0.5
    low = 0.0 if 0 <= scale.low < 0.5 * scale.high else scale.low - room
    axes.set_ylim(low, scale.high + room)
