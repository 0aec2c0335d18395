"""A forest plot: one row for each difference to the baseline, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.readout import UNTOLD, Mark, Readout, Told, marks_of
from reports.figures.rows import RowText, rows_drawing
from reports.figures.svg import INK, Drawing
from reports.figures.theme import colour, marker
from reports.metrics import PRIMARY

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class DifferenceRow:
    """One difference: `estimate` None where there is none, an end None where the interval is open."""

    label: str
    text: str
    slot: int
    estimate: float | None
    low: float | None
    high: float | None
    told: Told = UNTOLD


@dataclass(frozen=True)
class Group:
    """Rows that share a context, under its name; an empty name has no heading."""

    heading: str
    rows: tuple[DifferenceRow, ...]


def forest_drawing(groups: Sequence[Group], prefix: str) -> Drawing:
    """Draw the rows from top to bottom; left of the zero line the arm has less error than the baseline."""
    every = [row for group in groups for row in group.rows]
    ends = _ends([end for row in every for end in (row.estimate, row.low, row.high) if end is not None])

    def plot(axes: "Axes", heights: Sequence[float]) -> Readout:
        axes.set_xlim(*ends)
        axes.axvline(0, color=INK, linewidth=0.9)
        marks: list[Mark] = []
        for row, y in zip(every, heights, strict=True):
            _row(axes, row, y, ends)
            if row.estimate is not None and row.told.text:
                marks += marks_of(axes, [(row.estimate, y)], [row.told], row.slot)
        axes.set_xlabel(f"← better  |  {PRIMARY.difference_label}  |  worse →")
        return Readout(marks=tuple(marks))

    blocks = [(group.heading, [RowText(row.label, row.text) for row in group.rows]) for group in groups]
    return rows_drawing(blocks, prefix, plot)


def _ends(known: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis that holds all numbers, and zero well inside it."""
    low, high = min(known, default=0.0), max(known, default=0.0)
    reach = max(high, -low, 0.0) or 1.0
    return min(1.08 * low, -0.15 * reach), max(1.08 * high, 0.15 * reach)


def _row(axes: "Axes", row: DifferenceRow, y: float, edges: tuple[float, float]) -> None:
    if row.estimate is None:
        return
    if row.low is not None or row.high is not None:
        ends = (edges[0] if row.low is None else row.low, edges[1] if row.high is None else row.high)
        axes.plot(ends, (y, y), color=colour(row.slot), linewidth=1.5, solid_capstyle="butt")
        for end, known in zip(ends, (row.low, row.high), strict=True):
            if known is not None:
                axes.plot((end, end), (y - 4, y + 4), color=colour(row.slot), linewidth=1.2)
    axes.plot([row.estimate], [y], marker=marker(row.slot), markersize=6.5, color=colour(row.slot), linestyle="none")
