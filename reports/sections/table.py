"""The main table: test error by arm, the difference to the baseline, and what each network costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from reports.analysis.contrasts import Contrast
from reports.findings import Findings
from reports.layout import Layout, lay_out
from reports.results import Arm, Scalar
from reports.sections.section import Section
from reports.tables import WRITERS, Cell, Column, Table
from reports.wording import NOTHING, counted, level, magnitude, shortened, signed

MOST_ROWS = 500


@dataclass(frozen=True)
class Entry:
    """One arm's place in the table: its error in words, and the small print under it."""

    text: str
    is_fail: bool
    is_best: bool
    difference: str
    cost: str
    remark: str


@dataclass(frozen=True)
class Head:
    """The head of a column: the level, and what every network in it costs when that is the same."""

    text: str
    cost: str


@dataclass(frozen=True)
class Line:
    """A row: its levels, each with the number of rows it spans (0 where the row above spans this one)."""

    levels: tuple[tuple[str, int], ...]
    is_baseline: bool
    entries: tuple[Entry | None, ...]


@dataclass(frozen=True)
class MainTable:
    """The table as it is laid out on the page, with what the caption must say."""

    factors: tuple[str, ...]
    axis: str | None
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    caption: str
    notes: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build the main table; nothing without arms."""
    if not findings.arms:
        return None
    layout = _layout(findings)
    heads = tuple(Head(_position(layout, position), _shared_cost(layout, position)) for position in layout.positions)
    lines = _lines(findings, layout, heads)
    content = MainTable(
        layout.across, layout.axis, heads, lines[:MOST_ROWS], _caption(findings), _notes(findings, len(lines))
    )
    shown, arms, differences = (
        _shown_table(findings, layout, lines),
        arms_table(findings),
        contrasts_table(findings.contrasts.values()),
    )
    copies = {name: write(shown) for name, write in WRITERS.items()} if len(lines) <= MOST_ROWS else {}
    return Section(
        "table",
        "Test error by arm",
        content,
        tables=(shown, arms, *([differences] if differences.rows else [])),
        embedded={"copies": copies},
    )


def _layout(findings: Findings) -> Layout:
    """Put the axis across the page when at least half of the grid is there; of two named factors, the context."""
    layout, study = findings.layout, findings.study
    if layout.axis is None and len(study.factors) == 2:
        contexts = [factor for factor in study.factors if factor not in study.baseline]
        layout = lay_out(study, axis=contexts[0] if len(contexts) == 1 else list(study.factors)[1])
    filled = len(layout.grid) / (len(layout.positions) * len(layout.series) or 1)
    if layout.axis is not None and layout.across and filled >= 0.5 and len(layout.positions) <= 8:
        return layout
    return lay_out(study, axis=None)


def _position(layout: Layout, position: Scalar | None) -> str:
    return "test error, %" if position is None else level(position)


def _shared_cost(layout: Layout, position: Scalar | None) -> str:
    arms = [arm for series in layout.series if (arm := layout.arm(position, series)) is not None]
    costs = {cost(arm) for arm in arms}
    return costs.pop() if layout.axis and len(costs) == 1 and len(arms) > 1 else ""


def cost(arm: Arm) -> str:
    """Return an arm's parameters and multiply-adds in words; empty when they are not known."""
    parts = []
    if arm.params is not None:
        parts.append(f"{magnitude(arm.params)} params")
    if arm.flops is not None:
        parts.append(f"{magnitude(arm.flops)} FLOPs")
    return " · ".join(parts)


def _lines(findings: Findings, layout: Layout, heads: tuple[Head, ...]) -> tuple[Line, ...]:
    usual = _usual_n(findings)
    spans = _spans([tuple(map(_level, series.levels)) for series in layout.series])
    made = []
    for series, levels in zip(layout.series, spans, strict=True):
        entries = []
        for position, head in zip(layout.positions, heads, strict=True):
            arm = layout.arm(position, series)
            entries.append(None if arm is None else _entry(findings, arm, usual, "" if head.cost else cost(arm)))
        made.append(Line(levels, series.is_baseline, tuple(entries)))
    return tuple(made)


