"""Pictures of a value over two coordinates as a surface in three dimensions, seen from one corner and above."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from reports.figures.maps import draw_legend, map_colours
from reports.figures.scale import STEPS, PanelScale
from reports.figures.surface import Surface, surface_of
from reports.figures.svg import MUTED, Drawing
from reports.figures.theme import draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (330, 285)
CELLS = 20
"""Cells a side."""
TURN, TILT = math.radians(35), math.radians(28)
HEIGHT = 1.3
"""Height of the scale's range against half the side of the base."""

Point = tuple[float, float]
T = TypeVar("T")


def relief_drawing(
    grid: Mapping[tuple[float, float], float], scale: PanelScale, labels: tuple[str, str, str], *, prefix: str
) -> Drawing:
    """Draw the surface over the grid; what lies above the scale is cut off at its end. The legend's bar stands below.

    Cells with a corner that has no value are left out.
    """

    def plot(axes: "Axes") -> None:
        from matplotlib.collections import PolyCollection

        cells = _cells(surface_of(grid, scale, CELLS))
        faces = PolyCollection([corners for corners, _ in cells], linewidths=0.4)
        faces.set_facecolor(map_colours()([min(int(STEPS * height), STEPS - 1) for _, height in cells]))
        faces.set_edgecolor(MUTED)
        base = [_project(x, y, 0.0)[0] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
        axes.plot([x for x, _ in base], [y for _, y in base], color=MUTED, linewidth=0.8, zorder=0)
        axes.add_collection(faces)
        axes.set_axis_off()
        axes.set_xlim(-1.5, 1.5)
        axes.set_ylim(-0.95, 0.75 + HEIGHT * math.cos(TILT))
        for (x, y), text in ((_project(-0.1, -1.3, 0.0)[0], labels[0]), (_project(1.3, 0.1, 0.0)[0], labels[1])):
            axes.text(x, y, text, ha="center", va="top", fontsize=9.5)
        draw_legend(axes, labels[2], scale)

    return draw(plot, prefix, SIZE, (12, 60, 12, 6))


def _cells(surface: Surface) -> list[tuple[list[Point], float]]:
    """Return the corners on the page and the mean height of each cell, the farthest first: near ones hide them."""
    columns, rows = ([_spread(place, places) for place in places] for places in (surface.columns, surface.rows))
    cells = []
    for (at, x), (to, right) in pairwise(enumerate(columns)):
        for (under, y), (over, above) in pairwise(enumerate(rows)):
            heights = [float(surface.heights[row, column]) for column, row in _corners(at, to, under, over)]
            if not math.isnan(sum(heights)):
                places = _corners(x, right, y, above)
                seen = [_project(*place, HEIGHT * height) for place, height in zip(places, heights, strict=True)]
                cells.append((sum(depth for _, depth in seen), [point for point, _ in seen], sum(heights) / 4))
    cells.sort(key=lambda cell: -cell[0])
    return [(corners, height) for _, corners, height in cells]


def _corners(left: T, right: T, low: T, high: T) -> tuple[tuple[T, T], ...]:
    return (left, low), (right, low), (right, high), (left, high)


def _project(x: float, y: float, z: float) -> tuple[Point, float]:
    """Return where a point stands on the page, and how far behind the middle of the base its foot is."""
    across = x * math.cos(TURN) + y * math.sin(TURN)
    depth = y * math.cos(TURN) - x * math.sin(TURN)
    return (across, depth * math.sin(TILT) + z * math.cos(TILT)), depth


def _spread(place: float, places: Sequence[float]) -> float:
    """Return a place between -1 and 1."""
    return 2 * (place - places[0]) / (places[-1] - places[0]) - 1
