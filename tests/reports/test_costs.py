"""Error against cost: when times are a cost, how sure a front over them is, and what its table and its key hold."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from reports.analysis.pareto import study_front
from reports.figures.front import FrontPoint, front_drawing
from reports.figures.readout import Told
from reports.findings import find
from reports.sections import cost
from tests.reports import small
from tests.reports.small import near, running

ERRORS = {("a",): near(3), ("b",): near(2)}


def timed(times, settings):
    """Return the cost of two arms of these times by seed, each with settings of its own."""
    whole = small.study(("variant",), ERRORS)
    arms = tuple(
        replace(arm, params=10, flops=20, settings=each) for arm, each in zip(whole.arms, settings, strict=True)
    )
    by_arm = dict(zip((arm.name for arm in arms), times, strict=True))
    trials = tuple(replace(each, seconds=by_arm[each.arm][each.seed]) for each in whole.trials)
    return cost.build(find(replace(whole, arms=arms, trials=trials)))


def test_arms_that_do_the_same_work_have_no_front_of_their_times():
    times = ((0.0915, 0.1, 0.1), (0.109, 0.1, 0.1))
    assert timed(times, [{"training": {"lr": 0.1}}, {"training": {"lr": 0.2}}]) is None
    assert timed(times, [{"training": {"epochs": 1}}, {"training": {"epochs": 2}}]) is not None


def test_times_stand_in_the_table_with_the_digits_that_tell_them_apart():
    section = timed(((0.0915,) * 3, (0.109,) * 3), [{"training": {"epochs": 1}}, {"training": {"epochs": 2}}])
    (table,) = section.tables
    at = [column.key for column in table.columns].index("seconds")
    assert [row[at] for row in table.shown()] == ["0.0915", "0.1090"]


def test_the_mean_time_of_an_arm_weighs_the_trainings_that_its_p_weighs_too():
    section = timed(((1.0, 1.0, 3.0), (5.0, 5.1, 5.2)), [{"training": {"epochs": 1}}, {"training": {"epochs": 2}}])
    (table,) = section.tables
    at = [column.key for column in table.columns].index("seconds")
    assert table.rows[0][at] == 2.0


def test_seeds_that_trained_together_have_one_time_of_which_no_chance_is_known():
    packs, apart = ((1.0,) * 3, (1.1,) * 3), ((1.0, 1.1, 0.9), (1.1, 1.2, 1.0))
    settings = [{"training": {"epochs": 1}}, {"training": {"epochs": 2}}]
    together, (alone,) = timed(packs, settings).tables[0], timed(apart, settings).tables
    assert "p_seconds" not in [column.key for column in together.columns]
    assert "mean time" not in together.caption
    assert "p_seconds" in [column.key for column in alone.columns]
    assert "mean time" in alone.caption


def test_times_that_vary_leave_open_which_arm_is_on_the_front():
    study = small.study(("variant",), ERRORS)
    slow, fast = (arm.name for arm in study.arms)
    cost = {slow: 1.0, fast: 1.01}
    sure = study_front(study, cost).probability
    unsure = study_front(study, cost, measured={slow: (0.9, 1.0, 1.1), fast: (0.9, 1.03, 1.1)}).probability
    assert sure[slow] == 1.0
    assert 0.3 < unsure[slow] < 0.7


def test_the_names_of_a_front_keep_the_level_that_tells_them_apart():
    name = "relu_only_preact, depth 8, width 6, training.batch_size"
    points = [FrontPoint(f"{name} {size}", 6.0 - size / 64, size, 1, True) for size in (64, 128)]
    drawn = front_drawing(points, "parameters", "c").svg
    assert "depth 8, width 6, batch_size 64<" in drawn
    assert "depth 8, width 6, batch_size 128<" in drawn


def test_an_axis_of_times_that_are_nearly_alike_is_used_whole():
    points = [FrontPoint("a", 3.0, 0.0915, 1, True), FrontPoint("b", 2.0, 0.109, 1, True)]
    told = [replace(each, told=Told(each.label)) for each in points]
    left, right = sorted(mark.x for mark in front_drawing(told, "seconds", "c").readout.marks)
    assert right - left > 220


def test_numbers_of_points_at_an_axis_stand_beside_its_own_numbers():
    def place(*points):
        drawn = front_drawing([FrontPoint("a", *each, 1, True) for each in points], "seconds", "c").svg
        text = ET.fromstring(f"<svg xmlns:xlink='x'>{drawn}</svg>").findall(".//text")
        (number,) = (each for each in text if each.text in ("1, 2", "2, 3", "1–3"))
        return float(number.get("x")), float(number.get("y")), number.get("text-anchor")

    plot_left, plot_bottom = 46, 236 - 42
    assert place((9.0, 1.0), (5.0, 1e6), (4.9, 1.01e6))[2] == "end"
    _, y, _ = place((0.01, 1.0), (0.0, 1.001), (9.0, 1e9))
    assert y < plot_bottom
    x, _, anchor = place((5.2, 1.0), (5.1, 1.001), (5.0, 1.002), (9.0, 1e9))
    assert anchor != "end"
    assert x > plot_left


MANY = tuple("abcdefg")


def front(names, **params):
    """Return the caption of the figures of cost of arms, each a second slower and a point better than the last."""
    whole = small.study(("variant",), {(name,): small.near(9 - at) for at, name in enumerate(names)}, **params)
    times = {arm.name: 1.0 + at for at, arm in enumerate(whole.arms)}
    trials = tuple(replace(each, seconds=times[each.arm]) for each in whole.trials)
    (figure,) = cost.build(find(replace(whole, arms=unlike(whole.arms), trials=trials))).figures
    return figure.caption


def test_shapes_are_those_of_other_figures_only_where_each_kind_of_arm_has_one():
    assert "shapes and colours" in front("ab")
    assert "shapes and colours" not in front(MANY)


def unlike(arms):
    """Return arms whose trainings take unlike times."""
    return tuple(replace(arm, settings={"network": dict(arm.levels)}) for arm in arms)


def test_no_line_is_spoken_of_where_one_arm_is_best_and_cheapest():
    whole = small.study(("variant",), {("a",): small.near(2), ("b",): small.near(3)})
    trials = tuple(replace(each, seconds=1.0 + (each.arm != whole.arms[0].name)) for each in whole.trials)
    (figure,) = cost.build(find(replace(whole, arms=unlike(whole.arms), trials=trials))).figures
    assert "Filled is the arm on the Pareto front" in figure.caption
    assert "line" not in figure.caption


def cost_table(whole):
    times = {arm.name: 1.25 + at for at, arm in enumerate(whole.arms)}
    ended = tuple(replace(each, seconds=times[each.arm]) if each.curve else each for each in whole.trials)
    arms = tuple(replace(arm, settings={"network": dict(arm.levels)}) for arm in whole.arms)
    section = cost.build(find(replace(whole, arms=arms, trials=ended)))
    return section.figures[0].table


def test_the_table_of_costs_has_every_cost_that_a_front_is_drawn_for_in_groups_of_three_digits():
    table = cost_table(running())
    cells = [dict(zip([column.key for column in table.columns], row, strict=True)) for row in table.shown()]
    assert [row["seconds"] for row in cells] == ["1.25", "2.25", "–"]
    arm = running().arms[0]
    assert cells[0]["params"] == f"{arm.params:,}"
    assert "," in cells[0]["params"]
    assert cells[0]["flops"] == f"{arm.flops:,}"


def test_an_arm_without_a_result_is_not_said_to_be_off_the_front():
    table = cost_table(running())
    at = [column.key for column in table.columns].index("front_seconds")
    assert [row[at] for row in table.rows] == [True, False, None]


def test_an_axis_of_nearly_equal_costs_has_a_number_at_both_ends():
    points = [FrontPoint("a", 3.0, 27.1, 0, on_front=True), FrontPoint("b", 2.0, 27.6, 1, on_front=True)]
    drawn = front_drawing(points, "seconds of training", "p").svg
    assert ">27.1<" in drawn
    assert ">27.6<" in drawn


def test_tables_of_costs_group_their_digits():
    whole = small.study(("variant",), {("a",): small.near(2), ("b",): small.near(3)})
    sizes = tuple(replace(arm, params=5000 + at, flops=1_000_000) for at, arm in enumerate(whole.arms))
    shown = cost.build(find(replace(whole, arms=sizes))).tables[0].shown()
    assert [row[1:3] for row in shown] == [["5,000", "1,000,000"], ["5,001", "1,000,000"]]


def numbers_in(front):
    """Return what numbers the points of a front, which stand in order of their cost."""
    points = [FrontPoint(f"arm {at}", error, price, 1, True) for at, (price, error) in enumerate(front)]
    drawn = front_drawing(points, "seconds", "x")
    return [text for text in re.findall(r">([\d–, ]+)</text>", drawn.svg) if re.fullmatch(r"\d+(, \d+|–\d+)?", text)]


def test_numbers_of_a_front_that_would_cover_each_other_share_a_place():
    close = [(1.0, 20.0), (2.0, 5.0), (2.04, 4.9), (2.08, 4.8), (6.0, 2.0)]
    assert {"1", "2–4", "5"} <= set(numbers_in(close))
    apart = [(1.0, 20.0), (2.0, 10.0), (4.0, 5.0)]
    assert {"1", "2", "3"} <= set(numbers_in(apart))
