"""Names and numbers in figures: short, apart from one another, and inside the figure."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from reports.figures.axis import LevelSeries, axis_drawing
from reports.figures.bars import Bar, bars_drawing
from reports.figures.forest import DifferenceRow, Group, forest_drawing
from reports.figures.front import FrontPoint, front_drawing
from reports.figures.labels import distinct, in_lines, told_apart
from reports.figures.margins import MarginRow, margins_drawing
from reports.figures.rows import RowText, rows_drawing
from reports.figures.search import levels_drawing
from reports.figures.svg import Drawing
from reports.findings import find
from reports.sections.cost import build as cost
from tests.reports import studies

LONG = "the original residual unit with batch normalisation "
ALIKE = (f"{LONG}first", f"{LONG}last")


def texts(drawing: Drawing) -> list[str]:
    root = ET.fromstring(f"<svg>{drawing.svg}</svg>".replace("xlink:", ""))
    return ["".join(each.itertext()) for each in root.iter("text")]


def line(label: str, slot: int, **changes: object) -> LevelSeries:
    made = LevelSeries(label, slot, (8.0, 20.0), (5.0 + slot, 4.0 + slot), ((8.0, 5.0 + slot), (20.0, 4.0 + slot)), ())
    return replace(made, **changes)


def panel(runs: list[LevelSeries], ticks: tuple[float, ...] = (8.0, 20.0)) -> Drawing:
    return axis_drawing(runs, prefix="a", values=[5.0, 6.0], factor="depth", ticks=ticks, small=True)


def test_lines_leave_out_what_all_of_a_panel_share() -> None:
    shown = texts(panel([line("variant a, training.lr 0.05", 1), line("variant a, training.lr 0.1", 0)]))
    assert {"training.lr 0.05", "training.lr 0.1"} <= set(shown)


def test_lines_that_differ_in_several_factors_keep_the_names_of_numbers() -> None:
    shown = texts(panel([line("variant b, training.lr 0.05", 1), line("variant a, training.lr 0.1", 0)]))
    assert {"b, lr 0.05", "a, lr 0.1"} <= set(shown)


def test_no_number_stands_without_its_factor() -> None:
    names = ["width 4, activation original, training.lr 0.05", "width 6, activation full_preact, training.lr 0.2"]
    assert told_apart(names, 40) == ["width 4, original, training.lr 0.05", "width 6, full_preact, training.lr 0.2"]


def test_a_label_breaks_after_its_comma() -> None:
    names = ["relu_only_preact, training.lr 0.2", "full_preact, training.lr 0.05"]
    assert in_lines(names, 16) == ["relu_only_preact,\ntraining.lr 0.2", "full_preact,\ntraining.lr 0.05"]


def test_a_label_has_as_many_lines_as_it_needs_where_there_is_room() -> None:
    names = ["full_preact, depth 14, width 4, training.lr 0.05", "original, depth 8, width 6, training.lr 0.2"]
    assert in_lines(names, 16, 4)[0] == "full_preact,\ndepth 14,\nwidth 4,\ntraining.lr 0.05"


def test_an_operation_with_arguments_is_one_level_of_a_name() -> None:
    names = ["depth 14, shortcut identity, lr 0.1", "depth 14, shortcut scale(0.5, 0.5), lr 0.1"]
    assert told_apart(names, 16) == ["identity", "scale(0.5, 0.5)"]


def test_names_that_find_room_stay_whole() -> None:
    assert told_apart(["variant a, lr 1", "variant a, lr 2"], 16) == ["variant a, lr 1", "variant a, lr 2"]
    assert told_apart(["variant a, training.lr 0.05"], 16) == ["variant a, lr 0…"]


def test_names_are_cut_in_the_middle_where_only_the_end_tells_them_apart() -> None:
    assert distinct(["the original unit a", "the original unit b", "another name that is long"], 16) == [
        "the original u…a",
        "the original u…b",
        "another name th…",
    ]


@pytest.mark.parametrize("most", [3, 5, 12, 16, 34])
def test_no_name_is_longer_than_asked_and_none_is_like_another(most: int) -> None:
    names = ["x" * 40 + "a", "x" * 40 + "b", "x" * 40 + "b", f"{LONG}1", f"{LONG}2"]
    short = distinct(names, most)
    assert max(map(len, short)) <= most
    assert len(set(short)) == 4


def test_every_figure_tells_long_names_apart() -> None:
    rows = tuple(DifferenceRow(name, "", 1, 1.0, 0.5, 1.5) for name in ALIKE)
    margins = [MarginRow(f"a claim, {name}", "", 1, 1.0, 0.5, 1.5, 0.0, None) for name in ALIKE]
    lines = texts(panel([line(name, at) for at, name in enumerate(ALIKE)]))
    assert len({text for text in lines if text.endswith(("first", "last"))}) == 2
    for drawing in (
        bars_drawing([("", [Bar(name, 50.0, None, None, 1) for name in ALIKE])], "b"),
        forest_drawing([Group("", rows)], "f"),
        margins_drawing([("", margins)], "points", "m"),
        levels_drawing([(name, 5.0) for name in ALIKE], ALIKE, "l"),
    ):
        assert len({text for text in texts(drawing) if "resid" in text}) == 2


def crosses(drawing: Drawing) -> list[tuple[float, float]]:
    """Return where the crosses stand: they alone are drawn by two strokes across each other."""
    root = ET.fromstring(f"<svg>{drawing.svg}</svg>".replace("xlink:", ""))
    named = {each.get("id"): each.get("d", "") for each in root.iter("path") if each.get("id")}
    slanted = {f"#{name}" for name, path in named.items() if path and path.count("M") == 2}
    return [
        (float(each.get("x", 0)), float(each.get("y", 0))) for each in root.iter("use") if each.get("href") in slanted
    ]


def test_each_diverged_seed_has_a_cross_of_its_own() -> None:
    runs = [line("a", 0, diverged=(8.0, 20.0, 20.0, 20.0)), line("b", 1, diverged=(20.0, 20.0))]
    places = crosses(panel(runs))
    assert len(set(places)) == len(places) == 6
    assert len({y for _, y in places}) == 1


def test_many_diverged_seeds_stay_at_their_level() -> None:
    many = line("a", 0, levels=(8.0, 14.0, 20.0), middle=(None,) * 3, diverged=(8.0,) * 20 + (14.0,) * 20)
    places = sorted(x for x, _ in crosses(panel([many], ticks=(8.0, 14.0, 20.0))))
    assert len(set(places)) == 40
    assert max(places[:20]) < min(places[20:])


def test_numbers_of_an_axis_that_would_touch_are_left_out_and_the_last_one_stays() -> None:
    levels = (0.001, 0.01, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
    run = line("a", 0, levels=levels, middle=(4.0,) * 8, points=tuple((level, 4.0) for level in levels))
    shown = texts(panel([run], ticks=levels))
    assert {"0.001", "0.01", "0.1", "1"} <= set(shown)
    assert "0.8" not in shown


def points(*costs: float) -> list[FrontPoint]:
    return [FrontPoint(f"{LONG}{at}", 6.0 - at / 2, cost, 1, True) for at, cost in enumerate(costs)]


def test_arms_on_the_front_are_numbered_and_named_below_the_axis() -> None:
    shown = texts(front_drawing(points(5e3, 1e4, 2e4), "parameters", "c"))
    for number in (1, 2, 3):
        assert str(number) in shown
        (start,) = [at for at, text in enumerate(shown) if text.startswith(f"{number}: ")]
        assert " ".join(shown[start : start + 2]) == f"{number}: {LONG}{number - 1}"
        assert len(shown[start]) <= 54


def test_a_long_front_says_how_many_arms_it_does_not_name() -> None:
    shown = texts(front_drawing(points(*(1e3 * 2**at for at in range(9))), "parameters", "c"))
    assert "and 3 more at a higher cost" in shown
    assert not [text for text in shown if text.startswith("7: ")]


def test_points_that_all_but_coincide_share_a_place_for_their_numbers() -> None:
    close = [
        FrontPoint("a", 5.0, 1000.0, 1, True),
        FrontPoint("b", 4.99, 1001.0, 1, True),
        FrontPoint("c", 9.0, 9000.0, 1, False),
    ]
    assert "1, 2" in texts(front_drawing(close, "parameters", "c"))


def test_the_cost_of_an_arm_bears_the_name_that_the_figures_have() -> None:
    section = cost(find(studies.full_grid()))
    assert section is not None
    shown = texts(section.figures[0].panels[0].drawing)
    assert "1: original, depth 20" in shown
    assert "named below the axis" in section.figures[0].caption


def test_a_long_name_right_of_a_line_has_two_lines_and_is_whole() -> None:
    names = ["decay 0.0001 and rate 0.05", "decay 0.003 and rate 0.3"]
    assert in_lines(names, 16) == ["decay 0.0001 and\nrate 0.05", "decay 0.003 and\nrate 0.3"]
    assert in_lines(["x" * 20, "short"], 16) == [f"{'x' * 16}\n{'x' * 4}", "short"]
    shown = texts(panel([line(name, at) for at, name in enumerate(names)]))
    assert {"decay 0.0001 and", "rate 0.05", "decay 0.003 and", "rate 0.3"} <= set(shown)


@pytest.mark.parametrize("length", range(1, 60))
def test_each_of_the_lines_of_a_label_finds_room(length: int) -> None:
    (label,) = in_lines([("two or three words and more of them " * 2)[:length].strip()], 16)
    assert all(0 < len(row) <= 16 for row in label.split("\n"))
    assert label.count("\n") <= 1


def test_headings_of_a_narrow_figure_stand_over_the_grid_as_its_names_do():
    def drawn(heading):
        return rows_drawing([(heading, [RowText("one", "1.00")])], "r", lambda axes, heights: None)

    def grounds(drawing):
        return drawing.narrow.svg.count("f-paper")

    assert grounds(drawn("depth 20")) == grounds(drawn("")) + 1
