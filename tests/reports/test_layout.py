"""The layout: names of levels, and whether arms are compared level by level."""

import pytest

from reports.findings import find
from reports.layout import bundles, lay_out, name_levels, numeric_axis
from reports.page import write_report
from reports.sections import depth, table
from tests.reports import searches, small
from tests.reports.small import near, study


@pytest.mark.parametrize(
    ("levels", "name"),
    [
        ([("variant", "good")], "good"),
        ([("depth", 8)], "depth 8"),
        ([("training.augment.flip", True)], "training.augment.flip true"),
        ([("variant", "a"), ("training.lr", 0.1)], "variant a, training.lr 0.1"),
        ([("variant", "a"), ("rate", None)], "variant a, rate –"),
        ([], ""),
    ],
)
def test_a_word_names_itself_and_a_number_needs_its_factor(levels, name):
    assert name_levels(levels) == name


GRID = {(depth, name): near(3) for depth in (8, 14) for name in ("a", "b")}


@pytest.mark.parametrize(
    ("arms", "runs"),
    [
        (GRID, True),
        ({(8, "a"): near(3), (14, "b"): near(3)}, False),
        ({(8, "a"): near(3), (14, "a"): near(3)}, False),
        ({(8, "a"): near(3), (14, "a"): near(3), (8, "b"): near(3), (8, "c"): near(3)}, False),
    ],
    ids=["a grid", "an arm a level", "one line", "one line of three"],
)
def test_arms_are_compared_level_by_level_where_most_of_several_lines_hold_several(arms, runs):
    assert lay_out(study(("depth", "variant"), arms), "depth").runs_along_axis() is runs


def test_the_arms_at_a_level_come_in_the_order_of_their_lines():
    layout = lay_out(study(("depth", "variant"), GRID), "depth")
    assert [arm.levels["variant"] for arm in layout.arms_at(14)] == ["a", "b"]


def test_series_that_differ_in_one_factor_alone_are_the_lines_of_one_panel():
    names = [f"block-{at}" for at in range(4)]
    errors = {
        (depth, wiring, rate, block): (5.0,)
        for depth in (8, 14) for wiring in ("a", "b") for rate in (0.1, 0.2) for block in names
    }  # fmt: skip
    layout = lay_out(small.study(("depth", "wiring", "training.lr", "block"), errors), axis="depth")
    assert len(layout.series) == 16
    made = bundles(layout, 5)
    assert [title for title, _ in made][:2] == ["wiring a, training.lr 0.1", "wiring a, training.lr 0.2"]
    assert [[line.label for _, line in bundle] for _, bundle in made] == [names] * 4
    assert [[line.slot for _, line in bundle] for _, bundle in made] == [[0, 1, 2, 3]] * 4
    assert {series.levels for _, bundle in made for series, _ in bundle} == {each.levels for each in layout.series}
    assert [len(bundle) for _, bundle in bundles(layout, 3)] == [2] * 8
    assert bundles(layout, 1) == []


def test_no_panel_of_many_factors_is_called_like_another_and_every_arm_is_drawn():
    from reports.sections.curves import build as curves
    from reports.sections.depth import build as depth

    errors = {
        (depth, wiring, rate, block): near(5 + rate)
        for depth in (8, 14) for wiring in ("a long name of a wiring that goes on", "a long name of a wiring that ends")
        for rate in (0.1, 0.2) for block in ("original", "full_preact")
    }  # fmt: skip
    findings = small.found(("depth", "wiring", "training.lr", "block"), errors)
    for section in (depth(findings), curves(findings)):
        figure = section.figures[-1]
        titles = [panel.title for panel in figure.panels]
        assert len(set(titles)) == len(titles)
        assert not section.content.notes


def test_the_arms_that_a_search_confirms_are_a_list_without_an_axis():
    findings = find(searches.searched())
    assert findings.layout.axis is None
    content = table.build(findings).content
    assert content.is_numbered
    assert [line.name for line in content.lines][:1] == ["baseline"]
    assert depth.build(findings) is None


def test_a_factor_is_no_axis_of_which_no_two_arms_differ_in_it_alone():
    apart = small.study(("lr", "variant"), {(0.1, "a"): small.near(2), (0.2, "b"): small.near(3)})
    assert numeric_axis(apart) is None
    assert depth.build(find(apart)) is None
    along = small.study(("lr", "variant"), {(0.1, "a"): small.near(2), (0.2, "a"): small.near(3)})
    assert numeric_axis(along) == "lr"


def test_the_reason_why_there_is_no_axis_is_the_true_one(tmp_path):
    apart = small.study(("lr", "variant"), {(0.1, "a"): small.near(2), (0.2, "b"): small.near(3)})
    assert "No two arms differ in a numeric factor alone." in write_report(apart, tmp_path / "a").read_text()
    named = small.study(("variant",), {("a",): small.near(2), ("b",): small.near(3)})
    assert "No factor of this study has several numeric levels." in write_report(named, tmp_path / "b").read_text()
    said = "The arms that a search confirms are no series along a factor."
    assert said in write_report(searches.searched(), tmp_path / "c").read_text()
