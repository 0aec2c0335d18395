"""The figure of how two factors act together."""

import pytest

from reports.sections.effects import build
from tests.reports.small import found, near

ERRORS = {
    (wiring, shortcut): near(error)
    for wiring, shortcut, error in (("a", "x", 4.0), ("a", "y", 6.0), ("b", "x", 5.0), ("b", "y", 3.0))
}


def figure(factors, errors, **more):
    section = build(found(factors, errors, **more))
    return next((each for each in section.figures if each.name == "interaction"), None)


def test_two_factors_without_numbers_have_their_means_drawn_a_line_a_level():
    shown = figure(("wiring", "shortcut"), ERRORS)
    assert [row[:3] for row in shown.table.rows] == [
        ("x", "a", pytest.approx(4.0)),
        ("y", "a", pytest.approx(6.0)),
        ("x", "b", pytest.approx(5.0)),
        ("y", "b", pytest.approx(3.0)),
    ]
    assert set(shown.panels[0].drawing.readout.names.values()) == {"a", "b"}
    assert "Interaction of shortcut and wiring" in shown.caption


def test_the_figure_of_depth_is_not_drawn_twice():
    errors = {(depth, name): values for (name, _), values in ERRORS.items() for depth in (20, 56)}
    assert figure(("depth", "wiring"), errors) is None


def test_a_grid_with_a_fail_or_a_gap_has_no_means():
    assert figure(("wiring", "shortcut"), {**ERRORS, ("b", "y"): (3.0, None, 3.1)}) is None
    assert figure(("wiring", "shortcut"), {key: each for key, each in ERRORS.items() if key != ("b", "y")}) is None


def test_of_three_factors_the_pair_that_interacts_most_is_drawn_averaged_over_the_third():
    noise = (-0.1, 0.03, 0.07)
    errors = {
        (wiring, shortcut, rate): tuple(mean[1] + add + each for each in noise)
        for (wiring, shortcut), mean in ERRORS.items()
        for rate, add in (("slow", 0.0), ("fast", 0.5))
    }
    shown = figure(("wiring", "shortcut", "rate"), errors)
    assert {row[0] for row in shown.table.rows} | {row[1] for row in shown.table.rows} == {"a", "b", "x", "y"}
    assert shown.table.rows[0][2] == pytest.approx(4.25)
    assert "averaged over rate;" in shown.caption
