"""matplotlib's SVG made small and themeable: no style attributes, colours as classes, coordinates in tenths."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from reports.figures.grouping import grouped
from reports.figures.readout import TAG, Readout
from reports.wording import drawn_controls, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
_TOKEN = re.compile(r"[MLCQzZ]|-?[\d.]+(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")

# What a reader of the page sees is decided by the style sheet through the class; a file on its own keeps the colour.
INK, MUTED, RULE, PAPER = "#1b1b1c", "#5b5b60", "#dcdce0", "#fefefe"
HEADING = 28
"""Room for a drawing's heading in a file that shows several, in pixels."""
SERIES = ("#0a0a0a", "#0072b2", "#d55e00", "#009e73", "#cc79a7")
_CLASSES = {INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper"} | {
    colour: f"c{slot}" for slot, colour in enumerate(SERIES)
}

_SMALL, _WIDE = 400, 600
"""Pixels: a drawing of less width is not blown up where it stands alone; a wider one may take more of the page."""
_KEPT = {
    "fill",
    "fill-opacity",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-linecap",
    "text-anchor",
    "font-size",
    "font-weight",
    "font-style",
}
_DEFAULTS = {
    "stroke-width": "1",
    "stroke-opacity": "1",
    "fill-opacity": "1",
    "opacity": "1",
    "stroke-dashoffset": "0",
    "stroke-linecap": "butt",
    "text-anchor": "start",
    "fill": "#000000",
    "stroke": "none",
    "font-style": "normal",
    "font-weight": "normal",
}


@dataclass(frozen=True)
class Drawing:
    """An SVG element as text, ready to stand inside a page, with its size in CSS pixels at 100 %.

    `sheet` is matplotlib's figure, for a PDF file; None for a drawing of a phone or of a preview. `readout` is what the
    page's script says of its points. `narrow` is the same for a phone, which the page shows there instead; None where
    the drawing fits as it is.
    """

    svg: str
    width: int
    height: int
    sheet: "Figure | None" = field(default=None, compare=False, repr=False)
    readout: Readout = field(default_factory=Readout)
    narrow: "Drawing | None" = None

    @property
    def shown(self) -> tuple["Drawing", ...]:
        """Return the drawings that stand on the page for it, in their order."""
        return (self, self.narrow) if self.narrow else (self,)

    def renamed(self, prefix: str) -> "Drawing":
        """Return the drawing with other ids, to stand on a page a second time."""
        narrow = self.narrow.renamed(prefix) if self.narrow else None
        return replace(self, svg=re.sub(r'( id="|"#|url\(#)', rf"\g<1>{prefix}-", self.svg), narrow=narrow)

    def to_page(self, title_id: str, title: str, description: str) -> str:
        """Return the element with its role and the text that stands for it where it cannot be seen."""
        if self.narrow is None:
            return self._element(title_id, title, description, ' class="small"' if self.width < _SMALL else "")
        name = "broad wide" if self.width > _WIDE else "broad"
        broad = self._element(title_id, title, description, f' class="{name}"')
        return broad + self.narrow._element(f"{title_id}-n", title, description, ' class="narrow"')

    def _element(self, title_id: str, title: str, description: str, name: str) -> str:
        title_id = _escaped(title_id)
        head = (
            f'<svg xmlns="{_SVG}" viewBox="0 0 {self.width} {self.height}" role="img"{name} '
            f'aria-labelledby="{title_id} {title_id}-d">'
            f'<title id="{title_id}">{_escaped(title)}</title><desc id="{title_id}-d">{_escaped(description)}</desc>'
        )
        return f"{head}{self.svg}</svg>"


def to_drawing(figure: "Figure", prefix: str) -> Drawing:
    """Return a finished matplotlib figure as a small drawing; `prefix` keeps its ids apart from every other's."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ET.fromstring(buffer.getvalue())
    for element in root.iter():
        _clean(element)
    _rename(root, prefix)
    width, height = (float(each) for each in root.attrib["viewBox"].split()[2:])
    body = "".join(_serialised(child) for child in grouped(_flattened(root)))
    return Drawing(body, round(width), round(height))


def compose(drawings: Sequence[tuple[str, Drawing]], columns: int, title: str) -> str:
    """Return one stand-alone SVG file that shows several drawings, each below its heading, in rows of `columns`."""
    width = max(each.width for _, each in drawings)
    head = HEADING if any(heading for heading, _ in drawings) else 0
    height = max(each.height for _, each in drawings) + head
    rows = -(-len(drawings) // columns)
    parts = [
        f'<svg x="{at % columns * width}" y="{at // columns * height}" width="{each.width}" height="{height}">'
        f'{_heading(heading, each.width)}<svg y="{head}" overflow="visible">{_unthemed(each.svg)}</svg></svg>'
        for at, (heading, each) in enumerate(drawings)
    ]
    across, down = width * min(columns, len(drawings)), height * rows
    return (
        f'<svg xmlns="{_SVG}" viewBox="0 0 {across} {down}" width="{across}" height="{down}" '
        f'font-family="Helvetica, Arial, sans-serif"><title>{_escaped(title)}</title>{"".join(parts)}</svg>\n'
    )


def _unthemed(markup: str) -> str:
    """Return elements without the classes that mean something to the page's style sheet alone."""
    return re.sub(r"<[^>]+>", lambda tag: re.sub(r' class="[^"]*"', "", tag.group()), markup)


def _heading(text: str, width: int) -> str:
    if not text:
        return ""
    words = _escaped(shortened(text, round(width / 6.2)))
    return f'<text fill="{INK}" x="8" y="20" font-size="12" font-weight="bold">{words}</text>'


