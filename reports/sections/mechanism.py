"""Why it works: what probes measured in the trained networks, drawn by the shape of their outputs."""

import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median, stdev

from reports.analysis.measurements import Probed, View, probed, unmeasured
from reports.figures.figure import Figure, Panel
from reports.figures.maps import cells_drawing, contour_drawing
from reports.figures.measured import MeasuredLine, lines_drawing
from reports.figures.scale import contour_scale, scale_of
from reports.figures.theme import MOST_PANELS, MOST_SERIES, label_room
from reports.findings import Findings
from reports.names import arm_names
from reports.sections.reliefs import relief
from reports.sections.section import Section
from reports.sentences import mechanism as sentences
from reports.sentences.parts import cut
from reports.tables import Cell, Column, Table, csv_text
from reports.trials import Arm
from reports.wording import level, shortened


@dataclass(frozen=True)
class MechanismPart:
    """What one probe shows: its figures, its scalars by arm, and what it could not measure."""

    title: str
    source: str
    figures: tuple[Figure, ...]
    table: Table | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Mechanism:
    """The probes in their order, and what was not measured."""

    parts: tuple[MechanismPart, ...]
    notes: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build a part for each probe; nothing where no probe has measured anything."""
    measured = probed(findings.study)
    if not measured:
        return None
    parts = tuple(_part(findings, each) for each in measured)
    figures = tuple(figure for part in parts for figure in part.figures)
    tables = tuple(part.table for part in parts if part.table is not None)
    files = {"data/measurements.csv.gz": gzip.compress(_csv(findings).encode(), mtime=0)}
    return Section("mechanism", "Mechanism", Mechanism(parts, _notes(findings)), figures, tables, files=files)


def _csv(findings: Findings) -> str:
    """Return every number that was measured, one a row; places as JSON."""
    trials = {trial.id: trial for trial in findings.study.trials}
    header = ["trial", "arm", "seed", "kind", "epoch", "at", "name", "value"]
    rows = (
        [each.trial, trials[each.trial].arm, trials[each.trial].seed, each.kind, row.get("epoch"), at, name, value]
        for each in findings.study.measurements
        if each.trial in trials and isinstance(each.values.get("rows"), list)
        for row in each.values["rows"]
        for at in [json.dumps(row["at"], ensure_ascii=False)]
        for name, value in row["numbers"].items()
    )
    return csv_text(header, rows)


def _notes(findings: Findings) -> tuple[str, ...]:
    diverged, lacking = unmeasured(findings.study)
    return tuple(filter(None, (sentences.diverged(diverged), sentences.lacking(lacking))))


def _part(findings: Findings, probe: Probed) -> MechanismPart:
    figures = [
        figure
        for number, view in enumerate(probe.views, start=1)
        for figure in _figures(findings, probe, view, f"{_file_name(probe)}-{number}")
    ]
    names = arm_names(findings)
    notes = [
        sentences.refused(names.get(arm, arm), reason) for arm, reason in list(probe.refused.items())[:MOST_PANELS]
    ]
    return MechanismPart(probe.title, probe.source, tuple(figures), _scalars(findings, probe), tuple(notes))


def _figures(findings: Findings, probe: Probed, view: View, name: str) -> list[Figure]:
    """Return the pictures of a view that any arm has rows for."""
    if len(view.axes) == 1:
        pictures = [_lines(findings, probe, view, name)]
    elif all(view.continuous):
        pictures = [_maps(findings, probe, view, name), relief(findings, probe, view, f"{name}-relief")]
    else:
        pictures = [_maps(findings, probe, view, name)]
    return [figure for figure in pictures if figure is not None]


def _lines(findings: Findings, probe: Probed, view: View, name: str) -> Figure | None:
    """Return a panel for each level of the numeric factor, with a line for each other level."""
    panels = [(title, lines) for title, arms in _panels(findings) if (lines := _lines_of(probe, view, arms))]
    values = [value for _, lines in panels for line in lines for point in line.points.values() for value in point]
    if not values:
        return None
    scale = scale_of(values, view.is_log)
    room = label_room(line.label for _, lines in panels for line in lines)
    drawn = tuple(
        Panel(
            title,
            " ".join(sentences.ends(line.label, view.axis_labels[0], line.middle) for line in lines),
            lines_drawing(
                lines,
                scale,
                (view.axis_labels[0], view.label),
                prefix=f"{name}-{at}",
                room=room,
                scatter=view.is_scatter,
            ),
        )
        for at, (title, lines) in enumerate(panels[:MOST_PANELS])
    )
    most = max(len(probe.found[arm]) for arm in probe.found)
    told = (
        sentences.lines(view, most),
        _whole(findings, probe, view),
        cut(min(MOST_PANELS, len(panels)), len(panels), "panels"),
    )
    caption = " ".join(filter(None, told))
    return Figure(name, caption, drawn, _line_table(name, panels, view), columns=min(3, len(drawn)))


def _whole(findings: Findings, probe: Probed, view: View) -> str | None:
    """Return the unchanged networks' test errors, with which the errors of changed ones are compared."""
    if view.output not in ("test_error", "increase"):
        return None
    names = arm_names(findings)
    errors = {trial.id: trial.test_error for trial in findings.study.trials if trial.test_error is not None}
    medians = []
    for arm in findings.arms:
        known = [errors[each.trial] for each in probe.found.get(arm.name, ()) if each.trial in errors]
        if known:
            medians.append((names[arm.name], median(known)))
    return sentences.unchanged(medians, MOST_PANELS)


