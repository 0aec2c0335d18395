import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from reports.figures.axis import LevelSeries, axis_drawing
from reports.figures.curves import Curve, CurveScale, curves_drawing
from reports.figures.svg import compose, shorten_path
from reports.figures.theme import spread


def run(**changes):
    values = {"label": "plain", "slot": 1, "levels": (20.0, 56.0), "middle": (2.0, 60.0), "points": ((20.0, 2.0),)}
    return LevelSeries(**{**values, "diverged": (), **changes})


def drawn(one=None):
    one = run() if one is None else one
    return axis_drawing([one], prefix="d", values=[2.0, 60.0], factor="depth", ticks=[20.0, 56.0], small=False)


def test_paths_become_relative_steps_in_tenths():
    assert shorten_path("M 10.04 20.06 \nL 30.02 20.06 \nL 30.02 25 \n") == "M10 20.1l20 0 0 4.9"


def test_rounding_does_not_add_up_along_a_path():
    path = shorten_path("M 0 0 " + " ".join(f"L {0.26 * at} 0" for at in range(1, 101)))
    steps = [float(x) for x, _ in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]
    assert sum(steps) == pytest.approx(26.0)


def test_closed_paths_and_pieces_keep_their_commands():
    assert shorten_path("M 0 0 L 1 0 L 1 1 z M 5 5 L 6 6") == "M0 0l1 0 0 1zM5 5l1 1"


def test_curved_shapes_keep_hundredths():
    assert shorten_path("M 0 2.236 C 0.593 2.236 1.1 2 1.5 1.5 z") == "M 0 2.24 C 0.59 2.24 1.1 2 1.5 1.5 z"


def test_a_drawing_has_no_style_attribute_and_colours_as_classes():
    svg = drawn().svg
    assert "style" not in svg
    assert "s-c1" in svg
    assert "f-ink" in svg


def test_a_hostile_name_is_text_in_a_drawing():
    page = drawn(run(label="</svg><script>")).to_page("t", 'a "title" <b>', "x & y")
    every = ET.fromstring(f"<div>{page}</div>").iter()
    texts = ["".join(each.itertext()) for each in every if each.tag.endswith("text")]
    assert "</svg><script>" in texts


def test_dollar_signs_are_not_read_as_mathematics():
    assert "$x^" in drawn(run(label="$x^{$")).svg


def test_two_drawings_share_no_id():
    one = axis_drawing([run()], prefix="a", values=[1.0], factor="x", ticks=[20.0, 56.0], small=True)
    two = axis_drawing([run()], prefix="b", values=[1.0], factor="x", ticks=[20.0, 56.0], small=True)
    ids = [set(re.findall(r'id="([^"]*)"', each.svg)) for each in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_has_its_target():
    svg = drawn().svg
    wanted = set(re.findall(r'(?:href="|url\()#([^")]*)', svg))
    assert wanted <= set(re.findall(r'id="([^"]*)"', svg))


def test_composed_files_are_svg():
    root = ET.fromstring(compose([("a", drawn()), ("b", drawn())], 2, "Two & two"))
    assert root.attrib["width"] == "1080"


def test_a_file_of_several_drawings_has_their_headings_and_room_for_them():
    root = ET.fromstring(compose([("at depth 20", drawn()), ("<b>", drawn())], 2, "Two"))
    bold = [each.text for each in root.iter() if each.tag.endswith("text") and each.attrib.get("font-weight") == "bold"]
    assert bold == ["at depth 20", "<b>"]
    without = ET.fromstring(compose([("", drawn()), ("", drawn())], 2, "Two"))
    assert int(root.attrib["height"]) > int(without.attrib["height"]) == drawn().height


def test_the_training_curve_is_dashed_and_the_test_curve_is_not():
    line = Curve("plain", 1, (1, 2, 3), (9.0, 5.0, 2.0), (8.0, 4.0, 1.0), (10.0, 6.0, 3.0), (8.0, 3.0, 1.0))
    svg = curves_drawing([line], [], CurveScale((2.0, 9.0), last_epoch=3, room=60), prefix="c").svg
    paths = [each for each in re.findall(r"<path [^>]*>", svg) if "s-c1" in each and 'fill="none"' in each]
    assert ["stroke-dasharray" in each for each in paths][:2] == [True, False]


def test_labels_are_pushed_apart_and_stay_inside():
    places = spread([10.0, 10.5, 50.0, 99.0], gap=12.0, low=6.0, high=94.0)
    assert all(after - before >= 12.0 - 1e-9 for before, after in pairwise(places))
    assert places[-1] <= 94.0


def test_a_panel_of_curves_that_stands_alone_is_as_large_as_the_other_figures():
    line = Curve("plain", 1, (1, 2), (9.0, 2.0), (8.0, 1.0), (10.0, 3.0), (8.0, 1.0))
    scale = CurveScale((2.0, 9.0), 2, 60)
    widths = [curves_drawing([line], [], scale, prefix="c", is_large=each).width for each in (False, True)]
    assert widths == [330, drawn().width]
