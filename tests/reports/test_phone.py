"""What a drawing or a table has for a narrow screen, and names short enough for it."""

import re

import pytest

from reports.findings import find
from reports.layout import main_layout
from reports.sections import confirmation, curves, depth, interaction, lowest, main_table, search
from tests.reports import searches, small, studies

FACTORS = ("shortcut", "activation", "training.lr")


def grid(shortcuts, activations, rates):
    """Return errors of a full grid whose arms differ a little from seed to seed."""
    arms = [(shortcut, name, rate) for shortcut in shortcuts for name in activations for rate in rates]
    return {arm: (3.0 + at, 3.4 + 1.2 * at, 3.1 + at) for at, arm in enumerate(arms)}


def test_a_row_of_several_factors_has_a_name_in_one_cell():
    found = small.found(FACTORS, grid(("identity", "none"), ("original", "full_preact"), (0.1, 0.03)))
    table = main_table.main_table(found, main_layout(found.study, found.layout))
    names = [line.name for line in table.lines]
    assert names[0] == "identity, original"
    assert len(set(names)) == len(names)


def test_the_arms_of_a_search_are_numbered_in_the_main_table_and_in_the_sentences_that_speak_of_them():
    found = find(searches.searched())
    table = main_table.main_table(found, main_layout(found.study, found.layout))
    assert table.is_numbered
    assert [line.name for line in table.lines if line.is_baseline] == ["baseline"]
    assert all(line.name.startswith("#") for line in table.lines if not line.is_baseline)
    sentences = " ".join(confirmation.build(found).content.sentences)
    assert re.search(r"#\d+ had the lowest validation error of these in the search; it ", sentences)
    assert "activation" not in sentences + search.build(found).content.summary
    assert "activation" in " ".join(confirmation.conclusions(found))  # a terminal has no table to look them up in


def test_another_study_has_no_numbers():
    found = find(studies.degradation())
    assert not main_table.main_table(found, main_layout(found.study, found.layout)).is_numbered


def test_curves_in_one_panel_are_drawn_for_a_phone_too():
    one = small.found(("variant",), {("a",): small.near(2), ("b",): small.near(3)})
    (panel,) = curves.build(one).figures[0].panels
    assert panel.drawing.narrow.width < 360 < panel.drawing.width


def test_the_caption_speaks_of_a_line_only_where_one_is_drawn():
    half = {(20, "a"): small.near(2), (56, "a"): (small.WAITING,) * 3, (56, "b"): small.near(3)}
    apart = small.found(("depth", "variant"), half)
    assert "line" not in depth.build(apart).figures[0].caption
    joined = small.found(("depth",), {(20,): small.near(2), (56,): small.near(3)})
    assert "the line joins the medians" in depth.build(joined).figures[0].caption


@pytest.mark.parametrize(("levels", "is_slanted"), [(("a", "b", "c"), False), (("relu_before_add",) * 1, True)])
def test_names_of_levels_that_have_no_room_beside_one_another_are_written_at_a_slant(levels, is_slanted):
    names = [f"{each}{at}" for at, each in enumerate(levels * (1 if len(levels) > 1 else 5))]
    line = interaction.Means("one", 0, *((2.0,) * len(names),) * 3)
    drawing = interaction.interaction_drawing([line], "activation", names, "x")
    assert ("rotate(-35" in drawing.svg) is is_slanted
    assert all(name in drawing.svg for name in names)


def test_the_lowest_arms_leave_out_what_their_names_share():
    errors = grid(("identity", "scale(0.5, 0.5)"), ("original", "relu_only_preact", "bn_after_add"), (0.1, 0.03))
    deep = {(depth, *arm): values for depth in (8, 14) for arm, values in errors.items()}
    found = small.found(("depth", *FACTORS), deep, baseline={"shortcut": "identity", "activation": "original"})
    assert "identity, relu_only_preact, lr 0.03" in lowest.lowest_figure(found).panels[0].drawing.narrow.svg
