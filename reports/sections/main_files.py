"""The main table as files: numbers for a program (CSV), as the page shows it (Markdown), and for a paper (LaTeX)."""

import re
from collections.abc import Sequence

from reports.analysis.contrasts import Contrast
from reports.analysis.threshold import decides
from reports.findings import Findings
from reports.latex import escape_latex, framed, latex_table, length, size_of
from reports.sections.main_table import ONLY_ARM, Entry, MainTable
from reports.sentences import said
from reports.sentences.table import MEASURE, bold_rule, equivalent, fail_rule, has_fails, narrow, paper_difference
from reports.tables import Cell, Column, Table, csv_text, to_markdown
from reports.trials import Scalar
from reports.wording import NOTHING, level, number, signed

MOST_ROWS = 35
_LEAST_MEAN, _LEAST_CHANGE = 11, 6
"""Letters for which a column of means and one of differences have room in any table."""
_NUMBERS = ("mean", "sd", "n", "fails", "difference", "low", "high", "p_holm")


def main_files(findings: Findings, table: MainTable, levels: Sequence[Sequence[Scalar | None]]) -> dict[str, str]:
    """Return the texts of the three files by their suffix; `levels` are those of each row, as they are."""
    names = [[NOTHING if each is None else level(each) for each in row] or [ONLY_ARM] for row in levels]
    return {
        "csv": _csv(findings, table, levels),
        "md": _markdown(findings, table, names),
        "tex": _latex(findings, table, names),
    }


def _factors(table: MainTable) -> tuple[str, ...]:
    return table.factors or ("arm",)


# ---- CSV ----


def _csv(findings: Findings, table: MainTable, levels: Sequence[Sequence[Scalar | None]]) -> str:
    """One row a line of the table; the mean is empty where a seed failed, as survivors are no arm."""
    prefixes = [f"{head.text} " if table.axis else "" for head in table.heads]
    header = [*_factors(table), *(f"{prefix}{key}" for prefix in prefixes for key in _NUMBERS)]
    rows = [
        [*(names or [ONLY_ARM]), *(cell for entry in line.entries for cell in _numbers(findings, entry))]
        for names, line in zip(levels, table.lines, strict=True)
    ]
    return csv_text(header, rows)


def _numbers(findings: Findings, entry: Entry | None) -> list[Cell]:
    if entry is None:
        return [None] * len(_NUMBERS)
    summary, contrast = entry.summary, findings.contrasts.get(entry.arm.name)
    own: list[Cell] = [None, None] if summary.n_fail else [summary.mean, summary.sd]
    told = contrast if contrast is not None and not has_fails(findings, contrast) else None
    difference: list[Cell] = [None] * 4 if told is None else [told.estimate, told.low, told.high, told.p_holm]
    return [*own, summary.n, summary.n_fail, *difference]


# ---- Markdown ----


def _markdown(findings: Findings, table: MainTable, names: Sequence[Sequence[str]]) -> str:
    columns = [Column(factor, factor) for factor in _factors(table)]
    for head in table.heads:
        columns.append(Column(head.text, head.text, is_number=True))
        if table.has_differences:
            columns.append(Column(f"{head.text} Δ", "Δ", is_number=True))
    rows = []
    for row, line in zip(names, table.lines, strict=True):
        cells: list[Cell] = list(row)
        for entry in line.entries:
            cells.append(None if entry is None else _in_words(entry))
            if table.has_differences:
                cells.append(None if entry is None else _changed(entry))
        rows.append(tuple(cells))
    return to_markdown(Table("main", _caption(findings), tuple(columns), tuple(rows)))


def _in_words(entry: Entry) -> str:
    """The error with its n where the caption does not say it, and the marks of the page."""
    text = f"{entry.text} ({entry.n})" if entry.n else entry.text
    return f"≈ {text}" if entry.is_equivalent and not entry.is_best else text


def _caption(findings: Findings) -> str:
    return said(findings, (*MEASURE, narrow, fail_rule))


# ---- LaTeX ----


