"""Error against cost: every arm a point, and the line of those that no other beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.figures.labels import whole_in_lines
from reports.figures.readout import UNTOLD, Readout, Told, marks_of
from reports.figures.svg import INK, PAPER, Drawing
from reports.figures.theme import colour, draw, error_scale, marker
from reports.metrics import PRIMARY
from reports.wording import magnitude

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (340, 236)
MOST_NAMED = 6
LONGEST = 50
"""Letters of a line of the key."""
LEAST_ROOM = 1.02
"""How many times the greatest of the costs, however near the least, the axis reaches."""
_LINE = 15  # pixels, the height of a line of the key
_DIGIT, _HEIGHT = 6.5, 11  # pixels, the width and height that a digit of a number takes


@dataclass(frozen=True)
class FrontPoint:
    """One arm: its mean error, what it costs, and whether it is on the front."""

    label: str
    error: float
    cost: float
    slot: int
    on_front: bool
    told: Told = UNTOLD


def front_drawing(points: Sequence[FrontPoint], unit: str, prefix: str) -> Drawing:
    """Draw error over cost, the cost on a logarithmic axis; the arms on the front are numbered and named below it."""
    front = sorted((each for each in points if each.on_front), key=lambda each: (each.cost, each.error))
    key = _key(front)
    below = 42 + _LINE * len(key)

    def plot(axes: "Axes") -> Readout:
        error_scale(axes, [each.error for each in points])
        low, high = min(each.cost for each in points), max(each.cost for each in points)
        axes.set_xscale("log")
        room = max((high / low) ** 0.08, LEAST_ROOM if high > low else 1.3)
        axes.set_xlim(low / room, high * room)
        ticks = _ticks(low, high)
        axes.set_xticks(ticks, labels=[magnitude(tick) for tick in ticks])
        axes.minorticks_off()
        steps = ([each.cost for each in front], [each.error for each in front])
        axes.step(*steps, where="post", color=INK, linewidth=1, zorder=1)
        for each in sorted(points, key=lambda each: each.on_front):
            face = colour(each.slot) if each.on_front else PAPER
            drawn = axes.plot([each.cost], [each.error], marker=marker(each.slot), markersize=6, linestyle="none")
            drawn[0].set(markerfacecolor=face, markeredgecolor=colour(each.slot), clip_on=False)
        _number(axes, front[:MOST_NAMED])
        for at, line in enumerate(key):
            _write(axes, 8, _LINE * (len(key) - at - 0.5), line, va="center")
        axes.set_xlabel(unit)
        axes.set_ylabel(PRIMARY.label)
        told = [each for each in points if each.told.text]
        marks = (marks_of(axes, [(each.cost, each.error)], [each.told], each.slot) for each in told)
        return Readout(marks=tuple(mark for each in marks for mark in each))

    return draw(plot, prefix, (SIZE[0], SIZE[1] + _LINE * len(key)), (46, below, 14, 14))


def _key(front: Sequence[FrontPoint]) -> list[str]:
    """Return the names of the front's first arms, each after its number, and how many more there are."""
    names = whole_in_lines([each.label for each in front[:MOST_NAMED]], LONGEST)
    lines = [line for number, name in enumerate(names, start=1) for line in f"{number}: {name}".split("\n")]
    more = len(front) - len(names)
    return [*lines, f"and {more} more at a higher cost"] if more else lines


def _number(axes: "Axes", front: Sequence[FrontPoint]) -> None:
    """Number the points at their lower left, where no arm can be; numbers that would cover each other share a place.

    One that would cover the numbers of an axis stands on the other side of its point.
    """
    places: list[tuple[float, float, list[int]]] = []
    for number, each in enumerate(front, start=1):
        x, y = axes.transData.transform((each.cost, each.error))
        if places and x - places[-1][0] < _DIGIT * (len(str(number)) + 1) and places[-1][1] - y < _HEIGHT:
            places[-1][2].append(number)
        else:
            places.append((x, y, [number]))
    box = axes.get_window_extent()
    for x, y, numbers in places:
        text = _range(numbers)
        left, below = x - 4 - _DIGIT * len(text) > box.x0, y - 3 - _HEIGHT > box.y0
        at = (x - 4 if left else x + 4, y - 3 if below else y + 3)
        _write(axes, *at, text, ha="right" if left else "left", va="top" if below else "bottom")


def _range(numbers: Sequence[int]) -> str:
    """Return numbers that follow each other: 4, or 4, 5, or 4–6."""
    return f"{numbers[0]}–{numbers[-1]}" if len(numbers) > 2 else ", ".join(map(str, numbers))


def _write(axes: "Axes", x: float, y: float, text: str, **style: Any) -> None:
    axes.annotate(text, xy=(x, y), xycoords="figure pixels", fontsize=10, annotation_clip=False, **style)


def _ticks(low: float, high: float) -> list[float]:
    """Return the two ends and, between them, at most two round numbers that lie a quarter of the axis apart."""
    gap = max((high / low) ** 0.27, 1.05)
    ticks = [low]
    for each in (step * 10.0**power for power in range(-3, 15) for step in (1, 2, 5)):
        if ticks[-1] * gap < each < high / gap:
            ticks.append(each)
    return [*ticks, high] if high > low else ticks
