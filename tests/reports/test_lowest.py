"""The figure of the arms with the lowest error: which stand in it, in which order, and when there is none."""

import re
from xml.etree import ElementTree as ET

from reports.findings import find
from reports.page import report_files
from reports.sections.lowest import MOST, lowest_figure
from tests.reports import studies
from tests.reports.small import found


def names(figure):
    """Return the names that the drawing shows, from top to bottom."""
    texts = ET.fromstring(f"<svg>{figure.panels[0].drawing.svg}</svg>".replace("xlink:", "")).iter("text")
    return [each.text for each in texts if each.text and re.fullmatch(r"(recipe|v)\W?\d+", each.text)]


def many(**changes):
    errors = {(f"v{at}",): (3.0 + at, 3.1 + at, 3.3 + at) for at in range(20)}
    return found(("variant",), {**errors, **{(name,): by_seed for name, by_seed in changes.items()}})


def test_the_lowest_come_first_and_the_baseline_last():
    shown = names(lowest_figure(find(studies.many_arms())))
    assert shown[0] == "recipe 24"
    assert shown[-1] == "recipe 0"
    assert len(shown) == MOST + 1


def test_an_arm_with_a_fail_has_no_place_in_the_order():
    figure = lowest_figure(many(v0=(1.0, 1.1, None)))
    assert names(figure)[0] == "v1"
    assert "of 19 arms" in figure.caption


def test_each_point_leads_to_its_trial():
    whole = studies.many_arms()
    marks = lowest_figure(find(whole)).panels[0].drawing.readout.marks
    errors = {each.id: each.test_error for each in whole.trials}
    assert len(marks) == 3 * (MOST + 1)
    assert all(f"{errors[mark.trial]:.2f} %" in mark.text for mark in marks)


def test_few_arms_are_seen_whole_in_the_table_and_one_seed_has_no_order():
    assert lowest_figure(find(studies.one_factor())) is None
    assert lowest_figure(found(("variant",), {(f"v{at}",): (3.0 + at,) for at in range(20)})) is None


def test_its_numbers_stand_beside_the_page():
    files = report_files(studies.many_arms())
    assert files["figures/lowest.svg"].startswith("<svg")
    assert files["figures/lowest.pdf"].startswith(b"%PDF")
