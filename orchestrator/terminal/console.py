"""The one console that commands print to, and the tables that stay readable on it however narrow it is."""

import os
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

LEAST_WIDTH = 20
NAME_WIDTH = 16
MOST_FRAMED_ROWS = 500
_ANY_WIDTH = 10_000


def make_console() -> Console:
    """Return a console on standard output, of a width that something can be read in.

    A file or a pipe has none of its own: there every name stays on one line, as whoever searches in it expects.
    """
    console = Console()
    columns = os.environ.get("COLUMNS", "")
    if not console.is_terminal and not columns.isdigit():
        console.width = _ANY_WIDTH
    elif console.width < LEAST_WIDTH:
        console.width = LEAST_WIDTH
    return console


def say(console: Console, line: str) -> None:
    """Print one line as it is, however narrow the terminal."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def name_table(names: str) -> Table:
    """Return a table that begins with a column of names, which alone gives way where the terminal is narrow."""
    table = Table(header_style="bold")
    table.add_column(names, overflow="fold")
    return table


def print_table(console: Console, table: Table) -> None:
    """Print a table; its names keep a least width and its numbers all of theirs, though lines may be long then.

    One of very many rows is printed without a frame and with every name on one line: to fit it would take minutes.
    """
    if table.row_count > MOST_FRAMED_ROWS:
        _print_plain(console, table)
        return
    spare = 0
    for column in table.columns:
        if not column.no_wrap:
            cells = (Text.from_markup(str(cell)).cell_len for cell in (column.header, *column.cells))
            longest = max(cells, default=0)
            column.min_width = min(longest, NAME_WIDTH)
            spare += longest - column.min_width
    whole = Measurement.get(console, console.options.update(max_width=_ANY_WIDTH), table).maximum
    width = console.width
    console.width = max(width, whole - spare)
    console.print(table)
    console.width = width


def _print_plain(console: Console, table: Table) -> None:
    columns = [[_plain(cell) for cell in (column.header, *column.cells)] for column in table.columns]
    widths = [max(map(cell_len, cells)) for cells in columns]
    for row in zip(*columns, strict=True):
        cells = zip(row, widths, table.columns, strict=True)
        padded = [_padded(cell, width, column.justify) for cell, width, column in cells]
        console.file.write("  ".join(padded).rstrip() + "\n")


def _padded(text: str, width: int, justify: str) -> str:
    """Return a text as wide as its column; some letters take two places."""
    space = " " * (width - cell_len(text))
    return space + text if justify == "right" else text + space


def _plain(cell: object) -> str:
    text = str(cell)
    return Text.from_markup(text).plain if "[" in text or "\\" in text else text


class PatientPrinter:
    """Prints lines by `print_line` from a thread of its own, so that a reader who does not read holds nobody up."""

    def __init__(self, print_line: Callable[[str], object]) -> None:
        self._print_line = print_line
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="printing", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Print a line soon; return at once."""
        self._lines.put(line)

    def close(self, timeout: float = 2) -> None:
        """Wait until the lines are printed, `timeout` seconds at most."""
        self._lines.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        with suppress(BrokenPipeError):  # the reader is gone, and a trace would tell nobody more
            while (line := self._lines.get()) is not None:
                self._print_line(line)
