"""Error against cost: when times are a cost, how sure a front over them is, and what its table and its key hold."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from reports.analysis.pareto import study_front
from reports.figures.front import FrontPoint, front_drawing
from reports.figures.readout import Told
from reports.findings import find
from reports.sections import cost
from tests.reports import small
from tests.reports.small import near

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