def _latex(findings: Findings, table: MainTable, names: Sequence[Sequence[str]]) -> str:
    r"""The means aligned at their ±, the lowest in bold, and Δ in a column of its own, starred where it is clear."""
    per_head = 2 if table.has_differences else 1
    spec = "l" * len(_factors(table)) + (r"r@{${}\pm{}$}l" + ("r" if per_head == 2 else "")) * len(table.heads)
    lines = [*_heads(table, per_head), r"\midrule"]
    for row, line in zip(names, table.lines, strict=True):
        cells = [escape_latex(name) for name in row]
        for entry in line.entries:
            cells.append(_mean(entry))
            if per_head == 2:
                cells.append(_change(findings, entry))
        lines.append(" & ".join(cells) + r" \\")
    letters = sum(max(map(length, column)) for column in zip(_factors(table), *names, strict=True))
    letters += sum(_letters(findings, table, at, per_head == 2) for at in range(len(table.heads)))
    caption = said(findings, (*MEASURE, narrow, bold_rule, equivalent, fail_rule))
    if (change := paper_difference(findings, table.has_differences)) is not None:
        caption += f" {change}"
    size = size_of(letters, len(_factors(table)) + len(table.heads) * per_head)
    if size is None or len(table.lines) > MOST_ROWS:
        return _wide(table, names, caption)
    return framed("main", caption, spec, lines, size)


def _letters(findings: Findings, table: MainTable, at: int, has_change: bool) -> int:
    """Return the letters of the longest mean below a head, and of the longest difference.

    A mean that says its n is counted whole; of one without, the spaces around its ± are no wider than one letter.
    """
    entries = [line.entries[at] for line in table.lines]
    words = (length(_in_words(each)) + (2 if each.n else -1) for each in entries if each is not None)
    change = max(_LEAST_CHANGE, *(len(re.sub(r"\\rlap{.}|\$", "", _change(findings, each))) for each in entries))
    return max(_LEAST_MEAN, *words, 0) + (change if has_change else 0)


def _wide(table: MainTable, names: Sequence[Sequence[str]], caption: str) -> str:
    """The table with names that wrap, for those that leave no room for aligned numbers."""
    heads = [
        *_factors(table),
        *(text for head in table.heads for text in (head.text, "Δ")[: 1 + table.has_differences]),
    ]
    rows = []
    for row, line in zip(names, table.lines, strict=True):
        cells = [(NOTHING if entry is None else _in_words(entry), _changed(entry)) for entry in line.entries]
        rows.append([*row, *(text for pair in cells for text in pair[: 1 + table.has_differences])])
    numbers = [False] * len(_factors(table)) + [True] * (len(heads) - len(_factors(table)))
    return latex_table("main", caption, heads, rows, numbers)


def _changed(entry: Entry | None) -> str:
    if entry is None or not entry.difference:
        return NOTHING
    return " ".join(filter(None, (entry.difference, entry.difference_remark)))


def _heads(table: MainTable, per_head: int) -> list[str]:
    factors = [escape_latex(factor) for factor in _factors(table)]
    if not table.axis:
        tops = [rf"\multicolumn{{2}}{{c}}{{{escape_latex(head.text)}}}" for head in table.heads]
        return [" & ".join([*factors, *(cell for top in tops for cell in ([top, r"$\Delta$"][:per_head]))]) + r" \\"]
    spanned = [rf"\multicolumn{{{1 + per_head}}}{{c}}{{{escape_latex(head.text)}}}" for head in table.heads]
    first = len(factors) + 1
    rules = [
        rf"\cmidrule(lr){{{first + (1 + per_head) * at}-{first + (1 + per_head) * (at + 1) - 1}}}"
        for at in range(len(table.heads))
    ]
    under = [r"\multicolumn{2}{c}{error, \%}", r"$\Delta$"][:per_head] * len(table.heads)
    return [
        " & ".join([*([""] * len(factors)), *spanned]) + r" \\",
        "".join(rules),
        " & ".join([*factors, *under]) + r" \\",
    ]


def _mean(entry: Entry | None) -> str:
    if entry is None:
        return r"\multicolumn{2}{c}{--}"
    summary = entry.summary
    mark = r"$\approx$" if entry.is_equivalent and not entry.is_best else ""
    if summary.n_fail or summary.sd is None or summary.mean is None:
        return rf"\multicolumn{{2}}{{c}}{{{escape_latex(_in_words(entry))}}}"
    mean, spread = number(summary.mean), number(summary.sd)
    n = f" ({entry.n})" if entry.n else ""
    return rf"\textbf{{{mean}}} & \textbf{{{spread}}}{n}" if entry.is_best else f"{mark}{mean} & {spread}{n}"


def _change(findings: Findings, entry: Entry | None) -> str:
    contrast: Contrast | None = None if entry is None else findings.contrasts.get(entry.arm.name)
    if contrast is None or contrast.estimate is None or has_fails(findings, contrast):
        return "--"
    return escape_latex(signed(contrast.estimate)) + (r"\rlap{*}" if decides(contrast.p_holm, findings.alpha) else "")
