"""Which panels the page shows where there are more than it has room for."""

from reports.figures.theme import MOST_PANELS
from reports.findings import find
from reports.layout import slots
from reports.sections import curves, depth
from reports.sections.panels import lowest_panels
from tests.reports import small, studies
from tests.reports.small import near


def test_the_panels_with_the_lowest_errors_are_shown_in_their_order():
    panels = [(at, {"baseline": 1.0, at: 20.0 - at}) for at in range(20)]
    assert lowest_panels(panels) == list(range(20 - MOST_PANELS, 20))
    assert lowest_panels([*panels[:2], (2, {"baseline": 1.0, 2: None})]) == [0, 1, 2]


def test_the_best_arm_has_a_panel_among_many():
    section = curves.build(find(studies.many_arms()))
    figure = next(each for each in section.figures if each.name == "curves")
    assert len(figure.panels) == MOST_PANELS
    assert "recipe 24" in {panel.title for panel in figure.panels}
    assert "those with the lowest errors" in section.content.notes[0]


def test_series_that_differ_in_one_factor_share_a_panel_of_error_against_depth_with_the_baseline_in_black():
    errors = {
        (at, width, unit): near(3 + width) for at in (8, 14) for width in (2, 4, 6) for unit in ("none", "original")
    }
    base = {"depth": 8, "width": 2, "unit": "original"}
    found = small.found(("depth", "width", "unit"), errors, baseline=base)
    panels = depth.build(found).figures[0].panels
    assert [panel.title for panel in panels] == ["none", "original"]
    assert dict(panels[0].drawing.readout.names) == {0: "width 2", 1: "width 4", 2: "width 6"}
    assert set(slots(found.layout, 5).values()) == {0, 1, 2}


def test_arms_without_a_result_are_counted_where_lines_are_left_out():
    errors = {(at, unit): (near(3) if unit == "a" else (small.WAITING,) * 3) for at in (8, 14) for unit in "ab"}
    found = small.found(("depth", "unit"), errors)
    assert depth.build(found).content.notes == ("2 of 4 arms left out: no result.",)
    assert curves.build(found).content.notes == ("2 of 4 arms left out: no trial has ended an epoch.",)