def _maps(findings: Findings, probe: Probed, view: View, name: str) -> Figure | None:
    """Return a panel for each arm; all share one scale."""
    contours = all(view.continuous)
    names = arm_names(findings)
    named = [(shortened(names[arm.name], 60), probe.grid(view, arm.name)) for arm in findings.arms]
    panels = [(title, grid) for title, grid in named if len({x for x, _ in grid}) > 1 and len({y for _, y in grid}) > 1]
    values = [value for _, grid in panels for value in grid.values()]
    if not values:
        return None
    scale = (
        contour_scale([list(grid.values()) for _, grid in panels], view.is_log)
        if contours
        else scale_of(values, view.is_log)
    )
    labels = (view.axis_labels[0], view.axis_labels[1], view.label)
    drawn = tuple(
        Panel(
            title,
            sentences.extremes(list(grid.values())),
            (contour_drawing if contours else cells_drawing)(grid, scale, labels, prefix=f"{name}-{at}"),
        )
        for at, (title, grid) in enumerate(panels[:MOST_PANELS])
    )
    told = (
        sentences.maps(view, contours),
        sentences.beyond_scale(max(values), scale.high),
        sentences.measured_at([grid for _, grid in panels]) if contours else None,
        cut(min(MOST_PANELS, len(panels)), len(panels), "panels"),
    )
    caption = " ".join(filter(None, told))
    columns = (
        Column("arm", "arm"),
        Column("least", "least", is_number=True),
        Column("largest", "largest", is_number=True),
    )
    rows = tuple((title, min(grid.values()), max(grid.values())) for title, grid in panels)
    table = Table(name, "The ends of each arm's values; data/measurements.csv.gz has all of them.", columns, rows)
    return Figure(name, caption, drawn, table, columns=min(3, len(drawn)))


def _panels(findings: Findings) -> list[tuple[str, list[tuple[Arm, str, int]]]]:
    """Return titles with the arms of a panel, each with its label and slot."""
    layout = findings.layout
    panels = []
    for position in layout.positions:
        title = "" if layout.axis is None or position is None else f"{layout.axis} {level(position)}"
        arms = [(arm, each.label, each.slot) for each in layout.series if (arm := layout.arm(position, each))]
        for start in range(0, len(arms), MOST_SERIES):
            part = arms[start : start + MOST_SERIES]
            if len(arms) > MOST_SERIES:
                part = [(arm, label, slot) for slot, (arm, label, _) in enumerate(part)]
            panels.append((title, part))
    return panels


def _lines_of(probe: Probed, view: View, arms: Sequence[tuple[Arm, str, int]]) -> list[MeasuredLine]:
    lines = [MeasuredLine(label, slot, probe.points(view, arm.name)) for arm, label, slot in arms]
    drawn = [line for line in lines if line.points]
    return [replace(line, label="") for line in drawn] if len(arms) == 1 and len(drawn) == 1 else drawn


def _line_table(name: str, panels: Sequence[tuple[str, Sequence[MeasuredLine]]], view: View) -> Table:
    columns = (
        Column("panel", "panel"),
        Column("line", "line"),
        Column("place", view.axis_labels[0], is_number=True),
        Column("median", "median", is_number=True),
        Column("values", "values", is_number=True),
    )
    rows: list[tuple[Cell, ...]] = [
        (title, line.label, place, middle, len(line.points[place]))
        for title, lines in panels
        for line in lines
        for place, middle in line.middle
    ]
    return Table(name, sentences.medians_table(view), columns, tuple(rows))


def _scalars(findings: Findings, probe: Probed) -> Table | None:
    """Return the mean and standard deviation of each scalar by arm, the arms of one scalar below each other."""
    columns = (
        Column("label", "number", is_head=True),
        Column("arm", "arm"),
        Column("n", "seeds", is_number=True),
        Column("mean", "mean", is_number=True),
        Column("sd", "± 1 SD", is_number=True),
        Column("metric", "name in claims", is_head=True),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, label, unit in probe.scalars:
        title = f"{label}{f', {unit}' if unit else ''}"
        for arm in findings.arms:
            if values := probe.scalar(name, arm.name):
                spread = _rounded(stdev(values)) if len(values) > 1 else None
                rows.append((title, arm.name, len(values), _rounded(fmean(values)), spread, f"{probe.kind}.{name}"))
    if not rows:
        return None
    return Table(f"mechanism-{_file_name(probe)}", sentences.scalars_table(probe.title), columns, tuple(rows))


def _file_name(probe: Probed) -> str:
    """Return what a probe's figures and tables are called; a plug-in may have any letters in its name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", probe.kind).strip("-") or "probe"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
