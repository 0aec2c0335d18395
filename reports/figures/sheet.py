"""A drawing of lines, boxes, circles and words as a figure of matplotlib, from which its PDF file is made."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from reports.figures.svg import Drawing
from reports.figures.theme import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def to_sheet(drawing: Drawing) -> Drawing:
    """Return the drawing with its `sheet`; its SVG may hold the elements path (of lines), rect, circle and text."""
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(drawing.width / 72, drawing.height / 72), dpi=72)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
        axes.set_axis_off()
        for at, element in enumerate(ET.fromstring(f"<g>{drawing.svg}</g>")):
            _SHAPES[element.tag](axes, element.attrib, element, at)
    return Drawing(drawing.svg, drawing.width, drawing.height, figure, drawing.readout, drawing.narrow)


def _path(axes: "Axes", given: Mapping[str, str], _element: ET.Element, order: int) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    kinds = {"M": Path.MOVETO, "L": Path.LINETO, "z": Path.CLOSEPOLY}
    steps = re.findall(r"([MLz])(?:([-.\d]+) ([-.\d]+))?", given["d"])
    points = [(float(x or 0), float(y or 0)) for _, x, y in steps]
    path = Path(points, [kinds[kind] for kind, _, _ in steps])
    axes.add_patch(PathPatch(path, **_style(given, order)))


def _rect(axes: "Axes", given: Mapping[str, str], _element: ET.Element, order: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y, width, height, corner = (float(given.get(key, 0)) for key in ("x", "y", "width", "height", "rx"))
    corners = x + corner, y + corner
    box = FancyBboxPatch(corners, width - 2 * corner, height - 2 * corner, boxstyle=f"round,pad={corner}")
    box.set(**_style(given, order))
    axes.add_patch(box)


def _circle(axes: "Axes", given: Mapping[str, str], _element: ET.Element, order: int) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle((float(given["cx"]), float(given["cy"])), float(given["r"]), **_style(given, order)))


def _text(axes: "Axes", given: Mapping[str, str], element: ET.Element, order: int) -> None:
    parts = [(element.text or "", given), *((each.text or "", each.attrib) for each in element)]
    is_formula = len(parts) > 1
    axes.text(
        float(given["x"]),
        float(given["y"]),
        "".join(_formula(words, style) for words, style in parts) if is_formula else parts[0][0],
        fontsize=float(given["font-size"]),
        color=given["fill"],
        ha=_ANCHORS[given.get("text-anchor", "start")],
        zorder=order,
        parse_math=is_formula,
    )


def _formula(words: str, style: Mapping[str, str]) -> str:
    """Return words with their italics and indices in matplotlib's notation of formulas."""
    if not words:
        return ""
    if "dy" in style:
        return rf"$_{{\mathit{{{words}}}}}$"
    if style.get("font-style") == "italic":
        return rf"$\mathit{{{words}}}$"
    return words.replace("\\", "\N{SET MINUS}").replace("$", r"\$")


def _style(given: Mapping[str, str], order: int) -> dict[str, object]:
    return {
        "facecolor": given.get("fill", "none"),
        "edgecolor": given.get("stroke", "none"),
        "linewidth": float(given.get("stroke-width", 1)),
        "zorder": order,
    }


_SHAPES: dict[str, Callable[["Axes", Mapping[str, str], ET.Element, int], None]] = {
    "path": _path,
    "rect": _rect,
    "circle": _circle,
    "text": _text,
}
