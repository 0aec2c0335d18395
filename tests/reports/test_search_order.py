"""The arms of a search in one order everywhere: which are named, drawn thick and on the front, and beside what."""

import re
from dataclasses import replace

import pytest

from reports.analysis.search import front, searched
from reports.figures.parallel import number_scale, parallel_drawing
from reports.findings import find
from reports.sections import methods, search
from reports.sections.main_table import main_table
from reports.sentences import confirmation as sentences
from tests.reports.pairs.searches import confirmed
from tests.reports.searches import searched as searched_study
from tests.reports.searches import with_sizes


def figure_of(study, name):
    (figure,) = [each for each in search.build(find(study)).figures if each.name == name]
    return figure


def test_the_rule_of_the_front_is_that_of_the_arms_on_it_and_the_control_is_drawn():
    whole = with_sizes()
    points = {arm.arm: arm.values for arm in searched(whole) if arm.values}
    expected = [
        name
        for name, (error, size) in points.items()
        if not any((e, s) != (error, size) and e <= error and s <= size for e, s in points.values())
    ]
    assert sorted(front(whole)) == sorted(expected)
    drawn = [arm.values for arm in searched(whole, "control") if arm.values]
    beating = sum(
        any(
            tuple(each) != points[name] and all(a <= b for a, b in zip(each, points[name], strict=True))
            for name in front(whole)
        )
        for each in drawn
    )
    caption = figure_of(with_sizes(), "search-front").caption
    assert f"{beating or 'No'} " in caption
    assert "as good in both and better in one than one on the line." in caption
    assert "circles" not in figure_of(without_control(with_sizes()), "search-front").caption


def without_control(study):
    proposals = {**study.search["proposals"], "control": []}
    return replace(study, search={**study.search, "proposals": proposals})


def test_one_order_ranks_the_arms_of_a_search_the_front_first():
    whole = with_sizes()
    section = search.build(find(whole))
    names = {arm.place: arm.arm for arm in searched(whole)}
    places = [row[0] for row in section.content.arms.rows]
    count = len(front(whole))
    assert {names[place] for place in places[:count]} == set(front(whole))
    labels = [column.label for column in section.content.arms.columns]
    assert labels[:4] == ["no.", "validation error, %", "parameters", "on the front"]
    assert section.content.arms.shown()[0][2].count(",") == 1
    lines = figure_of(whole, "search-parallel")
    assert f"Thick lines are the {count} arms on the Pareto front of 36 arms" in lines.caption
    assert [row[0] for row in lines.table.rows] == places[:36]


def test_arms_that_share_the_lowest_error_are_all_named():
    whole = searched_study()
    best = min(arm.error for arm in searched(whole) if arm.error is not None)
    proposals = [
        each | ({"values": [best]} if each["number"] in (0, 3) else {}) for each in whole.search["proposals"]["search"]
    ]
    tied = replace(whole, search={**whole.search, "proposals": {**whole.search["proposals"], "search": proposals}})
    said = search.build(find(tied)).content.summary
    assert re.search(r"The baseline(, #\d+)* and #\d+ have the lowest validation error, ", said)
    description = next(
        each.description for each in figure_of(tied, "search-slices").panels if each.title == "training.lr"
    )
    assert len(re.findall(r"0\.\d+", description.split(" is at ")[1])) > 1


def test_importance_is_told_in_the_order_of_the_figures():
    section = search.build(find(searched_study()))
    told = [row[0] for row in section.content.importance.rows if row[1] == "all 36 arms"]
    slices = figure_of(searched_study(), "search-slices")
    assert [panel.title for panel in slices.panels][: len(told)] == told


def test_arms_of_a_search_share_no_cell_of_the_main_table():
    findings = find(searched_study())
    lines = main_table(findings, findings.layout).lines
    assert {rows for line in lines for _, rows in line.levels} == {1}


@pytest.mark.parametrize("name", ["search-front", "search-parallel"])
def test_figures_of_a_search_have_a_drawing_for_a_phone(name):
    narrow = figure_of(with_sizes(), name).panels[0].drawing.narrow
    assert narrow.width <= 340


def test_what_else_a_search_made_small_is_told_where_it_is_told_by_what_arms_were_selected():
    study = with_sizes()
    told = "the validation error on 20 % of the training images and the number of parameters"
    assert f"selected by {told}." in search.build(find(study)).content.summary
    paragraphs = dict(methods.build(find(study)).content.paragraphs)
    assert f"selected by {told}; these images were held out of their training." in paragraphs["Design"]


def test_lines_and_marks_at_the_ends_of_an_axis_are_drawn_whole():
    def scales(width):
        return [number_scale("error", [1.0, 2.0], width), number_scale("rate", [0.1, 0.9], width)]

    assert "clip-path" not in parallel_drawing(scales, [0], "p").svg


def test_arms_drawn_at_random_have_rows_beside_those_of_the_search():
    whole = with_sizes()
    (figure,) = (each for each in search.build(find(whole)).figures if each.name == "search-front")
    of = [column.key for column in figure.table.columns].index("of")
    for name, role in (("search", "search"), ("random control", "control")):
        shown = [row[:3] for row in figure.table.rows if row[of] == name]
        assert shown == [(arm.place, arm.values[0], arm.values[1]) for arm in searched(whole, role) if arm.values]


def test_the_lowest_confirmed_arm_is_named_only_where_the_search_did_not_rank_it_first():
    assert sentences.least_error(confirmed(3.0, 3.1, 3.25, 3.05, 3.12)) is None
