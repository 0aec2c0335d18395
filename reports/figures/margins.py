"""The claims as a forest: each effect with its interval, against the margin that decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.rows import Block, RowText, rows_drawing
from reports.figures.svg import INK, MUTED, RULE, Drawing
from reports.figures.theme import colour, marker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)


@dataclass(frozen=True)
class MarginRow:
    """One claim in one context. The effect must lie between `floor` and `ceiling`; None is an open side.

    `estimate` None where there is no number, an end None where the interval is open.
    """

    label: str
    text: str
    slot: int
    estimate: float | None
    low: float | None
    high: float | None
    floor: float | None
    ceiling: float | None


def margins_drawing(
    blocks: Sequence[tuple[str, Sequence[MarginRow]]],
    unit: str,
    prefix: str,
    span: tuple[float, float] | None = None,
) -> Drawing:
    """Draw the rows from top to bottom below the headings of their blocks, "" for none.

    The claimed side of each margin is tinted. `span` fixes the axis.
    """
    rows = [row for _, block in blocks for row in block]
    numbers = [
        end for row in rows for end in (row.estimate, row.low, row.high, row.floor, row.ceiling) if end is not None
    ]

    def plot(axes: "Axes", heights: Sequence[float]) -> None:
        low, high = span or _scaled(axes, numbers)
        axes.set_xlim(low, high)
        if span is None:
            axes.axvline(0, color=MUTED, linewidth=0.8)
        for row, y in zip(rows, heights, strict=True):
            _row(axes, row, y, low, high)
        axes.set_xlabel(unit)

    texts: list[Block] = [(heading, [RowText(row.label, row.text) for row in block]) for heading, block in blocks]
    return rows_drawing(texts, prefix, plot)


def _scaled(axes: "Axes", numbers: Sequence[float]) -> tuple[float, float]:
    """Scale the axis around zero: linear while the effects are alike, else logarithmic above one unit."""
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    sizes = sorted(abs(each) for each in numbers if each)
    reach = max(high, -low) or 1.0
    if reach > 12 and reach > 8 * sizes[len(sizes) // 4]:
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.6)
        ticks = [tick for tick in _TICKS if 1.5 * low - 0.5 < tick < 1.5 * high + 0.5]
        axes.set_xticks(ticks, labels=[f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])
        axes.minorticks_off()
        return 1.6 * low - 0.4, 1.6 * high + 0.4
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _row(axes: "Axes", row: MarginRow, y: float, left: float, right: float) -> None:
    start, end = (left if row.floor is None else row.floor), (right if row.ceiling is None else row.ceiling)
    axes.fill_between([start, end], y - 9, y + 9, color=RULE, alpha=0.6, linewidth=0)
    for edge in (row.floor, row.ceiling):
        if edge is not None:
            axes.plot((edge, edge), (y - 9, y + 9), color=INK, linewidth=1.4, solid_capstyle="butt")
    if row.low is not None or row.high is not None:
        ends = (left if row.low is None else row.low, right if row.high is None else row.high)
        axes.plot(ends, (y, y), color=colour(row.slot), linewidth=1.6, solid_capstyle="butt")
        for place, known in zip(ends, (row.low, row.high), strict=True):
            if known is not None:
                axes.plot((place, place), (y - 4, y + 4), color=colour(row.slot), linewidth=1.2)
    if row.estimate is not None:
        axes.plot(
            [row.estimate], [y], marker=marker(row.slot), markersize=6.5, color=colour(row.slot), linestyle="none"
        )
