"""A forest plot: one row for each difference to the baseline, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.figures.labels import told_apart
from reports.figures.readout import UNTOLD, Mark, Readout, Told, marks_of
from reports.figures.svg import INK, Drawing
from reports.figures.theme import colour, draw, marker
from reports.metrics import PRIMARY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 700
ROW = 24
HEADING = 30
LONGEST = 34
_LETTER = 6.2  # pixels
_LEAST_ROOM = 60


@dataclass(frozen=True)
class Row:
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
    rows: tuple[Row, ...]


def forest_drawing(groups: Sequence[Group], prefix: str) -> Drawing:
    """Draw the rows from top to bottom; left of the zero line the arm has less error than the baseline."""
    height = sum(ROW * len(group.rows) + (HEADING if group.heading else 0) for group in groups)
    known = [
        end for group in groups for row in group.rows for end in (row.estimate, row.low, row.high) if end is not None
    ]
    labels = [told_apart([row.label for row in group.rows], LONGEST) for group in groups]
    longest = max((len(label) for names in labels for label in names), default=0)
    left = max(_LEAST_ROOM, 22 + _LETTER * longest)
    ends = _ends(known)

    def plot(axes: "Axes") -> Readout:
        axes.set_ylim(height, 0)
        axes.set_xlim(*ends)
        axes.set_yticks([])
        axes.grid(axis="x")
        axes.axvline(0, color=INK, linewidth=0.9)
        y = 0.0
        marks: list[Mark] = []
        for group, names in zip(groups, labels, strict=True):
            if group.heading:
                write(axes, 0, y + 0.62 * HEADING, group.heading, ha="left", fontweight="bold")
                y += HEADING
            for row, label in zip(group.rows, names, strict=True):
                _row(axes, row, label, y + ROW / 2, ends)
                if row.estimate is not None and row.told.text:
                    marks += marks_of(axes, [(row.estimate, y + ROW / 2)], [row.told], row.slot)
                y += ROW
        axes.set_xlabel(f"← better  |  {PRIMARY.difference_label}  |  worse →")
        return Readout(marks=tuple(marks))

    return draw(plot, prefix, (WIDTH, height + 46), (left, 40, 180, 6), has_left_spine=False)


def _ends(known: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis that holds all numbers, and zero well inside it."""
    low, high = min(known, default=0.0), max(known, default=0.0)
    reach = max(high, -low, 0.0) or 1.0
    return min(1.08 * low, -0.15 * reach), max(1.08 * high, 0.15 * reach)


def _row(axes: "Axes", row: Row, label: str, y: float, edges: tuple[float, float]) -> None:
    write(axes, 10, y, label, ha="left")
    write(axes, WIDTH - 4, y, row.text, ha="right")
    if row.estimate is None:
        return
    if row.low is not None or row.high is not None:
        ends = (edges[0] if row.low is None else row.low, edges[1] if row.high is None else row.high)
        axes.plot(ends, (y, y), color=colour(row.slot), linewidth=1.5, solid_capstyle="butt")
        for end, known in zip(ends, (row.low, row.high), strict=True):
            if known is not None:
                axes.plot((end, end), (y - 4, y + 4), color=colour(row.slot), linewidth=1.2)
    axes.plot([row.estimate], [y], marker=marker(row.slot), markersize=6.5, color=colour(row.slot), linestyle="none")


def write(axes: "Axes", x: float, y: float, text: str, **style: Any) -> None:
    """Write a text beside the plot: x in pixels of the figure, y in the units of the axis."""
    axes.annotate(
        text, xy=(x, y), xycoords=("figure pixels", "data"), va="center", fontsize=11, annotation_clip=False, **style
    )
