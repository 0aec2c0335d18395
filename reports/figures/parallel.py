"""Parallel coordinates: every arm as a line through its error and its choices, an axis a row."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reports.figures.labels import distinct
from reports.figures.readout import Ranges, Readout, tag
from reports.figures.rows import write
from reports.figures.svg import MUTED, PAPER, Drawing
from reports.figures.theme import colour, draw, marker
from reports.figures.ticks import log_ticks
from reports.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, NARROW = 540, 340
ROW = 60
SIDE = 14
OFF = "off"
"""What stands for a parameter that an arm does not have."""
_BAND = 0.7  # the share of a level's part of the axis over which its arms are spread
_GAP = 9  # pixels between the parts of the axis of two levels
_LETTER = 6.3  # pixels
_TICKS = 6


@dataclass(frozen=True)
class ParallelAxis:
    """One axis: its name, its ticks and the place of each arm on it, from 0 (left) to 1.

    `parts` are the ends of the lines that it is drawn as: one for each level, a single one for numbers.
    """

    name: str
    ticks: tuple[tuple[float, str], ...]
    places: tuple[float, ...]
    parts: tuple[tuple[float, float], ...] = ((0.0, 1.0),)


def level_scale(name: str, levels: Sequence[str | None], ranks: Sequence[int], width: int = WIDTH) -> ParallelAxis:
    """Give each level a part of the axis, on which the arms stand side by side in the order of their ranks.

    `levels` and `ranks` (from 0, the best) go by arm; None is an arm without this parameter.
    """
    known = sorted({level for level in levels if level is not None})
    rooms: list[str | None] = [*known, *([None] if None in levels else [])]
    last = max(len(ranks) - 1, 1)
    places = [
        (rooms.index(level) + 0.5 + _BAND * (rank / last - 0.5)) / len(rooms)
        for level, rank in zip(levels, ranks, strict=True)
    ]
    most = max(int((width / len(rooms) - 8) / _LETTER), 3)
    names = distinct([OFF if room is None else room for room in rooms], most)
    ticks = [((at + 0.5) / len(rooms), text) for at, text in enumerate(names)]
    gap = min(_GAP / 2 / width, 0.2 / len(rooms))
    parts = [(at / len(rooms) + gap, (at + 1) / len(rooms) - gap) for at in range(len(rooms))]
    return ParallelAxis(name, tuple(ticks), tuple(places), tuple(parts))


def number_scale(name: str, numbers: Sequence[float | None], width: int = WIDTH, *, log: bool = False) -> ParallelAxis:
    """Lay numbers out in proportion, or their logarithms; arms without one stand at the right end."""
    from matplotlib.ticker import MaxNLocator

    known = [number for number in numbers if number is not None]
    low, high = min(known), max(known)
    if low == high:
        texts = [None if each is None else f"{each:g}" for each in numbers]
        return level_scale(name, texts, [0] * len(numbers), width)
    room = 0.86 if None in numbers else 1.0

    def place(number: float) -> float:
        part, whole = (math.log(number / low), math.log(high / low)) if log else (number - low, high - low)
        return room * part / whole

    if log:
        at = log_ticks(low, high, _TICKS)
    else:
        at = [float(each) for each in MaxNLocator(_TICKS, steps=[1, 2, 5, 10]).tick_values(low, high)]
    ticks = [(place(each), f"{each:g}") for each in at if low <= each <= high]
    ticks += [(1.0, OFF)] if None in numbers else []
    return ParallelAxis(name, tuple(ticks), tuple(1.0 if each is None else place(each) for each in numbers))


def parallel_drawing(scales: Callable[[int], Sequence[ParallelAxis]], best: Sequence[int], prefix: str) -> Drawing:
    """Draw the axes from top to bottom and every arm as a thin line; those at `best` are thick, the first one most.

    `scales` are the axes on a drawing of a width.
    """
    narrow = _drawn(scales(NARROW), best, f"{prefix}n", NARROW)
    return replace(_drawn(scales(WIDTH), best, prefix, WIDTH), narrow=replace(narrow, sheet=None))


def _drawn(scales: Sequence[ParallelAxis], best: Sequence[int], prefix: str, width: int) -> Drawing:
    height = ROW * len(scales) - 6
    across = width - 2 * SIDE
    # Lines pass below the words and stay visible.
    ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.9}

    def plot(axes: "Axes") -> Readout:
        axes.set_xlim(0, 1)
        axes.set_ylim(height, 0)
        axes.axis("off")
        rows = [ROW * (at + 0.5) - 8 for at in range(len(scales))]
        lines = list(zip(*(scale.places for scale in scales), strict=True))
        for at, line in enumerate(lines):
            if at not in best:
                tag(axes.plot(line, rows, color=MUTED, linewidth=0.7, alpha=0.4, clip_on=False), f"line-{at}")
        for place, at in reversed(list(enumerate(best))):
            width = 2.4 if place == 0 else 1.4
            slot = 0 if place == 0 else 1
            drawn = axes.plot(lines[at], rows, color=colour(slot), linewidth=width, clip_on=False)
            drawn[0].set(marker=marker(slot), markersize=4)
            tag(drawn, f"line-{at}")
        for scale, row in zip(scales, rows, strict=True):
            for part in scale.parts:
                axes.plot(part, (row, row), color=MUTED, linewidth=0.9, zorder=0, clip_on=False)
            write(axes, SIDE, row - 15, shortened(scale.name, 60), ha="left", fontweight="bold", bbox=ground)
            for tick, text in scale.ticks:
                axes.plot((tick, tick), (row - 3, row + 3), color=MUTED, linewidth=0.8, clip_on=False)
                edge = "left" if tick * across < 12 else "right" if (1 - tick) * across < 12 else "center"
                write(axes, SIDE + tick * across, row + 14, text, ha=edge, bbox=ground)
        return Readout(
            ranges=Ranges(
                tuple(rows),
                SIDE,
                across,
                tuple(lines),
                tuple((shortened(each.name, 60), each.ticks) for each in scales),
            )
        )

    return draw(plot, prefix, (width, height), (SIDE, 0, SIDE, 0), has_left_spine=False)
