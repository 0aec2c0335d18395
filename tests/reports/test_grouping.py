"""Runs of SVG elements share their attributes, and draw the same."""

from xml.etree import ElementTree as ET

from reports.figures.grouping import LEAST_SAVED, grouped

CELL = {"stroke": "#5b5b60", "stroke-width": "0.4", "class": "s-muted", "clip-path": "url(#a-1)"}


def cells(count, **more):
    return [ET.Element("path", {**CELL, "fill": f"#{at:06x}", "d": f"M{at} 0l1 1", **more}) for at in range(count)]


def resolved(elements, inherited=None):
    """Return what each drawn element is drawn with, its own attributes and those of the groups around it."""
    for each in elements:
        attributes = {**(inherited or {}), **each.attrib}
        if each.tag == "g":
            yield from resolved(each, attributes)
        else:
            yield each.tag, attributes


def test_what_a_run_has_in_common_stands_at_its_group():
    (group,) = grouped(cells(20))
    assert (group.tag, group.attrib) == ("g", CELL)
    assert [set(each.attrib) for each in group] == [{"fill", "d"}] * 20


def test_every_element_is_drawn_as_before_and_in_the_same_order():
    texts = [ET.Element("text", {"font-size": "10.5", "text-anchor": "end", "x": str(at)}) for at in range(40)]
    mixed = [*cells(20), *texts, *cells(3, opacity="0.5"), *cells(30, stroke="#000000")]
    before = list(resolved(mixed))
    after = grouped(mixed)
    assert len(after) < len(mixed)
    assert list(resolved(after)) == before


def test_short_runs_stay_as_they_are():
    few = cells(4)
    assert sum(len(f' {key}="{value}"') for key, value in CELL.items()) * 3 < LEAST_SAVED
    assert grouped(few) == few


def test_what_is_not_inherited_stays_at_its_element():
    for kind, kept in (
        (cells(60, opacity="0.5", **{"class": "by-epoch series-1"}), {"opacity", "class"}),
        (cells(60, transform="rotate(90)"), {"transform", "clip-path"}),
        ([ET.Element("use", {**CELL, "x": "1"}) for _ in range(60)], {"clip-path", "x"}),
    ):
        (group,) = grouped(kind)
        assert kept <= group[0].attrib.keys()
        assert not kept & group.attrib.keys()


def test_runs_of_different_inks_are_groups_inside_a_group():
    inks = [*cells(20), *cells(20, stroke="#0072b2", **{"class": "s-c1"})]
    before = list(resolved(inks))
    (outer,) = grouped(inks)
    assert outer.attrib.keys() == {"stroke-width", "clip-path"}
    assert [(each.tag, each.get("class")) for each in outer] == [("g", "s-muted"), ("g", "s-c1")]
    assert list(resolved([outer])) == before