def _clean(element: ET.Element) -> None:
    element.tag = element.tag.rpartition("}")[2]
    attributes = {**element.attrib, **_declarations(element.attrib.pop("style", ""))}
    kept: dict[str, str] = {}
    classes = []
    if attributes.get("id", "").startswith(TAG):
        classes.append(attributes.pop("id").removeprefix(TAG))
    for key, value in attributes.items():
        if key in ("fill", "stroke"):
            name = _CLASSES.get(value.lower())
            if name:
                classes.append(("f-" if key == "fill" else "s-") + name)
        if key in _KEPT and (_DEFAULTS.get(key) != value or (key == "fill" and classes)):
            kept[key] = value.removesuffix("px") if key in ("font-size", "stroke-width") else value
    if element.tag == "text" and "fill" not in kept:
        kept["fill"] = INK
        classes.append("f-ink")
    if classes:
        kept["class"] = " ".join(classes)
    element.attrib = kept | _geometry(element.tag, attributes)


def _declarations(style: str) -> dict[str, str]:
    declarations: dict[str, str] = {}
    for declaration in filter(None, (each.strip() for each in style.split(";"))):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":
            size = re.search(r"([\d.]+)px", value)
            declarations |= {"font-size": size[1]} if size else {}
            declarations |= {"font-weight": "bold"} if re.search(r"\b(bold|[6-9]00)\b", value) else {}
        else:
            declarations[key] = value
    return declarations


def _geometry(tag: str, attributes: dict[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key in ("id", "clip-path", "viewBox"):
        if key in attributes:
            kept[key] = attributes[key]
    if _LINK in attributes:
        kept["href"] = attributes[_LINK]
    for key in ("x", "y", "width", "height"):
        if key in attributes and tag != "svg":
            kept[key] = _tenth(attributes[key])
    if "d" in attributes:
        kept["d"] = shorten_path(attributes["d"])
    transform = re.sub(r"rotate\(-?0(?:\.0)?(?: [^)]*)?\)", "", attributes.get("transform", "")).strip()
    if transform:
        kept["transform"] = re.sub(r"-?\d+\.\d+", lambda number: _tenth(number[0]), transform)
    return kept


def _tenth(text: str) -> str:
    return f"{round(float(text), 1):g}"


def shorten_path(path: str) -> str:
    """Return the path in relative steps of a tenth; small shapes with curves keep hundredths and stay absolute."""
    tokens = _TOKEN.findall(path)
    if "C" in tokens or "Q" in tokens:
        return " ".join(each if each.isalpha() else f"{round(float(each), 2):g}" for each in tokens)
    parts: list[str] = []
    at = (0, 0)
    numbers = iter(tokens)
    command = ""
    for token in numbers:
        if token in "zZ":
            parts.append("z")
            continue
        if token in "ML":
            command, token = token, next(numbers)
        to = (round(10 * float(token)), round(10 * float(next(numbers))))
        if command == "M":
            parts.append(f"M{_pair(to)}l")
        elif to != at:
            parts.append(f"{_pair((to[0] - at[0], to[1] - at[1]))} ")
        at = to
        command = "L"
    return "".join(parts).replace("l z", "z").replace(" z", "z").rstrip("l ").replace("lM", "M").replace(" -", "-")


def _pair(tenths: tuple[int, int]) -> str:
    first, second = (f"{each / 10:g}" for each in tenths)
    return f"{first} {second}"


def _rename(root: ET.Element, prefix: str) -> None:
    """Give new short ids to what is referred to and none to anything else."""
    used: dict[str, str] = {}

    def name(old: str) -> str:
        return used.setdefault(old, f"{prefix}-{len(used)}")

    for element in root.iter():
        if "href" in element.attrib:
            element.attrib["href"] = "#" + name(element.attrib["href"].removeprefix("#"))
        if "clip-path" in element.attrib:
            reference = _REFERENCE.search(element.attrib["clip-path"])
            element.attrib["clip-path"] = f"url(#{name(reference[1])})" if reference else "none"
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in used:
            element.attrib["id"] = used[old]


def _flattened(element: ET.Element) -> list[ET.Element]:
    """Return the children with metadata and empty things left out, and groups dissolved that carry nothing or a class.

    The class goes to each of the group's children.
    """
    made: list[ET.Element] = []
    for child in element:
        if child.tag in ("metadata", "style", "title"):
            continue
        children = _flattened(child)
        if child.tag == "g" and not child.attrib.keys() - {"class"}:
            made += _with_class(children, child.attrib.get("class"))
            continue
        if child.tag in ("g", "defs") and not children:
            continue
        if child.tag == "path" and _is_invisible(child):
            continue
        child[:] = grouped(children) if child.tag == "g" else children
        made.append(child)
    return made


def _with_class(elements: list[ET.Element], name: str | None) -> list[ET.Element]:
    for element in elements if name else ():
        if element.tag != "defs":
            element.attrib["class"] = " ".join(filter(None, (element.attrib.get("class"), name)))
    return elements


def _is_invisible(path: ET.Element) -> bool:
    """Whether a path draws nothing: it has no points (a curve whose every value is unknown), or neither ink."""
    if "id" in path.attrib:
        return False
    return not path.attrib.get("d") or (path.attrib.get("fill") == "none" and "stroke" not in path.attrib)


def _serialised(element: ET.Element) -> str:
    element.tail = None
    text = ET.tostring(element, encoding="unicode", short_empty_elements=True)
    return drawn_controls(re.sub(r"\s*\n\s*", "", text)).replace(" />", "/>")


def _escaped(text: str) -> str:
    return drawn_controls(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


Draw = Callable[["Figure"], None]
