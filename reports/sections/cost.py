"""What a lower error costs: the arms that no other beats in both error and size, and how sure that is."""

from collections.abc import Mapping
from statistics import fmean

from reports.analysis.pareto import Front, study_front
from reports.figures.figure import Figure, Panel
from reports.figures.front import FrontPoint, front_drawing
from reports.figures.readout import Told
from reports.figures.theme import MOST_SERIES
from reports.findings import Findings
from reports.layout import Levels
from reports.names import arm_names
from reports.sections.section import Notes, Section
from reports.sections.trials import trials_link
from reports.sentences import cost as sentences
from reports.tables import Cell, Column, Table
from reports.trials import Arm
from reports.wording import magnitude, number, shortened

_COSTS = {"params": "parameters", "flops": "multiply-adds", "seconds": "seconds of training"}
MOST_POINTS = 200


def build(findings: Findings) -> Section | None:
    """Build the fronts; nothing unless arms with a result differ in cost."""
    fronts: dict[str, tuple[dict[str, float], Front]] = {}
    for key in _COSTS:
        cost = {arm.name: value for arm in findings.arms if (value := _cost(findings, arm, key))}
        known = {arm: value for arm, value in cost.items() if findings.summaries[arm].n_ok}
        if len(set(known.values())) > 1:
            fronts[key] = (cost, study_front(findings.study, cost))
    if not any(front.front and len(front.front) + len(front.dominated) > 1 for _, front in fronts.values()):
        return None
    panels = tuple(_panel(findings, key, cost, front) for key, (cost, front) in fronts.items())
    told = (
        sentences.axes(tuple(fronts)),
        sentences.marks([len(front.front) for _, front in fronts.values()], has_slots(findings)),
        sentences.probability(findings),
    )
    figure = Figure("cost", " ".join(filter(None, told)), panels, _table(findings, fronts), columns=3)
    names = arm_names(findings)
    note = sentences.left_out([names[arm] for arm in next(iter(fronts.values()))[1].excluded])
    return Section("cost", "Cost", Notes((note,) if note else ()), figures=(figure,), tables=(figure.table,))


def _cost(findings: Findings, arm: Arm, key: str) -> float | None:
    """What one arm costs: its size, or the mean training time of its trials; None where that is not known."""
    if key != "seconds":
        size = getattr(arm, key)
        return None if size is None else float(size)
    times = [trial.seconds for trial in findings.trials.get(arm.name, ()) if trial.seconds and trial.state.is_outcome()]
    return fmean(times) if times else None


def _panel(findings: Findings, key: str, cost: dict[str, float], front: Front) -> Panel:
    slots = {series.levels: series.slot for series in findings.layout.series}
    arms = {arm.name: arm for arm in findings.arms}
    known = arm_names(findings)
    names = sorted((*front.front, *front.dominated), key=lambda each: each not in front.front)[:MOST_POINTS]
    points = [
        FrontPoint(
            label=known[name],
            error=findings.summaries[name].mean or 0.0,
            cost=cost[name],
            slot=_slot(findings, arms[name], slots),
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


def _slot(findings: Findings, arm: Arm, slots: Mapping[Levels, int]) -> int:
    slot = slots.get(tuple(arm.levels.get(factor) for factor in findings.layout.across), 1)
    return slot if has_slots(findings) else 1


def has_slots(findings: Findings) -> bool:
    """Whether the arms are few enough kinds that each has a marker of its own."""
    return len(findings.layout.series) <= MOST_SERIES


def _table(findings: Findings, fronts: dict[str, tuple[dict[str, float], Front]]) -> Table:
    columns = [
        Column("arm", "arm"),
        Column("params", "parameters", is_number=True, is_count=True),
        Column("flops", "multiply-adds", is_number=True, is_count=True),
        *([Column("seconds", "seconds of training", 1, is_number=True)] if "seconds" in fronts else []),
        Column("error", "error, %", 2, is_number=True),
        Column("n", "n", is_number=True),
    ]
    for key in fronts:
        columns.append(Column(f"front_{key}", f"on the front of {'seconds' if key == 'seconds' else _COSTS[key]}"))
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
            row.append(front.probability.get(arm.name))
        rows.append(tuple(row))
    return Table("cost", sentences.TABLE, tuple(columns), tuple(rows))
