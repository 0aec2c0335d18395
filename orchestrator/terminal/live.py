"""Show a study in the terminal: live while it runs, plain lines where there is no terminal, a table at its end."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.records.events import AttemptLost, Event, Notice, TrialEnded
from orchestrator.scheduling.progress import Progress, TrialProgress, duration
from orchestrator.terminal.console import PatientPrinter, say
from reports.trials import Epoch, State
from reports.wording import counted

MARKS = {
    State.WAITING: Text("·", "dim"),
    State.RUNNING: Text("▸", "cyan"),
    State.COMPLETE: Text("●", "green"),
    State.DIVERGED: Text("▲", "yellow"),
    State.PRUNED: Text("◌", "dim"),
    State.FAILED: Text("✗", "red"),
}
MOST_ARMS = 30
MOST_MARKS = 25
MOST_RUNNING = 16
MOST_NOTICES = 5


class Display(Protocol):
    """Shows events as they are recorded."""

    def __call__(self, event: Event) -> None:
        """Show one event."""


@contextmanager
def shown(progress: Progress, console: Console) -> Iterator[Display]:
    """Show `progress` for the duration of the block: a live picture on a terminal, else a line a trial."""
    if not console.is_terminal:
        printer = PatientPrinter(partial(say, console))
        try:
            yield PlainDisplay(progress, printer.say)
        finally:
            printer.close()
        return
    display = LiveDisplay(progress)
    with Live(display, console=console, refresh_per_second=4, transient=True):
        yield display


class PlainDisplay:
    """Prints one line for every trial that ends, and for every attempt that was lost."""

    def __init__(self, progress: Progress, print_line: Callable[[str], None]) -> None:
        self._progress = progress
        self._print = print_line

    def __call__(self, event: Event) -> None:
        """Print the line of a trial that ended."""
        trial = self._progress.update(event)
        if isinstance(event, Notice):
            self._print(event.text)
        if trial is None:
            return
        name = f"{trial.planned.arm.name} seed={trial.planned.seed}"
        if isinstance(event, TrialEnded):
            count = f"[{_count(self._progress)}]"
            rest = "".join(f"; {left}" for left in _left(self._progress))
            self._print(f"{count} {name}: {_result(trial)}{rest}")
        elif isinstance(event, AttemptLost):
            self._print(f"{name}: {event.reason}; it will be tried again")


class LiveDisplay:
    """A picture of the study: arms by seeds, the running trials, and the time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._notices: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take in one event; the picture is drawn by the clock."""
        self._progress.update(event)
        if isinstance(event, Notice):
            self._notices.append(event.text)

    def __rich__(self) -> RenderableType:
        """Draw the study as it stands."""
        trials = list(self._progress.trials.values())
        notices = Text("\n".join(self._notices[-MOST_NOTICES:]), "yellow")
        return Group(_arms(trials), _running(trials), self._summary(), *([notices] if self._notices else []))

    def _summary(self) -> RenderableType:
        progress = self._progress
        counts = ", ".join(f"{count} {state.lower()}" for state, count in sorted(progress.counts().items()))
        line = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=max(progress.total, 1), completed=progress.finished, width=30)
        line.add_row(bar, ", ".join([counts, *_left(progress)]))
        return line


def _count(progress: Progress) -> str:
    """Return "3/8", or "3 of at most 8" where a search may propose more trials than are known."""
    between = " of at most " if progress.is_open else "/"
    return f"{progress.finished:,}{between}{progress.total:,}"


def _left(progress: Progress) -> list[str]:
    """Return "about 20 s left", or how much at most where a search may propose further trials; nothing at the end."""
    left = progress.seconds_left()
    return [f"{'at most ' if progress.is_open else ''}about {duration(left)} left"] if left else []


def _arms(trials: list[TrialProgress]) -> RenderableType:
    by_arm: dict[str, list[TrialProgress]] = {}
    for trial in trials:
        by_arm.setdefault(trial.planned.arm.name, []).append(trial)
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("arm")
    table.add_column("seeds")
    table.add_column("error %", justify="right")
    for name, members in sorted(by_arm.items(), key=lambda each: _rank(each[1]))[:MOST_ARMS]:
        last = [_error(trial.last)[1] for trial in members if trial.state is State.COMPLETE]
        errors = [error for error in last if error is not None]
        table.add_row(escape(name), _marks(members), f"{sum(errors) / len(errors):.2f}" if errors else "")
    if len(by_arm) > MOST_ARMS:
        table.add_row(f"... and {counted(len(by_arm) - MOST_ARMS, 'more arm')}", "", "")
    return table


def _rank(members: list[TrialProgress]) -> int:
    """Return where an arm is shown: those in training first, then those that wait, then those that are finished."""
    states = {trial.state for trial in members}
    return 0 if State.RUNNING in states else 1 if any(not state.is_finished() for state in states) else 2


def _marks(members: list[TrialProgress]) -> Text:
    """Return a mark for each seed, or where they are many a number for each state."""
    if len(members) <= MOST_MARKS:
        return Text(" ").join(MARKS[trial.state] for trial in members)
    counts = Counter(trial.state for trial in members)
    return Text("  ").join(Text(f"{counts[state]} ") + mark for state, mark in MARKS.items() if counts[state])


def _running(trials: list[TrialProgress]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    running = [each for each in trials if each.state is State.RUNNING]
    for trial in running[:MOST_RUNNING]:
        last = trial.last
        known = _error(last)[1]
        error = "" if known is None else f"{known:.2f} %"
        epoch = f"epoch {last.epoch if last else 0}/{trial.epochs}"
        table.add_row(MARKS[State.RUNNING], f"{escape(trial.planned.arm.name)} seed={trial.planned.seed}", epoch, error)
    if len(running) > MOST_RUNNING:
        table.add_row("", f"... and {len(running) - MOST_RUNNING} more in training", "", "")
    return table


def _result(trial: TrialProgress) -> str:
    last, seconds = trial.last, f", {duration(trial.seconds)}" if trial.seconds is not None else ""
    kind, error = _error(last)
    if trial.state is State.COMPLETE and last is not None and error is not None:
        return f"{kind} error {error:.2f} % after {counted(last.epoch, 'epoch')}{seconds}"
    return f"{trial.state}{f' ({trial.reason})' if trial.reason else ''}{seconds}"


def _error(last: Epoch | None) -> tuple[str, float | None]:
    """Return which error to show, and the error: whoever watches a search must not select by the test set either."""
    if last is None:
        return "test", None
    return ("test", last.test_error) if last.val_error is None else ("validation", last.val_error)