def _level(value: Scalar | None) -> str:
    return NOTHING if value is None else shortened(level(value), 60)


def _spans(rows: list[tuple[str, ...]]) -> list[tuple[tuple[str, int], ...]]:
    """Let a level that repeats down the rows span them, except in the last column, where each row is named."""
    if not rows or not rows[0]:
        return [(("all arms", 1),)] * len(rows)
    spanned: list[list[tuple[str, int]]] = [[] for _ in rows]
    for column in range(len(rows[0])):
        at = 0
        for _, same in groupby(rows, key=lambda row: row[: column + 1]):
            count = len(list(same)) if column < len(rows[0]) - 1 else 1
            for offset in range(count):
                spanned[at + offset].append((rows[at][column], count if offset == 0 else 0))
            at += count
    return [tuple(row) for row in spanned]


def _entry(findings: Findings, arm: Arm, usual: int | None, cost_text: str) -> Entry:
    summary = findings.summaries[arm.name]
    contrast = findings.contrasts.get(arm.name)
    remarks = []
    if summary.n and summary.n_ok != usual and summary.sd is not None and not summary.n_fail:
        remarks.append(f"n={summary.n_ok}")
    if summary.n and summary.n_missing:
        remarks.append(f"{summary.n_missing} missing")
    if summary.flag:
        remarks.append("the same in every seed")
    is_fail = bool(summary.n_fail) and summary.text.startswith("fail")
    return Entry(
        summary.text,
        is_fail,
        arm.name in findings.best,
        "" if is_fail else _difference(contrast),
        cost_text,
        ", ".join(remarks),
    )


def _difference(contrast: Contrast | None) -> str:
    if contrast is None or contrast.estimate is None:
        return ""
    return f"Δ {signed(contrast.estimate)}{interval(contrast)}"


def interval(contrast: Contrast) -> str:
    """Return the interval of a contrast in brackets, with a leading space; empty where both ends are open."""
    if contrast.low is None and contrast.high is None:
        return ""
    low = "−∞" if contrast.low is None else signed(contrast.low)
    high = "∞" if contrast.high is None else signed(contrast.high)
    return f" [{low}, {high}]"


def _usual_n(findings: Findings) -> int | None:
    counts = [summary.n for summary in findings.summaries.values() if summary.n]
    return max(sorted(set(counts)), key=counts.count) if counts else None


def _caption(findings: Findings) -> str:
    text = _measure(findings)
    usual = _usual_n(findings)
    if findings.contrasts and usual is not None:
        base = shortened(", ".join(f"{key} {level(value)}" for key, value in findings.study.baseline.items()), 60)
        interval_words = " with its 95 % interval, paired by seed" if usual > 1 else ""
        text += f" Δ is the difference to the baseline ({base}) in points{interval_words}."
    return text + (" Bold: not distinguishable from the best of its column." if findings.best else "")


def _measure(findings: Findings) -> str:
    """What the numbers are, and what ± is: the caption where differences are not shown."""
    usual = _usual_n(findings)
    if usual is None:
        return "Mean test error by arm, in per cent. No trial has a result yet."
    if usual == 1:
        return "Test error by arm, in per cent; one seed, hence no spread and no interval."
    return f"Mean test error by arm, in per cent; ± is 1 SD over the seeds (n={usual} unless stated)."


def _fail_rule(findings: Findings) -> str:
    above = findings.study.fail_above
    rule = "diverged" if above is None else f"diverged or ended above {above:g} % test error"
    return f"fail (k/n): k of n seeds {rule}; where at least half failed, no mean is given."


