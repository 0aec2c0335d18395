r"""Tables for papers in LaTeX: booktabs rules, a caption, a label, and a width that fits the page.

A file needs ``\usepackage{array,booktabs}`` and compiles with pdfLaTeX. Each stands in a ``table*``, which spans
both columns of a two-column paper and is a plain table elsewhere.
"""

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

TEXT_WIDTH = 345.0
"""Points across the page of LaTeX's article at 10 pt, the narrowest that a table must fit."""
TEXT_HEIGHT = 440.0
"""Points that such a page has for the rows of a table, a caption of some lines aside."""
_SIZES = ((1.0, "normalsize"), (0.92, "small"), (0.83, "footnotesize"), (0.73, "scriptsize"))
_LETTER = 5.1
_GAP = 8.0
_LINE = 2.45
"""The distance of lines in widths of a letter."""
_RAGGED = 3
"""Letters that a ragged right edge loses on a line."""
_LEAST_LETTERS = 9
_FEW_LETTERS = 5
"""A column of words as short as this does not wrap."""
_LONGEST_HEAD = 10
_CODE_POINT = 7
_CAPITAL = 0.5  # what a capital letter is wider by than a small one
_LONGEST_IN_CAPTION = 30

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
    '"': "''",
    "[": r"{[}",
    "]": r"{]}",
    "-": "-",
    "±": r"$\pm$",
    "−": r"$-$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≈": r"$\approx$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≠": r"$\ne$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    **{digit: rf"\textsuperscript{{{at}}}" for at, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    "⁻": r"\textsuperscript{$-$}",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": "~",
}
_LATIN = {"ALPHA": "A", "BETA": "B", "EPSILON": "E", "ZETA": "Z", "ETA": "H", "IOTA": "I", "KAPPA": "K", "MU": "M"}
_LATIN |= {"NU": "N", "OMICRON": "O", "RHO": "P", "TAU": "T", "UPSILON": "Y", "CHI": "X"}
_PLAIN = frozenset(_LATIN) | {
    "GAMMA",
    "DELTA",
    "THETA",
    "LAMDA",
    "XI",
    "PI",
    "SIGMA",
    "FINAL SIGMA",
    "PHI",
    "PSI",
    "OMEGA",
}


def escape_latex(text: str) -> str:
    """Return `text` for pdfLaTeX: special characters escaped, letters it has no glyph for as their code point."""
    return "".join(map(_letter, text))


@lru_cache(maxsize=4096)
def _letter(each: str) -> str:
    if (command := _LATEX.get(each)) is not None:
        return command
    if each.isspace() or unicodedata.category(each) == "Cc":
        return " "
    if (greek := _greek(each)) is not None:
        return greek
    is_western = ord(each) < 0x180 and unicodedata.category(each)[0] == "L"
    return each if each.isascii() or is_western else rf"\texttt{{U+{ord(each):04X}}}"


def _greek(each: str) -> str | None:
    """A Greek letter by its command, or by the Latin letter that it looks like; None for any other letter."""
    kind, _, name = unicodedata.name(each, "").partition(" LETTER ")
    word = name.replace(" ", "_")
    if kind == "GREEK SMALL" and name in _PLAIN:
        return {"OMICRON": "o", "FINAL SIGMA": r"$\varsigma$", "LAMDA": r"$\lambda$"}.get(name) or rf"$\{word.lower()}$"
    if kind == "GREEK CAPITAL" and name in _PLAIN:
        return _LATIN.get(name) or ("$\\Lambda$" if name == "LAMDA" else rf"$\{word.capitalize()}$")
    return None


def breakable(text: str, longest: int = 14) -> str:
    r"""Return `text` escaped, with an \allowbreak after its signs and within words of more than `longest` letters."""
    parts = []
    for word in re.split(r"(\s+)", text):
        pieces = re.findall(r"[^._=,/:-]*[._=,/:-]+|[^._=,/:-]+", word) or [word]
        cut = [piece[at : at + longest] for piece in pieces for at in range(0, len(piece) or 1, longest)]
        parts.append(r"\allowbreak{}".join(map(escape_latex, cut)))
    return "".join(parts).replace(r"\texttt", r"\allowbreak{}\texttt")


def _prose(text: str) -> str:
    """A caption: only words that are longer than a line may be broken."""
    words = re.split(r"(\s+)", text)
    return "".join(breakable(word) if len(word) > _LONGEST_IN_CAPTION else escape_latex(word) for word in words)


@dataclass(frozen=True)
class _Widths:
    """How a table is set: the size of its letters, their width, and the width of each column that wraps, in points."""

    size: str
    letter: float
    wrapped: Mapping[int, float]


def latex_table(
    name: str, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]
) -> str:
    """Return a table of texts; `numbers` says which columns are set to the right.

    Columns of words share what the numbers leave of the line, and wrap. Left out are rows that the page has no room
    for, and words that are the same in every row, which the caption tells; empty columns; and the last numbers where
    a line has no room for them. A table without a caption keeps its columns as they are.
    """
    columns = [(head, number, cells) for head, number, *cells in zip(heads, numbers, *rows, strict=True)]
    columns, same = _telling(columns) if caption and len(rows) > 1 else (columns, [])
    widths = _fitted(columns)
    while widths is None and len(columns) > 1:
        last = max((at for at, (_, number, _) in enumerate(columns) if number), default=len(columns) - 1)
        del columns[last]
        widths = _fitted(columns)
    widths = widths or _Widths(_SIZES[-1][1], _SIZES[-1][0] * _LETTER, {0: TEXT_WIDTH})
    count = min(_rows_that_fit(columns, widths), len(rows))
    caption = " ".join([caption, *([f"In every row: {'; '.join(same)}."] if same else [])])
    if count < len(rows):
        caption = f"{caption} The first {count} of {len(rows):,} rows."
    spec = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{widths.wrapped[at] / TEXT_WIDTH:.3f}\textwidth}}"
        if at in widths.wrapped
        else "r"
        if number
        else "l"
        for at, (_, number, _) in enumerate(columns)
    )
    lines = [_heads(columns, widths), r"\midrule"]
    lines += [_line([cells[row] for _, _, cells in columns], widths) for row in range(count)]
    return framed(name, caption, spec, lines, widths.size)


