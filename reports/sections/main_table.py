"""The main table as the page shows it: test error by arm, the difference to the baseline, what each network costs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from reports.analysis.arms import ArmSummary
from reports.analysis.contrasts import Contrast
from reports.analysis.rates import fisher_p
from reports.findings import Findings
from reports.layout import Layout, Series
from reports.metrics import PRIMARY
from reports.ranking import Rankings, rankings
from reports.search_numbers import search_numbers
from reports.sections.arm_tables import interval
from reports.sentences import said
from reports.sentences.differences import is_same_in_every_seed
from reports.sentences.parts import cut as first_rows
from reports.sentences.table import CAPTION, NOTES, has_fails, states_n, usual_n
from reports.trials import Arm, Scalar, State
from reports.wording import NOTHING, level, magnitude, number, shortened, signed

MOST_ROWS, MOST_CELLS = 500, 1600
"""What a page of the table holds at most; a mean and its difference are a cell each."""
ONLY_ARM = "the only arm"


@dataclass(frozen=True)
class Entry:
    """One arm's place in the table: its error in words, the small print below it, and the difference to the baseline.

    `is_best` marks the lowest mean of its column, `is_equivalent` what is shown to be as good. `n` is the number of
    seeds where that is not the usual one.
    """

    arm: Arm
    summary: ArmSummary
    text: str
    n: str
    is_fail: bool
    is_best: bool
    is_equivalent: bool
    remarks: tuple[str, ...]
    difference: str
    difference_remark: str


@dataclass(frozen=True)
class Head:
    """The head of a column: the level, and what every network in it costs when that is the same."""

    text: str
    cost: str


@dataclass(frozen=True)
class MainRow:
    """A row: its levels, each with the number of rows it spans (0 where the row above spans this one), and its cost."""

    levels: tuple[tuple[str, int], ...]
    is_baseline: bool
    entries: tuple[Entry | None, ...]
    cost: tuple[str, str]
    name: str


@dataclass(frozen=True)
class MainTable:
    """The table as it is laid out on the page, with what the caption must say."""

    factors: tuple[str, ...]
    axis: str | None
    heads: tuple[Head, ...]
    lines: tuple[MainRow, ...]
    has_differences: bool
    has_cost: bool
    is_numbered: bool
    caption: str
    notes: tuple[str, ...]


def main_table(findings: Findings, layout: Layout) -> MainTable:
    """Fill the whole table, laid out by `main_layout`."""
    heads = tuple(Head(_position(layout, each), _shared_cost(layout, each)) for each in layout.positions)
    lines = tuple(_lines(findings, layout, rankings(findings)))
    return MainTable(
        factors=layout.across,
        axis=layout.axis,
        heads=heads,
        lines=lines,
        has_differences=any(entry.difference for line in lines for entry in line.entries if entry is not None),
        has_cost=any(any(line.cost) for line in lines) and not all(head.cost for head in heads),
        is_numbered=layout.axis is None and bool(search_numbers(findings.whole)),
        caption=said(findings, CAPTION),
        notes=tuple(text for sentence in NOTES if (text := sentence(findings))),
    )


def cut(table: MainTable) -> MainTable:
    """Return the rows that the page shows, with a note where there are more."""
    most = min(MOST_ROWS, MOST_CELLS // (len(table.factors) + 2 * len(table.heads) + 2))
    if len(table.lines) <= most:
        return table
    note = first_rows(most, len(table.lines), "rows", "tables/main.csv")
    return replace(table, lines=table.lines[:most], notes=(*table.notes, *([note] if note else [])))


def _position(layout: Layout, position: Scalar | None) -> str:
    return PRIMARY.label if position is None else f"{layout.axis} {level(position)}"


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


def _lines(findings: Findings, layout: Layout, ranked: Rankings) -> Iterator[MainRow]:
    usual, numbers = usual_n(findings), search_numbers(findings.whole)
    names = [tuple(map(_level, series.levels)) for series in layout.series]
    # The arms of a search are a list: levels that two of them share by chance join no rows.
    spans = [tuple((name, 1) for name in row) for row in names] if numbers and names[0] else _spans(names)
    for series, levels in zip(layout.series, spans, strict=True):
        arms = [layout.arm(position, series) for position in layout.positions]
        entries = tuple(None if arm is None else _entry(findings, arm, ranked, usual) for arm in arms)
        known = [arm for arm in arms if arm is not None]
        size = tuple(_range([getattr(arm, key) for arm in known]) for key in ("params", "flops"))
        yield MainRow(levels, series.is_baseline, entries, (size[0], size[1]), _row_name(series, known, numbers))


def _row_name(series: Series, arms: Sequence[Arm], numbers: Mapping[str, str]) -> str:
    """Return the name of a row in one cell: its number in a search, else its levels."""
    number = numbers.get(arms[0].name) if len(arms) == 1 else None
    return number or ", ".join(map(_level, series.levels))


def _range(values: list[int | None]) -> str:
    """The cost of a row's networks: one number, or the smallest and the largest, in two lines if need be."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    ends = dict.fromkeys((magnitude(min(known)), magnitude(max(known))))
    return " to\N{NO-BREAK SPACE}".join(ends)


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


