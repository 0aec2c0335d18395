"""Figures of rows: a name, a mark on a shared axis, and its numbers in words; beside one another, or above the mark."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reports.figures.labels import is_cut, told_apart
from reports.figures.readout import Readout
from reports.figures.svg import PAPER, Drawing
from reports.figures.theme import draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADING = 30
BELOW = 46
"""Pixels for the axis and its title."""
TALLEST = 18
"""Pixels of the tallest mark."""
LONGEST = 34
"""Letters for which a name that stands left of its mark has room beside numbers of any length."""
_LETTER = 6.2  # pixels
_LEAST_ROOM = 60
_LEAST_PLOT = 240
_SHORTEST = 12


@dataclass(frozen=True)
class RowText:
    """What is written of a row: its name, and its numbers."""

    label: str
    text: str


Block = tuple[str, Sequence[RowText]]
"""Rows below a heading, "" for none; their names are told apart among themselves."""


@dataclass(frozen=True)
class _Places:
    """Where everything of a row stands, in pixels from the drawing's left and from the top of the row.

    In a narrow drawing, for a phone, name and numbers stand above the mark, and below each other where a name needs the
    whole width; in a broad one on either side of it.
    """

    width: int
    pitch: int
    left: float
    right: float
    name: float
    words: float
    numbers: float
    mark: float
    longest: int
    is_above: bool = False

    @property
    def words_above(self) -> float:
        """The pixels from the top of a row that belong to its words alone."""
        return self.mark - TALLEST / 2 if self.is_above else 0


def _broad(labels: Sequence[str], texts: Sequence[str]) -> _Places:
    width, right = 700, 22 + _LETTER * max((len(text) for text in texts), default=0)
    most = max(LONGEST, int((width - right - _LEAST_PLOT - 22) / _LETTER))
    longest = max((min(len(label), most) for label in labels), default=0)
    return _Places(width, 24, max(_LEAST_ROOM, 22 + _LETTER * longest), right, 10, 12, 12, 12, most)


def _narrow(labels: Sequence[str], texts: Sequence[str]) -> _Places:
    width = 360
    room = width - 20 - _LETTER * max((len(text) for text in texts), default=0)
    longest = max(int(room / _LETTER), _SHORTEST)
    if is_cut(told_apart(labels, longest), labels):
        return _Places(width, 53, 10, 10, 4, 9, 24, 39, int((width - 8) / _LETTER), is_above=True)
    return _Places(width, 38, 10, 10, 4, 9, 9, 24, longest, is_above=True)


Plot = Callable[["Axes", Sequence[float]], Readout | None]
"""Draws the marks of all rows at these heights, and what belongs to the axis below them."""


def rows_drawing(blocks: Sequence[Block], prefix: str, plot: Plot, *, has_left_spine: bool = False) -> Drawing:
    """Draw rows from top to bottom, broad and narrow; `plot` gets the axes, scaled in pixels downwards, and heights."""
    every = [row for _, rows in blocks for row in rows]
    texts = [row.text for row in every]
    labels = [row.label for row in every]
    broad = _drawn(_broad(labels, texts), blocks, prefix, plot, has_left_spine)
    narrow = _drawn(_narrow(labels, texts), blocks, f"{prefix}n", plot, has_left_spine)
    return replace(broad, narrow=replace(narrow, sheet=None))


def _drawn(at: _Places, blocks: Sequence[Block], prefix: str, plot: Plot, has_left_spine: bool) -> Drawing:
    height = sum(at.pitch * len(rows) + (HEADING if heading else 0) for heading, rows in blocks)

    def whole(axes: "Axes") -> Readout | None:
        axes.set_ylim(height, 0)
        axes.set_yticks([])
        axes.grid(axis="x")
        top, heights = 0.0, []
        for heading, rows in blocks:
            if heading:
                _clear(axes, top, HEADING)
                write(axes, 0, top + 0.62 * HEADING, heading, ha="left", fontweight="bold")
                top += HEADING
            for row, name in zip(rows, told_apart([row.label for row in rows], at.longest), strict=True):
                _clear(axes, top, at.words_above)
                write(axes, at.name, top + at.words, name, ha="left")
                write(axes, at.width - 4, top + at.numbers, row.text, ha="right")
                heights.append(top + at.mark)
                top += at.pitch
        return plot(axes, heights)

    return draw(whole, prefix, (at.width, height + BELOW), (at.left, 40, at.right, 6), has_left_spine)


def _clear(axes: "Axes", top: float, height: float) -> None:
    """Keep what runs from top to bottom, such as the grid, out of the words that stand from `top` on."""
    if height:
        axes.axhspan(top, top + height, facecolor=PAPER, linewidth=0, zorder=2.6)


def write(axes: "Axes", x: float, y: float, text: str, **style: Any) -> None:
    """Write a text beside the plot: x in pixels of the figure, y in the units of the axis."""
    axes.annotate(
        text, xy=(x, y), xycoords=("figure pixels", "data"), va="center", fontsize=11, annotation_clip=False, **style
    )