_Column = tuple[str, bool, list[str]]


def _telling(columns: Sequence[_Column]) -> tuple[list[_Column], list[str]]:
    """Part the columns that tell rows apart from those of words that are the same in each."""
    kept, same = [], []
    for head, number, cells in columns:
        if cells and set(cells) <= {"–", ""}:
            continue
        if len(cells) > 1 and len(set(cells)) == 1 and not number:
            same.append(f"{head} {cells[0]}")
        else:
            kept.append((head, number, cells))
    return (kept, same) if kept else (list(columns), [])


def _fitted(columns: Sequence[_Column]) -> _Widths | None:
    """The largest size of letters at which the columns fit; None where none does."""
    letters = [_letters(column) for column in columns]
    for scale, size in _SIZES:
        letter = scale * _LETTER
        wanted = [letter * each for each in letters]
        words = [at for at, (_, number, _) in enumerate(columns) if not number]
        room = TEXT_WIDTH - _GAP * len(columns)
        if sum(wanted) <= room:
            return _Widths(size, letter, {})
        fixed = sum(width for at, width in enumerate(wanted) if at not in words)
        left = room - fixed
        if words and left >= len(words) * _LEAST_LETTERS * letter:
            shared = _shared({at: wanted[at] for at in words}, left, _LEAST_LETTERS * letter)
            short = {at for at in shared if wanted[at] <= _FEW_LETTERS * letter}
            return _Widths(size, letter, {at: width for at, width in shared.items() if at not in short})
    return None


def _letters(column: _Column) -> int:
    """The letters across a column: of its longest cell, and of its head, which above numbers has several lines."""
    head, number, cells = column
    lines = _stacked(head, cells) if number else [head]
    top = max(length(line) + ceil(_CAPITAL * sum(map(str.isupper, line))) for line in lines)
    return max(top, *map(length, cells), 1)


def _stacked(head: str, cells: Sequence[str]) -> list[str]:
    return textwrap.wrap(head, max([_LONGEST_HEAD, *map(length, cells)]), break_long_words=False) or [""]


def length(text: str) -> int:
    """Return how many letters wide a text is set; a letter without a glyph is set as its code point."""
    if text.isascii():
        return len(text)
    return sum(_CODE_POINT if _letter(each).startswith(r"\texttt") else 1 for each in text)


def _shared(wanted: Mapping[int, float], room: float, least: float) -> dict[int, float]:
    """Give each column what it wants where that is little, and share the rest by the roots of what the others want."""
    small = {at: width for at, width in wanted.items() if width <= room / len(wanted)}
    large = {at: width**0.5 for at, width in wanted.items() if at not in small}
    rest = room - sum(small.values()) - least * len(large)
    return small | {at: least + rest * share / sum(large.values()) for at, share in large.items()}


def _rows_that_fit(columns: Sequence[_Column], widths: _Widths) -> int:
    """How many rows a page holds below a caption of a few lines."""
    left, count = TEXT_HEIGHT, 0
    for row in range(len(columns[0][2]) if columns else 0):
        lines = max(
            (
                ceil((length(cells[row]) + _RAGGED) * widths.letter / widths.wrapped[at])
                for at, (_, _, cells) in enumerate(columns)
                if at in widths.wrapped
            ),
            default=1,
        )
        left -= lines * widths.letter * _LINE
        if left < 0:
            break
        count += 1
    return max(count, 1)


def _heads(columns: Sequence[_Column], widths: _Widths) -> str:
    put = []
    for at, (head, number, cells) in enumerate(columns):
        lines = [escape_latex(line) for line in _stacked(head, cells)]
        if number and len(lines) > 1:
            put.append(r"\shortstack[r]{" + r"\\".join(lines) + "}")
        else:
            put.append(_cell(head, at, widths))
    return " & ".join(put) + r" \\"


def _line(cells: Sequence[str], widths: _Widths) -> str:
    return " & ".join(_cell(cell, at, widths) for at, cell in enumerate(cells)) + r" \\"


def _cell(cell: str, at: int, widths: _Widths) -> str:
    if at not in widths.wrapped:
        return escape_latex(cell)
    return breakable(cell, max(3, int(widths.wrapped[at] / (1.25 * widths.letter)) - 1))


def framed(name: str, caption: str, spec: str, lines: Sequence[str], size: str) -> str:
    """Return the lines of a table inside its environments, with rules, caption and label."""
    return "\n".join(
        [
            r"% needs \usepackage{array,booktabs}",
            r"\begin{table*}",
            r"\centering",
            *([rf"\{size}"] if size != "normalsize" else []),
            r"\setlength{\tabcolsep}{4pt}",
            *([rf"\caption{{{_prose(caption)}}}"] if caption else []),
            rf"\label{{tab:{re.sub(r'[^A-Za-z0-9-]', '-', name)}}}",
            rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
            r"\toprule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table*}",
            "",
        ]
    )


def size_of(letters: int, columns: int) -> str | None:
    """Return the size of letters in which a line of so many letters in so many columns fits; None where none does."""
    width = letters * _LETTER + _GAP * columns
    return next((name for scale, name in _SIZES if scale * width <= TEXT_WIDTH), None)
