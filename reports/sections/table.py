"""The main table: test error by arm, the difference to the baseline, and what each network costs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from reports.analysis.arms import ArmSummary
from reports.analysis.contrasts import Contrast
from reports.analysis.effects import differences, paired
from reports.findings import Findings
from reports.layout import Layout, lay_out
from reports.results import Arm, Scalar
from reports.sections.section import Section
from reports.tables import WRITERS, Cell, Column, Table, p_column
from reports.wording import NOTHING, counted, level, magnitude, shortened, signed

MOST_ROWS = 500
ONLY_ARM = "the only arm"


@dataclass(frozen=True)
class Entry:
    """One arm's place in the table: its error in words, its n where that is not the usual one, and the small print."""

    text: str
    n: str
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
    bold, where = _bold(findings, layout)
    lines = _lines(findings, layout, heads, bold)
    caption = _caption(findings, lines) + (_bold_rule(where) if bold else "")
    content = MainTable(layout.across, layout.axis, heads, lines[:MOST_ROWS], caption, _notes(findings, len(lines)))
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


def _bold(findings: Findings, layout: Layout) -> tuple[frozenset[str], str]:
    """The arms to print in bold, and where each is the best: in its column, or at its level where those run down.

    Nothing is bold where no column or level has several arms.
    """
    levels = findings.layout
    by_level = layout.axis is None and levels.axis is not None and levels.runs_along_axis()
    shown = levels if by_level else layout
    groups = [shown.arms_at(position) for position in shown.positions]
    if all(len(group) < 2 for group in groups):
        return frozenset(), ""
    bold = frozenset(name for group in groups for name in _best([findings.summaries[arm.name] for arm in group]))
    return bold, f"at its {shortened(str(levels.axis), 40)}" if by_level else "of its column"


def _best(group: Sequence[ArmSummary]) -> list[str]:
    """Name the arm with the least mean and those level with it, of the arms with several seeds and no fail."""
    sound = [each for each in group if each.n_ok > 1 and not each.n_fail]
    if not sound:
        return []
    first = min(sound, key=lambda each: each.mean or 0.0)
    return [each.arm.name for each in sound if _is_level(each, first)]


def _is_level(one: ArmSummary, best: ArmSummary) -> bool:
    """Whether the paired test does not show more error than the best arm has; without a spread, any more is shown."""
    values = {one.arm.name: one.values, best.arm.name: best.values}
    by_seed = differences(values, {one.arm.name: 1.0, best.arm.name: -1.0})
    effect = paired(by_seed)
    if effect is not None:
        return effect.interval(0.95)[0] <= 0
    return len(by_seed) < 2 or max(by_seed.values()) <= 1e-9


def _bold_rule(where: str) -> str:
    return (
        f" Bold: the best {where}, and what a paired t test at 5 % does not tell from it; arms with a fail or a single "
        "seed are left out."
    )


def _lines(findings: Findings, layout: Layout, heads: tuple[Head, ...], bold: frozenset[str]) -> tuple[Line, ...]:
    usual = _usual_n(findings)
    spans = _spans([tuple(map(_level, series.levels)) for series in layout.series])
    made = []
    for series, levels in zip(layout.series, spans, strict=True):
        entries = []
        for position, head in zip(layout.positions, heads, strict=True):
            arm = layout.arm(position, series)
            network = "" if arm is None or head.cost else cost(arm)
            entries.append(None if arm is None else _entry(findings, arm, usual, network, arm.name in bold))
        made.append(Line(levels, series.is_baseline, tuple(entries)))
    return tuple(made)


def _level(value: Scalar | None) -> str:
    return NOTHING if value is None else shortened(level(value), 60)


