"""The unit that a network repeats as a block diagram, in the manner of figure 4 of arXiv:1603.05027.

The signal enters at the top. The shortcut runs straight down on the left, the branch on the right, and a gate, where
there is one, between them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from xml.etree import ElementTree as ET

from reports.figures.sheet import to_sheet
from reports.figures.svg import INK, MUTED, PAPER, RULE, Drawing
from reports.wording import drawn_controls
from search_spaces.drawing import ShortcutDrawing, UnitDrawing

BOX, LINE, PITCH = 76, 13, 9
"""Width of a box, height of a line of text in it, and the room below one another between boxes, in pixels."""
BETWEEN, MARGIN = 16, 8
_RADIUS = 8.5
_CLASSES = {INK: "ink", MUTED: "muted", PAPER: "paper", RULE: "rule"}
_Point = tuple[float, float]


def unit_drawings(units: Sequence[UnitDrawing]) -> list[Drawing]:
    """Draw units to one scale, each as wide as the widest of them, so that they can stand in a row."""
    columns = max(_columns(unit) for unit in units)
    width = columns * BOX + (columns - 1) * BETWEEN + 2 * MARGIN
    return [_draw(unit, width) for unit in units]


def _columns(unit: UnitDrawing) -> int:
    return 1 if unit.shortcut is None else 3 if unit.shortcut.gate else 2


def _draw(unit: UnitDrawing, width: int) -> Drawing:
    places = [MARGIN + BOX / 2 + (BOX + BETWEEN) * column for column in range(_columns(unit))]
    sketch = _Sketch()
    sketch.name(places[0], 12, "")
    y = sketch.chain(places[0], 18, unit.before, thick=unit.shortcut is not None)
    if unit.shortcut is None:
        y = sketch.chain(places[0], y, (*unit.branch, *unit.after))
    else:
        y = _two_paths(sketch, unit, unit.shortcut, places, y + PITCH / 2)
        y = sketch.chain(places[0], y, unit.after, thick=True)
    sketch.line((places[0], y), (places[0], y + 14), thick=unit.shortcut is not None)
    sketch.head((places[0], y + 20), (0, 1))
    sketch.name(places[0], y + 33, "+1")
    return to_sheet(Drawing(sketch.svg(), width, round(y + 40)))


def _two_paths(
    sketch: "_Sketch", unit: UnitDrawing, shortcut: ShortcutDrawing, places: Sequence[float], top: float
) -> float:
    """Draw both paths from the split to the merge and return where the merge ends."""
    trunk, side = places[0], places[-1]
    is_weighed = bool(shortcut.shortcut_factor or shortcut.residual_factor)
    below = 2 * _RADIUS + PITCH if is_weighed else 0
    tall = max(_height(unit.branch), _height(shortcut.layers), _height(shortcut.gate) + PITCH)
    factors, merge = top + tall + PITCH + _RADIUS, top + tall + below + PITCH + 6 + _RADIUS
    sketch.line((trunk, top - PITCH / 2), (trunk, merge), thick=True)
    sketch.line((trunk, top), (side, top), (side, merge), (trunk + _RADIUS + 6, merge))
    sketch.chain(side, top, unit.branch)
    middle = top + (tall - _height(shortcut.layers)) / 2
    sketch.chain(trunk, middle, shortcut.layers, thick=True, strong=True)
    if shortcut.gate:
        _gate(sketch, shortcut, places, top, factors)
    for x, factor in ((trunk, shortcut.shortcut_factor), (side, shortcut.residual_factor)):
        if factor:
            sketch.sign((x, factors), "×")
        if factor and not shortcut.gate:
            sketch.formula((x + _RADIUS + 4, factors + 4), factor, anchor="start")
    if unit.merge == "add":
        sketch.sign((trunk, merge), "+")
        sketch.head((trunk + _RADIUS + 0.5, merge), (-1, 0))
        return merge + _RADIUS
    sketch.box(trunk, merge - LINE / 2 - 4, "concat", strong=True)
    sketch.head((trunk + BOX / 2 + 0.5, merge), (-1, 0))
    return merge + LINE / 2 + 4


def _gate(sketch: "_Sketch", shortcut: ShortcutDrawing, places: Sequence[float], top: float, factors: float) -> None:
    """Draw the path that makes the factors, and its arrows to both of them."""
    trunk, middle, side = places
    sketch.line((middle, top), (middle, factors))
    sketch.chain(middle, top, shortcut.gate, strong=True)
    ends = ((trunk + _RADIUS, -1, shortcut.shortcut_factor), (side - _RADIUS, 1, shortcut.residual_factor))
    for end, way, factor in ends:
        if factor:
            sketch.line((middle, factors), (end - 6 * way, factors))
            sketch.head((end - 0.5 * way, factors), (way, 0))
            sketch.formula(((middle + end) / 2, factors - 5), factor)


def _height(labels: Iterable[str]) -> float:
    """Return how much room boxes of these labels take below one another, the gap above each included."""
    return sum(len(_lines(label)) * LINE + 8 + PITCH for label in labels)


def _lines(label: str) -> list[str]:
    return wrap(label, 12, max_lines=2, placeholder="…") or [""]


@dataclass
class _Sketch:
    """Elements of an SVG in the order in which they are drawn: later ones cover earlier ones."""

    lines: list[ET.Element] = field(default_factory=list)
    shapes: list[ET.Element] = field(default_factory=list)

    def svg(self) -> str:
        """Return the elements as text, lines behind everything else."""
        return drawn_controls("".join(ET.tostring(each, encoding="unicode") for each in (*self.lines, *self.shapes)))

    def line(self, *points: _Point, thick: bool = False) -> None:
        """Draw a line through points; the shortcut's is thick, as the way that signals take most easily."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        colour = MUTED if thick else INK
        style = {"fill": "none", "stroke": colour, "stroke-width": "2.6" if thick else "1.1"}
        self.lines.append(ET.Element("path", {"d": path, "class": f"s-{_CLASSES[colour]}", **style}))

    def head(self, tip: _Point, way: tuple[int, int]) -> None:
        """Draw the head of an arrow that points along `way` with its tip there."""
        (x, y), (dx, dy) = tip, way
        back = [(x - 7 * dx + 3.2 * side * dy, y - 7 * dy + 3.2 * side * dx) for side in (1, -1)]
        path = "M" + "L".join(f"{at:g} {to:g}" for at, to in (tip, *back)) + "z"
        self.shapes.append(ET.Element("path", {"d": path, "class": "f-ink", "fill": INK}))

    def chain(self, x: float, y: float, labels: Iterable[str], *, thick: bool = False, strong: bool = False) -> float:
        """Draw boxes below one another from `y` on, the line through them with them, and return where they end."""
        first = y
        for label in labels:
            y = self.box(x, y + PITCH, label, strong=strong)
        if y > first:
            self.line((x, first), (x, y), thick=thick)
        return y

    def box(self, x: float, y: float, label: str, *, strong: bool = False) -> float:
        """Draw a box with its label centred at `x` from `y` on, and return where it ends. Weights have a grey one."""
        lines = _lines(label)
        height = len(lines) * LINE + 8
        fill = RULE if "conv" in label and not strong else PAPER
        place = {"x": f"{x - BOX / 2:g}", "y": f"{y:g}", "width": str(BOX), "height": f"{height:g}", "rx": "3"}
        style = {"fill": fill, "stroke": INK, "stroke-width": "1.8" if strong else "0.9"}
        self.shapes.append(ET.Element("rect", {**place, "class": f"f-{_CLASSES[fill]} s-ink", **style}))
        for at, words in enumerate(lines):
            self.text((x, y + 4 + LINE * (at + 0.77)), words)
        return y + height

    def sign(self, at: _Point, sign: str) -> None:
        """Draw a circle with a plus or a times in it."""
        x, y = at
        place = {"cx": f"{x:g}", "cy": f"{y:g}", "r": f"{_RADIUS:g}"}
        style = {"class": "f-paper s-ink", "fill": PAPER, "stroke": INK, "stroke-width": "1.1"}
        self.shapes.append(ET.Element("circle", {**place, **style}))
        reach = 5 if sign == "+" else 3.6
        ways = ((1, 0), (0, 1)) if sign == "+" else ((1, 1), (1, -1))
        ends = ((x - reach * dx, y - reach * dy, x + reach * dx, y + reach * dy) for dx, dy in ways)
        path = "".join(f"M{a:g} {b:g}L{c:g} {d:g}" for a, b, c, d in ends)
        self.shapes.append(ET.Element("path", {"d": path, "class": "s-ink", "stroke": INK, "stroke-width": "1.1"}))

    def formula(self, at: _Point, words: str, *, anchor: str = "middle") -> None:
        """Write a factor, the letters that stand alone in it as the variables that they are."""
        element = self.text(at, "", anchor=anchor)
        for part in re.split(r"(\b[^\W\d]\b)", words):
            style = {"font-style": "italic"} if len(part) == 1 and part.isalpha() else {}
            ET.SubElement(element, "tspan", style).text = part

    def name(self, x: float, y: float, index: str) -> None:
        """Write the name of the signal: x with its index l or l+1."""
        name = self.text((x, y), "x", italic=True, size=13)
        lower = ET.SubElement(name, "tspan", {"font-size": "9", "dy": "3"})
        lower.text = f"l{index}"

    def text(
        self, at: _Point, words: str, *, anchor: str = "middle", italic: bool = False, size: int = 11
    ) -> ET.Element:
        """Write words with their middle, or start, at a point on their base line."""
        place = {"x": f"{at[0]:g}", "y": f"{at[1]:g}", "font-size": str(size), "text-anchor": anchor}
        style = {"class": "f-ink", "fill": INK, **({"font-style": "italic"} if italic else {})}
        element = ET.Element("text", {**place, **style})
        element.text = words
        self.shapes.append(element)
        return element
