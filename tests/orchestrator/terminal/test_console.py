"""Tables keep their names on narrow terminals, and their lines whole in files."""

import io
import threading
import time
from functools import partial

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from orchestrator.terminal.console import MOST_FRAMED_ROWS, PatientPrinter, make_console, name_table, print_table, say


def a_table():
    table = name_table("arm")
    for column in ("seed", "state", "epoch", "test %", "train %"):
        table.add_column(column, no_wrap=True)
    table.add_row("variant=original depth=110", "0", "COMPLETE", "10", "68.75", "62.50")
    return table


@pytest.mark.parametrize("width", [20, 50, 79])
def test_a_narrow_terminal_shows_whose_row_it_is_and_every_number(width):
    console = Console(file=io.StringIO(), width=width)
    print_table(console, a_table())
    text = console.file.getvalue()
    for words in ("variant=original", "depth=110", "COMPLETE", "68.75", "62.50"):
        assert words in text
    assert "…" not in text
    assert console.width == width


def test_a_wide_terminal_folds_nothing():
    console = Console(file=io.StringIO(), width=120)
    print_table(console, a_table())
    assert "variant=original depth=110" in console.file.getvalue()


@pytest.mark.parametrize(("columns", "width"), [("0", 20), ("50", 50), (None, 10_000)])
def test_the_width_of_output_that_is_no_terminal(monkeypatch, columns, width):
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setenv("COLUMNS", columns) if columns else monkeypatch.delenv("COLUMNS", raising=False)
    assert make_console().width == width


def test_a_reader_that_does_not_read_holds_nobody_up():
    reads = threading.Event()

    class Stuck(io.StringIO):
        def write(self, text):
            reads.wait(60)
            return len(text)

    printer = PatientPrinter(partial(say, Console(file=Stuck())))
    began = time.monotonic()
    for number in range(3):
        printer.say(f"line {number}")
    printer.close(timeout=0.2)
    assert time.monotonic() - began < 30
    reads.set()


def test_lines_are_printed_in_their_order_before_it_closes():
    console = Console(file=io.StringIO(), width=80)
    printer = PatientPrinter(partial(say, console))
    for number in range(100):
        printer.say(f"[bold]{number}")
    printer.close()
    assert console.file.getvalue().splitlines() == [f"[bold]{number}" for number in range(100)]


def test_a_reader_who_leaves_ends_the_printing_without_a_trace():
    given = []

    def broken(line: str) -> None:
        given.append(line)
        raise BrokenPipeError

    printer = PatientPrinter(broken)  # an error that ended its thread would be a warning, which fails a test
    printer.say("first")
    printer.say("second")
    printer.close()
    assert given == ["first"]


def test_a_table_of_very_many_rows_has_no_frame_and_one_line_a_row():
    console = Console(file=io.StringIO(), width=40)
    table = name_table("arm")
    table.add_column("seed", justify="right")
    for seed in range(MOST_FRAMED_ROWS + 1):
        table.add_row(escape("activation=[bn relu conv] shortcut=identity"), str(seed))
    print_table(console, table)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == MOST_FRAMED_ROWS + 2
    assert lines[0].split() == ["arm", "seed"]
    assert lines[-1] == f"activation=[bn relu conv] shortcut=identity  {MOST_FRAMED_ROWS:>4}"


def test_columns_of_such_a_table_are_in_line_where_letters_take_two_places():
    console = Console(file=io.StringIO(), width=40)
    table = name_table("arm")
    table.add_column("seed", justify="right")
    for seed in range(MOST_FRAMED_ROWS + 1):
        table.add_row("深さ" if seed % 2 else "deep", str(seed % 10))
    print_table(console, table)
    assert {cell_len(line) for line in console.file.getvalue().splitlines()} == {len("deep  seed")}