def _notes(findings: Findings, lines: int) -> tuple[str, ...]:
    notes = []
    if findings.fails():
        notes.append(_fail_rule(findings))
    if any(arm.flops is not None for arm in findings.arms):
        notes.append("FLOPs are multiply-adds of one image, each counted once.")
    orphans = [arm.name for arm in findings.study.arms if arm.orphaned]
    if orphans:
        notes.append(f"{counted(len(orphans), 'arm')} no longer in the study file: left out here, kept under Trials.")
    if lines > MOST_ROWS:
        notes.append(f"The first {MOST_ROWS} of {lines:,} rows; tables/main.csv has them all.")
    return tuple(notes)


def _shown_table(findings: Findings, layout: Layout, lines: tuple[Line, ...]) -> Table:
    """The table as the page shows it, for a paper."""
    labels = [Column(factor, factor) for factor in layout.across] or [Column("arm", "arm")]
    prefix = f"{layout.axis} " if layout.axis else ""
    heads = [
        Column(f"{prefix}{_position(layout, position)}", f"{prefix}{_position(layout, position)}", is_number=True)
        for position in layout.positions
    ]
    rows = []
    for series, line in zip(layout.series, lines, strict=True):
        names: list[Cell] = [NOTHING if each is None else level(each) for each in series.levels] or ["all arms"]
        rows.append((*names, *(None if entry is None else entry.text for entry in line.entries)))
    caption = _measure(findings) + (f" {_fail_rule(findings)}" if findings.fails() else "")
    return Table("main", caption, (*labels, *heads), tuple(rows))


def arms_table(findings: Findings) -> Table:
    """Return one row an arm with every number of its summary."""
    factors = list(findings.study.factors)
    columns = (
        Column("arm", "arm"),
        *(Column(factor, factor) for factor in factors),
        *(Column(key, label, digits, is_number=True) for key, label, digits in _ARM_NUMBERS),
        Column("text", "test error"),
    )
    rows = []
    for arm in findings.arms:
        each = findings.summaries[arm.name]
        numbers = (each.n, each.n_ok, each.n_fail, each.n_missing, each.mean, each.sd, each.low, each.high)
        middle = (each.median, each.minimum, each.maximum, arm.params, arm.flops)
        rows.append((arm.name, *(arm.levels.get(factor) for factor in factors), *numbers, *middle, each.text))
    caption = (
        "Test error by arm, in per cent; the mean, its 95 % interval and the SD are over the seeds that did not fail."
    )
    return Table("arms", caption, columns, tuple(rows))


_ARM_NUMBERS = (
    ("n", "n", None),
    ("n_ok", "ok", None),
    ("n_fail", "fail", None),
    ("n_missing", "missing", None),
    ("mean", "mean", 2),
    ("sd", "SD", 2),
    ("low", "low", 2),
    ("high", "high", 2),
    ("median", "median", 2),
    ("minimum", "min", 2),
    ("maximum", "max", 2),
    ("params", "params", None),
    ("flops", "FLOPs", None),
)


def contrasts_table(contrasts: Iterable[Contrast]) -> Table:
    """Return one row a difference to the baseline."""
    columns = (
        Column("arm", "arm"),
        Column("baseline", "baseline"),
        Column("n", "n", is_number=True),
        Column("fails", "fails", is_number=True),
        Column("estimate", "difference", 2, is_number=True),
        Column("low", "low", 2, is_number=True),
        Column("high", "high", 2, is_number=True),
        Column("p", "p", 4, is_number=True),
        Column("p_holm", "p (Holm)", 4, is_number=True),
        Column("smallest_p", "smallest exact p", 4, is_number=True),
        Column("test", "test"),
        Column("note", "note"),
    )
    rows = tuple(
        (
            each.arm.name,
            each.baseline.name,
            each.n,
            each.fails,
            each.estimate,
            each.low,
            each.high,
            each.p,
            each.p_holm,
            each.sensitivity.smallest_p,
            each.test,
            "; ".join(filter(None, (each.note, *each.badges))) or None,
        )
        for each in contrasts
    )
    caption = "Difference in test error to the baseline, percentage points, with 95 % intervals; below zero is better."
    return Table("differences", caption, columns, rows)
