"""Measured values over two coordinates as heights on a scale, between the measured points too."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.scale import PanelScale

if TYPE_CHECKING:
    from numpy import ndarray


@dataclass(frozen=True)
class Surface:
    """Heights (rows, columns) between 0 and 1 at the places of the columns and rows; NaN where none is known."""

    columns: Sequence[float]
    rows: Sequence[float]
    heights: "ndarray"


def surface_of(grid: Mapping[tuple[float, float], float], scale: PanelScale, cells: int) -> Surface:
    """Return the surface at `cells` + 1 even places a side, its heights cut off at the ends of the scale.

    Between measured points it is interpolated by monotone cubics (PCHIP), which pass through every one of them and
    overshoot none. A grid with gaps is not interpolated: it is returned at its own places, a finer one thinned out.
    """
    import numpy as np
    from scipy.interpolate import PchipInterpolator

    columns, rows = (np.array(sorted({place[at] for place in grid})) for at in (0, 1))
    heights = np.array([[scale.height(grid[x, y]) if (x, y) in grid else math.nan for x in columns] for y in rows])
    if np.isfinite(heights).all():
        across, along = (np.linspace(places[0], places[-1], cells + 1) for places in (columns, rows))
        heights = PchipInterpolator(columns, heights, axis=1)(across)
        heights = PchipInterpolator(rows, heights, axis=0)(along)
    else:
        kept_columns, kept_rows = (_thinned(len(places), cells) for places in (columns, rows))
        across, along, heights = columns[kept_columns], rows[kept_rows], heights[np.ix_(kept_rows, kept_columns)]
    return Surface(across.tolist(), along.tolist(), np.clip(heights, 0.0, 1.0))


def _thinned(places: int, cells: int) -> list[int]:
    """Return which of the places are kept, at most `cells` + 1, both ends among them."""
    kept = min(places - 1, cells)
    return [round(at * (places - 1) / kept) for at in range(kept + 1)] if kept > 0 else list(range(places))
