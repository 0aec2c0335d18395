"""Pictures of a value over two coordinates as a surface in three dimensions, seen from one corner and above."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from reports.figures.measured import Scale, bounds_of, draw_legend, map_colours
from reports.figures.svg import MUTED, Drawing
from reports.figures.theme import draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (330, 285)
MOST_CELLS = 20
"""Cells a side that are drawn; a finer grid is thinned out."""
TURN, TILT = math.radians(35), math.radians(28)
HEIGHT = 1.3
"""Height of the scale's range against half the side of the base."""

Point = tuple[float, float]


def relief_drawing(
    grid: Mapping[tuple[float, float], float], scale: Scale, labels: tuple[str, str, str], *, prefix: str
) -> Drawing:
    """Draw the surface over the grid; what lies above the scale is cut off at its end. The legend's bar stands below.

    Cells with a corner that has no value are left out.
    """

    def plot(axes: "Axes") -> None:
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import BoundaryNorm

        bounds, colours = bounds_of(scale), map_colours()
        cells = _cells(grid, scale)
        faces = PolyCollection([corners for corners, _ in cells], linewidths=0.4)
        painted = colours(BoundaryNorm(bounds, colours.N, clip=True)([value for _, value in cells]))
        faces.set_facecolor(painted)
        faces.set_edgecolor(MUTED)
        base = [_project(x, y, 0.0)[0] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
        axes.plot([x for x, _ in base], [y for _, y in base], color=MUTED, linewidth=0.8, zorder=0)
        axes.add_collection(faces)
        axes.set_axis_off()
        axes.set_xlim(-1.5, 1.5)
        axes.set_ylim(-0.95, 0.75 + HEIGHT * math.cos(TILT))
        for (x, y), text in ((_project(-0.1, -1.3, 0.0)[0], labels[0]), (_project(1.3, 0.1, 0.0)[0], labels[1])):
            axes.text(x, y, text, ha="center", va="top", fontsize=9.5)
        draw_legend(axes, bounds, colours, labels[2], scale)

    return draw(plot, prefix, SIZE, (12, 60, 12, 6))


def _cells(grid: Mapping[tuple[float, float], float], scale: Scale) -> list[tuple[list[Point], float]]:
    """Return the corners on the page and the mean value of each cell, the farthest first: near ones hide them."""
    columns, rows = (_thinned(sorted({place[at] for place in grid})) for at in (0, 1))
    cells = []
    for x, right in pairwise(columns):
        for y, above in pairwise(rows):
            places = ((x, y), (right, y), (right, above), (x, above))
            if all(place in grid for place in places):
                values = [min(max(grid[place], scale.low), scale.high) for place in places]
                seen = [
                    _project(_spread(at[0], columns), _spread(at[1], rows), HEIGHT * _height(value, scale))
                    for at, value in zip(places, values, strict=True)
                ]
                cells.append((sum(depth for _, depth in seen), [point for point, _ in seen], sum(values) / 4))
    cells.sort(key=lambda cell: -cell[0])
    return [(corners, value) for _, corners, value in cells]


def _project(x: float, y: float, z: float) -> tuple[Point, float]:
    """Return where a point stands on the page, and how far behind the middle of the base its foot is."""
    across = x * math.cos(TURN) + y * math.sin(TURN)
    depth = y * math.cos(TURN) - x * math.sin(TURN)
    return (across, depth * math.sin(TILT) + z * math.cos(TILT)), depth


def _spread(place: float, places: Sequence[float]) -> float:
    """Return a place between -1 and 1."""
    return 2 * (place - places[0]) / (places[-1] - places[0]) - 1


def _height(value: float, scale: Scale) -> float:
    """Return a value's place between the ends of the scale, 0 to 1."""
    if scale.high <= scale.low:
        return 0.0
    if scale.is_log:
        return math.log(value / scale.low) / math.log(scale.high / scale.low)
    return (value - scale.low) / (scale.high - scale.low)


def _thinned(places: Sequence[float]) -> list[float]:
    """Return at most `MOST_CELLS` + 1 of the places, both ends among them."""
    cells = min(len(places) - 1, MOST_CELLS)
    return [places[round(at * (len(places) - 1) / cells)] for at in range(cells + 1)] if cells > 0 else list(places)
