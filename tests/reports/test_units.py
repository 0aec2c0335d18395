"""Units as SVG block diagrams: what stands in them, where, and that names are text."""

import re
from xml.etree import ElementTree as ET

import pytest

from reports.figures.pdf import to_pdf
from reports.figures.units import unit_drawings
from search_spaces.drawing import ShortcutDrawing, UnitDrawing

ORIGINAL = UnitDrawing(
    branch=("3×3 conv", "BN", "ReLU", "3×3 conv", "BN"), shortcut=ShortcutDrawing(), after=("ReLU",), note="identity"
)
PLAIN = UnitDrawing(branch=("3×3 conv", "ReLU"))
GATED = UnitDrawing(
    branch=("BN", "ReLU", "3×3 conv"),
    before=("BN",),
    shortcut=ShortcutDrawing((), "1 − g", "g", ("1×1 conv", "sigmoid")),
)
DENSE = UnitDrawing(branch=("BN", "ReLU", "3×3 conv"), shortcut=ShortcutDrawing(), merge="concat")
SCALED = UnitDrawing(branch=("3×3 conv",), shortcut=ShortcutDrawing(("1×1 conv",), "0.5"), after=("BN", "ReLU"))
HOSTILE = UnitDrawing(branch=("</svg><script>",), shortcut=ShortcutDrawing(("a very long name of an operation",)))
UNITS = (ORIGINAL, PLAIN, GATED, DENSE, SCALED, HOSTILE)


def parsed(unit: UnitDrawing) -> ET.Element:
    (drawing,) = unit_drawings([unit])
    return ET.fromstring(f"<svg>{drawing.svg}</svg>")


def texts(unit: UnitDrawing) -> list[str]:
    return ["".join(each.itertext()) for each in parsed(unit).iter("text")]


def column(unit: UnitDrawing, label: str) -> float:
    """Return the place across of the box with that label."""
    return next(float(each.attrib["x"]) for each in parsed(unit).iter("text") if each.text == label)


@pytest.mark.parametrize("unit", [ORIGINAL, PLAIN, GATED, DENSE, SCALED])
def test_every_layer_is_a_box_and_the_signal_has_its_names(unit: UnitDrawing) -> None:
    drawn = unit.shortcut or ShortcutDrawing()
    layers = [*unit.before, *unit.branch, *drawn.layers, *drawn.gate, *unit.after]
    merge = ["concat"] if unit.merge == "concat" else []
    assert len(list(parsed(unit).iter("rect"))) == len(layers) + len(merge)
    factors = [each for each in (drawn.shortcut_factor, drawn.residual_factor) if each]
    assert sorted(texts(unit)) == sorted([*layers, *merge, *factors, "xl", "xl+1"])


def test_the_branch_stands_right_of_what_the_merged_signal_goes_through() -> None:
    assert column(SCALED, "3×3 conv") > column(SCALED, "1×1 conv") == column(SCALED, "BN") == column(SCALED, "ReLU")


def test_a_gate_stands_between_the_two_paths() -> None:
    assert column(GATED, "BN") < column(GATED, "sigmoid") < column(GATED, "ReLU")


def test_layers_come_in_their_order_from_the_top() -> None:
    heights = {each.text: float(each.attrib["y"]) for each in parsed(GATED).iter("text") if each.text}
    assert heights["ReLU"] < heights["3×3 conv"]
    assert heights["1×1 conv"] < heights["sigmoid"]


@pytest.mark.parametrize(("unit", "circles"), [(ORIGINAL, 1), (PLAIN, 0), (GATED, 3), (DENSE, 0), (SCALED, 2)])
def test_sums_and_products_are_circles(unit: UnitDrawing, circles: int) -> None:
    assert len(list(parsed(unit).iter("circle"))) == circles


@pytest.mark.parametrize("unit", UNITS)
def test_everything_lies_inside_the_drawing(unit: UnitDrawing) -> None:
    (drawing,) = unit_drawings([unit])
    for path in parsed(unit).iter("path"):
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.attrib["d"]):
            assert 0 <= float(x) <= drawing.width
            assert 0 <= float(y) <= drawing.height
    for rect in parsed(unit).iter("rect"):
        assert float(rect.attrib["x"]) >= 1
        assert float(rect.attrib["x"]) + float(rect.attrib["width"]) <= drawing.width - 1


def test_boxes_do_not_touch() -> None:
    for unit in UNITS:
        boxes = [tuple(float(each.attrib[key]) for key in ("x", "y", "height")) for each in parsed(unit).iter("rect")]
        for x, y, height in boxes:
            assert not any(at == x and y < top < y + height + 4 for at, top, _ in boxes)


def test_units_of_one_figure_are_drawn_to_one_scale() -> None:
    assert len({drawing.width for drawing in unit_drawings(UNITS)}) == 1


def test_a_long_label_is_broken_and_a_hostile_one_is_text() -> None:
    found = texts(HOSTILE)
    assert "".join(found).count("</svg><scrip") == 1
    assert "a very long" in found
    assert not list(parsed(HOSTILE).iter("script"))


def test_colours_follow_the_theme_and_no_style_is_inline() -> None:
    (drawing,) = unit_drawings([GATED])
    assert " style=" not in drawing.svg
    assert "id=" not in drawing.svg
    for element in parsed(GATED).iter():
        for key, letter in (("fill", "f"), ("stroke", "s")):
            if element.attrib.get(key, "none") != "none":
                assert f"{letter}-" in element.attrib["class"]


def test_a_unit_is_a_page_of_a_pdf_with_the_same_shapes_and_words() -> None:
    (drawing,) = unit_drawings([GATED])
    (axes,) = drawing.sheet.axes
    shapes = [each.tag for each in ET.fromstring(f"<svg>{drawing.svg}</svg>")]
    assert len(axes.patches) == sum(tag != "text" for tag in shapes)
    words = [each.get_text() for each in axes.texts]
    assert len(words) == shapes.count("text")
    assert {"sigmoid", "3×3 conv", r"1 − $\mathit{g}$", r"$\mathit{x}$$_{\mathit{l+1}}$"} <= set(words)
    assert drawing.sheet.get_size_inches().tolist() == [drawing.width / 72, drawing.height / 72]


@pytest.mark.parametrize("factor", ["$x", "\\x", "{x_", "$", "a^$b$", "日"])
def test_a_hostile_factor_is_text_in_the_pdf(factor: str) -> None:
    unit = UnitDrawing(branch=(factor,), shortcut=ShortcutDrawing((), factor, factor, (factor,)))
    assert to_pdf([each.sheet for each in unit_drawings([unit])]).startswith(b"%PDF")
