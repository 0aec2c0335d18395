"""A table of results once, and the three texts it is published in: CSV, Markdown and LaTeX."""

import csv
import io
import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reports.wording import number

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """A column: `key` heads it in CSV, `label` where people read it. With `digits` its numbers have fixed decimals."""

    key: str
    label: str
    digits: int | None = None
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption; `name` becomes the file's."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def without(self, *keys: str) -> "Table":
        """Return the table without some of its columns."""
        kept = [at for at, column in enumerate(self.columns) if column.key not in keys]
        rows = tuple(tuple(row[at] for at in kept) for row in self.rows)
        return Table(self.name, self.caption, tuple(self.columns[at] for at in kept), rows)

    def shown(self) -> list[list[str]]:
        """Return the cells as text for people."""
        return [[_shown(cell, column) for cell, column in zip(row, self.columns, strict=True)] for row in self.rows]


def to_csv(table: Table) -> str:
    """Return RFC 4180 text with full precision; text that a spreadsheet would run as a formula gets a ' in front."""
    return csv_text([column.key for column in table.columns], table.rows)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a header and rows as CSV, every text quoted, None as an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([_inert(each) for each in header])
    writer.writerows([_raw(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def to_markdown(table: Table) -> str:
    """Return a pipe table with its caption above; the names in it are escaped, so that none is read as Markdown."""
    rules = ["---:" if column.is_number else ":---" for column in table.columns]
    lines = [[escape_markdown(column.label) for column in table.columns], rules]
    lines += [[escape_markdown(cell) for cell in row] for row in table.shown()]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{escape_markdown(table.caption)}\n\n{body}\n"


def to_latex(table: Table) -> str:
    r"""Return a table environment with booktabs rules; it needs \usepackage{booktabs} and compiles with pdfLaTeX."""
    spec = "".join("r" if column.is_number else "l" for column in table.columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{spec}}}",
        r"\toprule",
        _latex_row([column.label for column in table.columns]),
        r"\midrule",
        *(_latex_row(row) for row in table.shown()),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


WRITERS: dict[str, Callable[[Table], str]] = {"csv": to_csv, "md": to_markdown, "tex": to_latex}


def _shown(cell: Cell, column: Column) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return "not finite"
        return number(cell, 2 if column.digits is None else column.digits)
    return str(cell)


def _raw(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return _inert(cell)
    if isinstance(cell, bool):
        return str(cell).lower()
    return cell


def _inert(text: str) -> str:
    """Text only: numbers, negative ones too, are never quoted or changed."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) else text


_MARKDOWN = str.maketrans({each: "\\" + each for each in "\\`*_{}[]<>()#+!|~$"} | {"\r": " ", "\n": " ", "\u2028": " "})


def escape_markdown(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line."""
    return text.translate(_MARKDOWN)


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": r"{[}",
    "]": r"{]}",
    "-": "-",
    "±": r"$\pm$",
    "−": r"$-$",
    "×": r"$\times$",
    "Δ": r"$\Delta$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "∞": r"$\infty$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
}


def escape_latex(text: str) -> str:
    """Return `text` for pdfLaTeX: special characters escaped, letters it has no glyph for as their code point."""
    return "".join(_LATEX.get(each) or _latex_letter(each) for each in text)


def _latex_letter(each: str) -> str:
    if each.isspace() or unicodedata.category(each) == "Cc":
        return " "
    is_western = ord(each) < 0x180 and unicodedata.category(each)[0] == "L"
    return each if each.isascii() or is_western else rf"\texttt{{U+{ord(each):04X}}}"


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(map(escape_latex, cells)) + r" \\"
