"""Shares as horizontal bars, with their intervals and their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.rows import RowText, rows_drawing
from reports.figures.svg import INK, Drawing
from reports.figures.theme import colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 15
"""Pixels of a bar."""


@dataclass(frozen=True)
class Bar:
    """One share in per cent, with the ends of its interval where it has one."""

    label: str
    share: float
    low: float | None
    high: float | None
    slot: int


def bars_drawing(blocks: Sequence[tuple[str, Sequence[Bar]]], prefix: str) -> Drawing:
    """Draw bars from top to bottom on an axis from 0 to 100 %; each block under what its bars are shares of."""
    bars = [bar for _, block in blocks for bar in block]

    def plot(axes: "Axes", heights: Sequence[float]) -> None:
        axes.set_xlim(0, 100)
        for bar, y in zip(bars, heights, strict=True):
            axes.barh([y], [bar.share], height=HEIGHT, color=colour(bar.slot), alpha=0.55, linewidth=0)
            if bar.low is not None and bar.high is not None:
                axes.plot((bar.low, bar.high), (y, y), color=INK, linewidth=1.4, solid_capstyle="butt")
                for end in (bar.low, bar.high):
                    axes.plot((end, end), (y - 4, y + 4), color=INK, linewidth=1.2)
        axes.set_xlabel("per cent of the variance")

    rows = [(heading, [RowText(bar.label, _text(bar)) for bar in block]) for heading, block in blocks]
    return rows_drawing(rows, prefix, plot, has_left_spine=True)


def _text(bar: Bar) -> str:
    text = f"{bar.share:.1f} %"
    return text if bar.low is None or bar.high is None else f"{text} [{bar.low:.1f}, {bar.high:.1f}]"
