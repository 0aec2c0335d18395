"""Shares as horizontal bars, with their intervals and their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.forest import ROW, WIDTH, write
from reports.figures.labels import distinct
from reports.figures.svg import INK, Drawing
from reports.figures.theme import colour, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LONGEST = 30


@dataclass(frozen=True)
class Bar:
    """One share in per cent, with the ends of its interval where it has one."""

    label: str
    share: float
    low: float | None
    high: float | None
    slot: int


def bars_drawing(bars: Sequence[Bar], prefix: str) -> Drawing:
    """Draw the bars from top to bottom on an axis from 0 to 100 %."""
    height = ROW * len(bars)

    def plot(axes: "Axes") -> None:
        axes.set_xlim(0, 100)
        axes.set_ylim(height, 0)
        axes.set_yticks([])
        axes.grid(axis="x")
        labels = distinct([bar.label for bar in bars], LONGEST)
        for at, (bar, label) in enumerate(zip(bars, labels, strict=True)):
            y = ROW * (at + 0.5)
            axes.barh([y], [bar.share], height=0.62 * ROW, color=colour(bar.slot), alpha=0.55)
            if bar.low is not None and bar.high is not None:
                axes.plot((bar.low, bar.high), (y, y), color=INK, linewidth=1.4, solid_capstyle="butt")
                for end in (bar.low, bar.high):
                    axes.plot((end, end), (y - 4, y + 4), color=INK, linewidth=1.2)
            write(axes, 10, y, label, ha="left")
            write(axes, WIDTH - 4, y, _text(bar), ha="right")
        axes.set_xlabel("per cent of the variance")

    return draw(plot, prefix, (WIDTH, height + 46), (200, 40, 160, 6))


def _text(bar: Bar) -> str:
    text = f"{bar.share:.1f} %"
    return text if bar.low is None or bar.high is None else f"{text} [{bar.low:.1f}, {bar.high:.1f}]"
