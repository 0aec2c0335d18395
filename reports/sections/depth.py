"""Error against depth, or against the first numeric factor of a study without one."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from reports.figures.axis import LevelSeries, axis_drawing
from reports.figures.figure import Figure, Panel
from reports.figures.labels import told_apart
from reports.figures.theme import MOST_SERIES, is_wide
from reports.findings import Findings
from reports.layout import Layout, Levels, Series, bundles
from reports.metrics import PRIMARY
from reports.sections.panels import lowest_panels
from reports.sections.section import Notes, Section
from reports.sentences import depth as sentences
from reports.sentences.depth import FEWEST_POINTS
from reports.sentences.parts import bent_axis, lowest_shown, without_result
from reports.tables import Cell, Column, Table
from reports.trials import State, Trial
from reports.wording import NOTHING, number

ALL_POINTS = 20
MOST_POINTS = 9
"""Of more seeds than that so many quantiles are drawn; the fewer where the figure would have more than MOST_MARKS."""
MOST_MARKS = 1000
LONGEST_TITLE = 60


def build(findings: Findings) -> Section | None:
    """Build the figure; nothing without a numeric factor, or before two of its levels have a result."""
    axis = findings.layout.axis
    by_series, most = _runs(findings, MOST_POINTS), MOST_POINTS
    if sum(len(run.points) for run in by_series.values()) > MOST_MARKS:
        by_series, most = _runs(findings, FEWEST_POINTS), FEWEST_POINTS
    runs = list(by_series.values())
    ticks = sorted({level for run in runs for level in run.levels})
    if axis is None or len(ticks) < 2 or not any(run.points for run in runs):
        return None
    is_small = len(runs) > MOST_SERIES
    made = _panels(findings.layout, by_series) if is_small else [("", runs)]
    shown = lowest_panels([(panel, {run.points: _lowest(run) for run in panel[1]}) for panel in made])
    values = [error for run in runs for _, error in run.points]
    panels = tuple(
        Panel(
            title,
            " ".join(_described(run, axis) for run in group),
            axis_drawing(
                group,
                prefix=f"depth{at}",
                values=values,
                factor=axis,
                ticks=ticks,
                small=is_small,
                fail_above=findings.study.fail_above,
            ),
        )
        for at, (title, group) in enumerate(shown)
    )
    figure = Figure(
        "depth",
        _caption(findings, axis, most, has_lines=any(len(run.levels) > 1 for run in runs), is_bent=is_wide(values)),
        panels,
        _table(runs, axis),
        columns=min(3, len(panels)),
    )
    notes = (
        lowest_shown(len(shown), len(made), "tables/arms.csv"),
        without_result(sum(not findings.summaries[arm.name].n for arm in findings.arms), len(findings.arms)),
    )
    return Section("depth", f"Error against {axis}", Notes(tuple(filter(None, notes))), figures=(figure,))


def _runs(findings: Findings, most: int) -> dict[Levels, LevelSeries]:
    return {
        series.levels: run for series in findings.layout.series if (run := _run(findings, series, most)) is not None
    }


def _run(findings: Findings, series: Series, most: int) -> LevelSeries | None:
    levels, middle, points, diverged, trials, last = [], [], [], [], [], []
    for position in sorted(each for each in findings.layout.positions if isinstance(each, int | float)):
        arm = findings.layout.arm(position, series)
        outcomes = [trial for trial in findings.trials.get(arm.name, ()) if trial.state.is_outcome()] if arm else []
        if not outcomes:
            continue
        errors = [_error(trial) for trial in outcomes]
        levels.append(float(position))
        middle.append(_middle(errors))
        known = [(error, trial.id) for error, trial in zip(errors, outcomes, strict=True) if error is not None]
        shown = _shown(known, most)
        points += [(float(position), error) for error, _ in shown]
        trials += [trial for _, trial in shown]
        last += [trial.id for error, trial in zip(errors, outcomes, strict=True) if error is None]
        diverged += [float(position)] * errors.count(None)
    if not levels:
        return None
    ends = (tuple(levels), tuple(middle), tuple(points), tuple(diverged), (*trials, *last))
    return LevelSeries(series.label, series.slot, *ends)


def _error(trial: Trial) -> float | None:
    return None if trial.state is State.DIVERGED else getattr(trial, PRIMARY.name)


def _shown(errors: list[tuple[float, str]], most: int) -> list[tuple[float, str]]:
    """Every seed's error and trial, or of many `most` of the sorted ones, the lowest and the highest among them."""
    known = sorted(errors)
    if len(known) <= ALL_POINTS:
        return known
    return [known[round(at * (len(known) - 1) / (most - 1))] for at in range(most)]


def _middle(errors: list[float | None]) -> float | None:
    """The median, a diverged seed ranking behind every number; None where it falls on a diverged seed."""
    middle = median(float("inf") if error is None else error for error in errors)
    return middle if middle != float("inf") else None


def _lowest(run: LevelSeries) -> float | None:
    return min((middle for middle in run.middle if middle is not None), default=None)


def _panels(layout: Layout, by_series: Mapping[Levels, LevelSeries]) -> list[tuple[str, list[LevelSeries]]]:
    """The series that differ in one factor alone together, else a panel each, the baseline in black beside it."""
    bundled = bundles(layout, MOST_SERIES)
    if not bundled:
        base = [run for run in by_series.values() if run.slot == 0]
        others = [run for run in by_series.values() if run.slot != 0]
        titles = told_apart([run.label for run in others], LONGEST_TITLE)
        named = [replace(run, slot=1, label=run.label if base else "") for run in others]
        return [(title, [*base, run]) for title, run in zip(titles, named, strict=True)]
    titles = told_apart([title for title, _ in bundled], LONGEST_TITLE)
    lines = [
        [
            replace(by_series[series.levels], slot=line.slot, label=line.label)
            for series, line in bundle
            if series.levels in by_series
        ]
        for _, bundle in bundled
    ]
    return [(title, group) for title, group in zip(titles, lines, strict=True) if group]


def _caption(findings: Findings, axis: str, most: int, *, has_lines: bool, is_bent: bool) -> str:
    is_thinned = any(summary.n > ALL_POINTS for summary in findings.summaries.values())
    text = sentences.points(axis, most if is_thinned else None) + sentences.medians(findings, has_lines)
    return " ".join(filter(None, (text, bent_axis(is_bent))))


def _described(run: LevelSeries, axis: str) -> str:
    known = [(level, middle) for level, middle in zip(run.levels, run.middle, strict=True) if middle is not None]
    diverged = len(run.diverged)
    return sentences.course(run.label, axis, known, diverged, diverged + len(run.points))


def _table(runs: list[LevelSeries], axis: str) -> Table:
    columns = (
        Column("line", "line"),
        Column(axis, axis, is_number=True),
        Column("median", "median, %", 2, is_number=True),
        Column("seeds", "each seed, %"),
    )
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        points: dict[float, list[str]] = {}
        for at, error in run.points:
            points.setdefault(at, []).append(number(error))
        for level, middle in zip(run.levels, run.middle, strict=True):
            seeds = [*points.get(level, ()), *["diverged"] * run.diverged.count(level)]
            rows.append((run.label, f"{level:g}", middle, ", ".join(seeds) or NOTHING))
    return Table("depth", sentences.table_caption(axis), columns, tuple(rows))
