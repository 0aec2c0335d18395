"""What a lower error costs: the arms that no other beats in both error and size, and how sure that is."""

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from reports.analysis.pareto import Front, study_front
from reports.figures.figure import Figure, Panel
from reports.figures.front import FrontPoint, front_drawing
from reports.figures.readout import Told
from reports.figures.theme import MOST_SERIES
from reports.findings import Findings
from reports.layout import series_levels, slots, slotted_by
from reports.names import arm_names
from reports.sections.section import Notes, Section
from reports.sections.trials import trials_link
from reports.sentences import cost as sentences
from reports.tables import Cell, Column, Table
from reports.trials import Arm
from reports.wording import magnitude, number, shortened

_COSTS = {"params": "parameters", "flops": "multiply-adds", "seconds": "seconds of training"}
_FREE = frozenset({"lr", "momentum", "nesterov", "weight_decay"})
"""Settings of the training that take no time."""
MOST_POINTS = 200


def build(findings: Findings) -> Section | None:
    """Build the fronts; nothing unless arms with a result differ in cost."""
    fronts: dict[str, tuple[dict[str, float], Front]] = {}
    times = _times(findings)
    for key in _COSTS:
        cost = {arm.name: value for arm in findings.arms if (value := _cost(arm, times, key))}
        known = {arm: value for arm, value in cost.items() if findings.summaries[arm].n_ok}
        if len(set(known.values())) > 1:
            fronts[key] = (cost, study_front(findings.study, cost, measured=times if key == "seconds" else None))
    if not any(front.front and len(front.front) + len(front.dominated) > 1 for _, front in fronts.values()):
        return None
    panels = tuple(_panel(findings, key, cost, front) for key, (cost, front) in fronts.items())
    told = (
        sentences.axes(tuple(fronts)),
        sentences.marks([len(front.front) for _, front in fronts.values()], slotted_by(findings.layout, MOST_SERIES)),
    )
    figure = Figure("cost", " ".join(filter(None, told)), panels, _table(findings, fronts), columns=3)
    names = arm_names(findings)
    note = sentences.left_out([names[arm] for arm in next(iter(fronts.values()))[1].excluded])
    return Section("cost", "Cost", Notes((note,) if note else ()), figures=(figure,), tables=(figure.table,))


def _times(findings: Findings) -> dict[str, list[float]]:
    """Return the training times of each arm; none where all arms do the same work, in as much time.

    Seeds that trained together have one time, which is one reading.
    """
    work = {repr(_work(arm)) for arm in findings.arms}
    if len(work) == 1 and len(findings.arms) > 1:
        return {}
    return {
        arm.name: sorted(
            {each.seconds for each in findings.trials.get(arm.name, ()) if each.seconds and each.state.is_outcome()}
        )
        for arm in findings.arms
    }


def _work(arm: Arm) -> tuple[object, ...]:
    """Return what decides how long an arm trains on one machine."""
    training = arm.settings.get("training", {})
    timed = {key: value for key, value in training.items() if key not in _FREE}
    return arm.params, arm.flops, arm.settings.get("network"), arm.settings.get("data"), timed


def _cost(arm: Arm, times: Mapping[str, Sequence[float]], key: str) -> float | None:
    """What one arm costs: its size, or its mean training time; None where that is not known."""
    if key == "seconds":
        return fmean(times[arm.name]) if times.get(arm.name) else None
    size = getattr(arm, key)
    return None if size is None else float(size)


def _panel(findings: Findings, key: str, cost: dict[str, float], front: Front) -> Panel:
    known_slots = slots(findings.layout, MOST_SERIES)
    arms = {arm.name: arm for arm in findings.arms}
    known, labels = arm_names(findings), arm_names(findings, numbers_after=", ")
    names = sorted((*front.front, *front.dominated), key=lambda each: each not in front.front)[:MOST_POINTS]
    points = [
        FrontPoint(
            label=labels[name],
            error=findings.summaries[name].mean or 0.0,
            cost=cost[name],
            slot=known_slots.get(series_levels(findings.layout, arms[name]), 1),
            on_front=name in front.front,
            told=Told(_told(findings, name, known[name], key, cost[name], front), trials_link(arms[name].levels)),
        )
        for name in names
    ]
    ordered = sorted(front.front, key=lambda each: cost[each])
    described = sentences.front(_COSTS[key], [(known[name], findings.summaries[name].mean) for name in ordered])
    return Panel(f"Error and {_COSTS[key]}", described, front_drawing(points, _COSTS[key], f"cost-{key}"))


def _told(findings: Findings, name: str, shown: str, key: str, cost: float, front: Front) -> str:
    text = f"{shortened(shown, 80)}: {findings.summaries[name].text} %, {magnitude(cost)} {_COSTS[key]}"
    chance = front.probability.get(name)
    return text if chance is None else f"{text}, on the front with P {number(chance)}"


def _table(findings: Findings, fronts: dict[str, tuple[dict[str, float], Front]]) -> Table:
    columns = [
        Column("arm", "arm"),
        Column("params", "parameters", is_number=True, is_count=True),
        Column("flops", "multiply-adds", is_number=True, is_count=True),
        *([_seconds(fronts["seconds"][0].values())] if "seconds" in fronts else []),
        Column("error", "error, %", 2, is_number=True),
        Column("n", "n", is_number=True),
    ]
    for key in fronts:
        columns.append(Column(f"front_{key}", f"front of {'seconds' if key == 'seconds' else _COSTS[key]}"))
        if fronts[key][1].probability:
            columns.append(Column(f"p_{key}", "P", 2, is_number=True))
    rows: list[tuple[Cell, ...]] = []
    for arm in findings.arms:
        summary = findings.summaries[arm.name]
        row: list[Cell] = [arm.name, arm.params, arm.flops]
        if "seconds" in fronts:
            row.append(fronts["seconds"][0].get(arm.name))
        row += [summary.mean if not summary.n_fail else None, summary.n]
        for _, front in fronts.values():
            is_known = arm.name in front.front or arm.name in front.dominated
            row.append(arm.name in front.front if is_known else None)
            if front.probability:
                row.append(front.probability.get(arm.name))
        rows.append(tuple(row))
    has_times = "seconds" in fronts and bool(fronts["seconds"][1].probability)
    told = (sentences.TABLE, sentences.probability(findings, has_times=has_times))
    return Table("cost", " ".join(filter(None, told)), tuple(columns), tuple(rows))


def _seconds(times: Collection[float]) -> Column:
    """Return the column of times, the least of which has three significant digits."""
    digits = max(1, 2 - math.floor(math.log10(min(times))))
    return Column("seconds", "seconds of training", digits, is_number=True)
