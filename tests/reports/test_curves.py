"""Learning curves: lines that several panels draw, colours of single arms, and what their captions speak of."""

from reports.figures.theme import colour
from reports.findings import find
from reports.sections import arm_curves, curves
from tests.reports import small, studies
from tests.reports.small import near


def test_the_worst_arm_has_one_colour_whether_or_not_the_best_is_a_baseline():
    def slots(best):
        errors = {(name,): near(1 if name == best else 3 + at) for at, name in enumerate("abcdef")}
        found = small.found(("variant",), errors, baseline={"variant": "a"})
        figure = next(each for each in curves.build(found).figures if each.name == "arms")
        (choice,) = (panel.drawing.readout.choice for panel in figure.panels)
        return {slot: choice.lines[at].name for slot, at in choice.shown.items()}

    assert slots("a") == {0: "a", 2: "f"}
    assert slots("c") == {0: "a", 1: "c", 2: "f"}
    assert colour(arm_curves.SLOTS[arm_curves.WORST]) == colour(2)


def test_a_single_arm_has_the_colour_of_its_line_in_the_other_figures():
    means = {"none": 9, "scaled": 3, "original": 6}
    errors = {(depth, name): near(mean + depth / 10) for depth in (8, 20) for name, mean in means.items()}
    found = small.found(("depth", "unit"), errors, baseline={"unit": "original"})
    figures = {figure.name: figure for figure in curves.build(found).figures}
    (choice,) = (panel.drawing.readout.choice for panel in figures["arms"].panels)
    shown = {choice.lines[at].name.split(",")[0]: slot for slot, at in choice.shown.items()}
    lines = {name: slot for slot, name in figures["curves"].panels[0].drawing.readout.names.items()}
    assert shown == lines == {"original": 0, "none": 1, "scaled": 2}


def test_a_line_that_every_panel_draws_is_told_once():
    figures = {figure.name: figure for figure in curves.build(find(studies.many_arms())).figures}
    shown = figures["curves"].table
    lines = [(row[1], row[2]) for row in shown.rows]
    assert len(lines) == len(set(lines))
    assert "A line that several panels draw stands in the first of them." in shown.caption


def test_no_mean_is_spoken_of_where_every_seed_failed():
    above = {("a",): (80.0, 81.0), ("b",): (82.0, 83.0)}
    (figure,) = curves.build(small.found(("variant",), above)).figures
    assert figure.caption.startswith(
        "Error by epoch: test solid, training dashed. Failed seeds are drawn thin, one by one."
    )


def test_a_panel_is_named_once_above_its_rows_and_in_each_row_of_the_file():
    figures = {figure.name: figure for figure in curves.build(find(studies.many_arms())).figures}
    shown = figures["curves"].table
    named = [row[0] for row in shown.shown()]
    assert len(set(filter(None, named))) == len(list(filter(None, named))) < len(named)
    assert all(row[0] for row in shown.rows)