def _entry(findings: Findings, arm: Arm, ranked: Rankings, usual: int | None) -> Entry:
    summary, contrast = findings.summaries[arm.name], findings.contrasts.get(arm.name)
    difference, remark = ("", "") if contrast is None else _difference(findings, contrast, usual)
    return Entry(
        arm=arm,
        summary=summary,
        text=_text(summary, _waiting(findings, arm)),
        n="" if states_n(summary.n, summary.n_fail) or summary.n == usual else f"n={summary.n}",
        is_fail=bool(summary.n_fail),
        is_best=any(arm.name in each.tied for each in ranked.groups),
        is_equivalent=any(arm.name in each.equivalent for each in ranked.groups),
        remarks=tuple(_remarks(findings, summary)),
        difference=difference,
        difference_remark=remark,
    )


def _waiting(findings: Findings, arm: Arm) -> int:
    """Count the trials of an arm that still wait or train."""
    return sum(each.state in (State.WAITING, State.RUNNING) for each in findings.trials.get(arm.name, ()))


def _text(summary: ArmSummary, waiting: int) -> str:
    """An arm with fails is shown by their number: a mean of the seeds that survive would flatter it."""
    if not summary.n and summary.n_missing:
        return "no result yet" if waiting else "no result"
    return f"fail ({summary.n_fail}/{summary.n})" if summary.n_fail else summary.text


def _remarks(findings: Findings, summary: ArmSummary) -> Iterator[str]:
    if summary.n_fail and summary.fail_low is not None and summary.fail_high is not None:
        yield f"{100 * summary.fail_low:.0f} to {100 * summary.fail_high:.0f} %"
    if summary.n_fail and summary.n_ok:
        spread = "" if summary.sd is None else f" ± {number(summary.sd)}"
        yield f"other {summary.n_ok}: {number(summary.mean)}{spread}"
    waiting = _waiting(findings, summary.arm)
    if waiting and summary.n:
        yield f"{waiting} to come"
    if missing := summary.n_missing - waiting:
        yield f"{missing} missing"
    if summary.flag:
        yield "the same in every seed"
    if not summary.n_fail and summary.arm.name in findings.skewed_arms:
        yield "skewed over the seeds"


def _difference(findings: Findings, contrast: Contrast, usual: int | None) -> tuple[str, str]:
    """The difference and what stands below it; of arms with fails their rates, which are all that can be compared."""
    mine, theirs = findings.summaries[contrast.arm.name], findings.summaries[contrast.baseline.name]
    if not (mine.n and theirs.n):
        return "", ""
    if has_fails(findings, contrast):
        p = fisher_p(mine.n_fail, mine.n, theirs.n_fail, theirs.n)
        text = f"{mine.n_fail}/{mine.n} vs {theirs.n_fail}/{theirs.n}"
        return text, "" if p is None else f"Fisher p{'<0.0001' if p < 0.0001 else f'={number(p, 4)}'}"
    if contrast.estimate is None:
        return "", ""
    n = "" if contrast.n == usual else f"n={contrast.n}"
    same = "the same in every seed" if is_same_in_every_seed(contrast) else ""
    return signed(contrast.estimate), ", ".join(filter(None, (interval(contrast).strip(), same, n)))
