"""Pictures of a value over two axes: contours, or a cell for each place."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from reports.figures.scale import STEPS, PanelScale
from reports.figures.surface import surface_of
from reports.figures.svg import MUTED, Drawing
from reports.figures.theme import draw
from reports.wording import numbers_alike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (330, 292)
BAR = 12
"""Height of the legend's bar below a map, in pixels."""
CROSS = "#ffffff"
"""White on a dark page too, since the colours below it do not change."""
CELLS = 60
"""Cells a side in which contours are followed."""

Grid = Mapping[tuple[float, float], float]
Labels = tuple[str, str, str]


def contour_drawing(grid: Grid, scale: PanelScale, labels: Labels, *, prefix: str) -> Drawing:
    """Draw filled contours, even in heights on the scale, with a cross at the centre."""

    def plot(axes: "Axes") -> None:
        import numpy as np

        surface = surface_of(grid, scale, CELLS)
        levels = [at / STEPS for at in range(STEPS + 1)]
        heights = np.ma.masked_invalid(surface.heights)
        axes.contourf(surface.columns, surface.rows, heights, levels, cmap=map_colours())
        inner = [level for level in levels[1:-1] if heights.min() < level < heights.max()]
        if inner:
            axes.contour(surface.columns, surface.rows, heights, inner, colors=[MUTED], linewidths=0.5)
        axes.plot([0], [0], marker="+", color=CROSS, markersize=7)
        axes.locator_params(axis="both", nbins=5)
        _finish(axes, labels, scale)

    return _drawing(plot, prefix)


def cells_drawing(grid: Grid, scale: PanelScale, labels: Labels, *, prefix: str) -> Drawing:
    """Draw a cell for each place; neighbours of one colour in a row are one rectangle."""

    def plot(axes: "Axes") -> None:
        from matplotlib.collections import PolyCollection

        columns, rows = (sorted({place[at] for place in grid}) for at in (0, 1))
        bands = [[_band(grid.get((x, y)), scale) for x in columns] for y in rows]
        across, along = _edges(columns), _edges(rows)
        boxes = list(_boxes(bands, across, along))
        # Edges in the box's own colour, so that no seam shows.
        faces = PolyCollection([corners for corners, _ in boxes], linewidths=1.0)
        painted = map_colours()([band for _, band in boxes])
        faces.set_facecolor(painted)
        faces.set_edgecolor(painted)
        axes.add_collection(faces)
        axes.set_xlim(across[0], across[-1])
        axes.set_ylim(along[0], along[-1])
        axes.set_xticks(_some(columns), labels=[f"{place:g}" for place in _some(columns)])
        axes.set_yticks(_some(rows), labels=[f"{place:g}" for place in _some(rows)])
        _finish(axes, labels, scale)

    return _drawing(plot, prefix)


def draw_legend(axes: "Axes", label: str, scale: PanelScale) -> None:
    """Draw the colours as a bar below the map, with the values at its ends and in the middle."""
    from matplotlib.patches import Rectangle

    bounds, colours = scale.bounds(), map_colours()
    left, width, top = axes.bbox.x0, axes.bbox.width, 40
    step = width / STEPS
    figure = axes.figure
    for at in range(STEPS):
        place = (left + at * step, top - BAR)
        # A little wider than its share, so that no seam shows.
        patch = Rectangle(place, step + (0.6 if at < STEPS - 1 else 0), BAR, transform=None, linewidth=0)
        patch.set_facecolor(colours(at))
        figure.add_artist(patch)
    ends = ((0, "left"), (STEPS // 2, "center"), (STEPS, "right"))
    texts = numbers_alike([float(f"{bounds[at]:.2g}") for at, _ in ends])
    for (at, side), text in zip(ends, texts, strict=True):
        figure.text(left + at * step, top - BAR - 3, text, transform=None, ha=side, va="top", fontsize=9.5)
    spacing = " (logarithmic)" if scale.is_log else ""
    figure.text(left + width / 2, 1, f"{label}{spacing}", transform=None, ha="center", va="bottom", fontsize=9.5)


def map_colours() -> Any:
    """Return colours from dark to light that stay apart in grey and for the colour-blind."""
    from matplotlib import colormaps

    return colormaps["viridis"].resampled(STEPS)


def _drawing(plot: Any, prefix: str) -> Drawing:
    return draw(plot, prefix, SIZE, (56, 88, 14, 12))


def _finish(axes: "Axes", labels: Labels, scale: PanelScale) -> None:
    axes.grid(False)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    draw_legend(axes, labels[2], scale)


def _band(value: float | None, scale: PanelScale) -> int | None:
    """Return the number of a value's colour; None where there is no value."""
    return None if value is None else min(max(math.floor(STEPS * scale.height(value)), 0), STEPS - 1)


def _boxes(
    bands: Sequence[Sequence[int | None]], across: Sequence[float], along: Sequence[float]
) -> Iterator[tuple[list[tuple[float, float]], int]]:
    """Yield the corners and the colour of each run of one colour in a row."""
    for row, (low, high) in zip(bands, pairwise(along), strict=True):
        for band, run in groupby(range(len(row)), key=row.__getitem__):
            places = list(run)
            left, right = across[places[0]], across[places[-1] + 1]
            if band is not None:
                yield [(left, low), (right, low), (right, high), (left, high)], band


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