def _spans(rows: list[tuple[str, ...]]) -> list[tuple[tuple[str, int], ...]]:
    """Let a level that repeats down the rows span them, except in the last column, where each row is named."""
    if not rows or not rows[0]:
        return [((ONLY_ARM, 1),)] * len(rows)
    spanned: list[list[tuple[str, int]]] = [[] for _ in rows]
    for column in range(len(rows[0])):
        at = 0
        for _, same in groupby(rows, key=lambda row: row[: column + 1]):
            count = len(list(same)) if column < len(rows[0]) - 1 else 1
            for offset in range(count):
                spanned[at + offset].append((rows[at][column], count if offset == 0 else 0))
            at += count
    return [tuple(row) for row in spanned]


def _entry(findings: Findings, arm: Arm, usual: int | None, cost_text: str, is_best: bool) -> Entry:
    summary = findings.summaries[arm.name]
    is_fail = bool(summary.n_fail) and summary.text.startswith("fail")
    n = "" if _states_n(summary) or summary.n == usual else f"n={summary.n}"
    missing = f"{summary.n_missing} missing" if summary.n and summary.n_missing else ""
    flag = "the same in every seed" if summary.flag else ""
    return Entry(
        summary.text,
        n,
        is_fail,
        is_best,
        "" if is_fail else _difference(findings.contrasts.get(arm.name), usual),
        cost_text,
        ", ".join(filter(None, (n, missing, flag))),
    )


def _states_n(summary: ArmSummary) -> bool:
    """Whether the text of the table says by itself over how many seeds it is: "(n=1)", "(fail 1/5)", or no result."""
    return summary.n < 2 or summary.n_fail > 0


def _difference(contrast: Contrast | None, usual: int | None) -> str:
    if contrast is None or contrast.estimate is None:
        return ""
    n = "" if contrast.n == usual else f" (n={contrast.n})"
    return f"Δ {signed(contrast.estimate)}{interval(contrast)}{n}"


def interval(contrast: Contrast) -> str:
    """Return the interval of a contrast in brackets, with a leading space; empty where both ends are open."""
    if contrast.low is None and contrast.high is None:
        return ""
    low = "−∞" if contrast.low is None else signed(contrast.low)
    high = "∞" if contrast.high is None else signed(contrast.high)
    return f" [{low}, {high}]"


def _usual_n(findings: Findings) -> int | None:
    """The n of most arms whose text does not say it, the larger of two that are as common; None before a result."""
    known = [summary for summary in findings.summaries.values() if summary.n]
    counts = [each.n for each in known if not _states_n(each)] or [each.n for each in known]
    return max(set(counts), key=lambda n: (counts.count(n), n), default=None)


def _caption(findings: Findings, lines: tuple[Line, ...]) -> str:
    text = _measure(findings)
    if any(entry is not None and entry.difference for line in lines for entry in line.entries):
        base = shortened(", ".join(f"{key} {level(value)}" for key, value in findings.study.baseline.items()), 60)
        is_known = any(interval(each) for each in findings.contrasts.values())
        known = " with its 95 % interval" if is_known else ""
        text += f" Δ is the difference to the baseline ({base}) in points{known}, paired by seed."
    return text


def _measure(findings: Findings) -> str:
    """What the numbers are, and what ± is: the caption where differences are not shown."""
    usual = _usual_n(findings)
    if usual is None:
        return "Mean test error by arm, in per cent. No trial has a result yet."
    if all(summary.n < 2 for summary in findings.summaries.values()):
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
        names: list[Cell] = [NOTHING if each is None else level(each) for each in series.levels] or [ONLY_ARM]
        rows.append((*names, *map(_published, line.entries)))
    caption = _measure(findings) + (f" {_fail_rule(findings)}" if findings.fails() else "")
    return Table("main", caption, (*labels, *heads), tuple(rows))


def _published(entry: Entry | None) -> str | None:
    """The error as a paper prints it, with its n where the caption does not say it."""
    if entry is None:
        return None
    return f"{entry.text} ({entry.n})" if entry.n else entry.text


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
        p_column("p", "p"),
        p_column("p_holm", "p (Holm)"),
        p_column("smallest_p", "smallest exact p"),
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
