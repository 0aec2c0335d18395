"""A table of results once, and the three texts it is published in: CSV, Markdown and LaTeX."""

import json
import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.latex import latex_table
from reports.wording import drawn_controls, number, significant

if TYPE_CHECKING:
    import pandas as pd

PHONE, BETWEEN, WRAPS_AT = 40, 2, 21
"""In letters: the width of a phone's screen, the room between two columns, and the most that a text takes of a line."""
Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """A column: `key` heads it in CSV, `label` where people read it. With `digits` its numbers have fixed decimals.

    With `is_p` as well, people read "<0.0001" where these decimals would all be 0; CSV keeps the number. With
    `is_count` they read numbers in groups of three digits. With `is_head` they read a text once, for all the rows below
    each other that have it; CSV has it in each.
    """

    key: str
    label: str
    digits: int | None = None
    is_number: bool = False
    is_p: bool = False
    is_head: bool = False
    is_count: bool = False


def p_column(key: str, label: str, digits: int = 4) -> Column:
    """Return a column of p-values."""
    return Column(key, label, digits, is_number=True, is_p=True)


@dataclass(frozen=True)
class Table:
    """A table with its caption; `name` becomes the file's.

    `in_paper` are the keys of the columns that its LaTeX file has, all where it is empty: a page of paper is narrow.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    in_paper: tuple[str, ...] = ()

    def without(self, *keys: str) -> "Table":
        """Return the table without some of its columns."""
        kept = [at for at, column in enumerate(self.columns) if column.key not in keys]
        rows = tuple(tuple(row[at] for at in kept) for row in self.rows)
        return Table(self.name, self.caption, tuple(self.columns[at] for at in kept), rows, self.in_paper)

    def for_paper(self) -> "Table":
        """Return the table with the columns that a page of paper has room for."""
        return self.without(*(each.key for each in self.columns if self.in_paper and each.key not in self.in_paper))

    def first(self, most: int) -> int:
        """Return how many rows to show of at most `most`: those of an arm or a line together, as far as they can be."""
        if len(self.rows) <= most:
            return len(self.rows)
        texts = sum(not column.is_number for column in self.columns)
        names = [row[:texts] for row in self.rows[: most + 1]]
        return next((at for at in range(most, 0, -1) if names[at] != names[at - 1]), most)

    def is_wide(self, shown: Sequence[Sequence[str]]) -> bool:
        """Whether these rows, as `shown` has them, are wider than the screen of a phone: a long text may wrap."""
        labels = [max((len(word) for word in column.label.split()), default=0) for column in self.columns]
        cells = [max((len(row[at]) for row in shown), default=0) for at in range(len(self.columns))]
        widths = [
            max(label, cell if column.is_number else min(cell, WRAPS_AT))
            for label, cell, column in zip(labels, cells, self.columns, strict=True)
        ]
        return sum(widths) + BETWEEN * (len(widths) - 1) > PHONE

    def shown(self) -> list[list[str]]:
        """Return the cells as text for people."""
        above = ((), *self.rows)
        return [
            [
                "" if column.is_head and before[at : at + 1] == (cell,) else _shown(cell, column)
                for at, (cell, column) in enumerate(zip(row, self.columns, strict=True))
            ]
            for before, row in zip(above, self.rows, strict=False)
        ]


def to_csv(table: Table) -> str:
    """Return RFC 4180 text with full precision; text that a spreadsheet would run as a formula gets a ' in front."""
    return csv_text([column.key for column in table.columns], table.rows)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a header and rows as CSV, every text quoted, None as an empty field."""
    lines = (",".join(map(_field, row)) for row in (header, *rows))
    return "\n".join(lines) + "\n"


def _field(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return '"' + _inert(cell).replace('"', '""') + '"'
    return str(cell).lower() if isinstance(cell, bool) else repr(cell)


def to_markdown(table: Table) -> str:
    """Return a pipe table with its caption above; the names in it are escaped, so that none is read as Markdown."""
    rules = ["---:" if column.is_number else ":---" for column in table.columns]
    lines = [[escape_markdown(column.label) for column in table.columns], rules]
    lines += [[escape_markdown(cell) for cell in row] for row in table.shown()]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    head = f"{escape_markdown(table.caption)}\n\n" if table.caption else ""
    return f"{head}{body}\n"


def to_latex(table: Table) -> str:
    """Return a LaTeX table of the columns that a page of paper has room for, labelled ``tab:NAME``."""
    narrow = table.for_paper()
    return latex_table(
        narrow.name,
        narrow.caption,
        [column.label for column in narrow.columns],
        narrow.shown(),
        [column.is_number for column in narrow.columns],
    )


WRITERS: dict[str, Callable[[Table], str]] = {"csv": to_csv, "md": to_markdown, "tex": to_latex}


def to_text(table: Table) -> str:
    """Return columns aligned with spaces, for a terminal: numbers to the right, one line a row."""
    shown = [[column.label for column in table.columns], *table.shown()]
    clean = [["".join(each if each.isprintable() else " " for each in cell) for cell in row] for row in shown]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if column.is_number else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in clean
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def to_json(table: Table) -> str:
    """Return a list of objects, one a row, under the columns' keys; numbers that are not finite become null."""
    keys = [column.key for column in table.columns]
    rows = [dict(zip(keys, map(_finite, row), strict=True)) for row in table.rows]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def _finite(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


_FORMATS: dict[str, Callable[[Table], str]] = {
    "table": to_text,
    "csv": to_csv,
    "json": to_json,
    "markdown": to_markdown,
    "latex": to_latex,
}


def render_frame(frame: "pd.DataFrame", format: str) -> str:
    """Return a data frame as "table", "csv", "json", "markdown" or "latex", without a newline at its end."""
    columns = tuple(
        Column(str(name), str(name), is_number=frame.iloc[:, at].dtype.kind in "iuf")
        for at, name in enumerate(frame.columns)
    )
    rows = tuple(tuple(map(_plain, row)) for row in frame.itertuples(index=False, name=None))
    return _FORMATS[format](Table("query", "", columns, rows)).removesuffix("\n")


def _plain(value: Any) -> Cell:
    """A cell of a frame as a plain value: no NumPy scalar, and None for what is missing."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or (isinstance(value, float) and math.isnan(value)) or value != value:
        return None
    return value if isinstance(value, bool | int | float) else str(value)


def _shown(cell: Cell, column: Column) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return "not finite"
        if column.is_p and column.digits is not None and cell < 10**-column.digits:
            return f"<{10**-column.digits:.{column.digits}f}"
        if column.is_count and column.digits is not None:
            return f"{cell:,.{column.digits}f}"
        return significant(cell) if column.digits is None else number(cell, column.digits)
    return f"{cell:,}" if column.is_count and isinstance(cell, int) else str(cell)


def _inert(text: str) -> str:
    """Text only: numbers, negative ones too, are never quoted or changed. Control characters are drawn."""
    text = drawn_controls(text)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) else text


_MARKDOWN = str.maketrans({each: "\\" + each for each in "\\`*_{}[]<>()#+!|~$"})


def escape_markdown(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line."""
    plain = "".join(
        " " if each.isspace() or unicodedata.category(each) in ("Cc", "Cf", "Zl") else each for each in text
    )
    return plain.replace("&", "&amp;").translate(_MARKDOWN)
