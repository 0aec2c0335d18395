"""What the figure of error against a numeric factor shows, and how each line runs."""

from collections.abc import Callable, Sequence

from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.trials import State
from reports.wording import counted, number, shortened

FEWEST_POINTS = 3
"""Of the quantiles that a figure draws of many seeds."""


def points(axis: str, quantiles: int | None) -> str:
    """Say what is drawn, and what a point is: a seed, or one of so many quantiles of them; the fewest are named."""
    what = "A point for each seed"
    if quantiles is not None:
        first = f"{quantiles} quantiles" if quantiles > FEWEST_POINTS else "The lowest, the middle and the highest"
        what = f"{first} of the seeds"
    return f"{PRIMARY.title.capitalize()} against {axis}. {what}, fails included"


def medians(findings: Findings, has_lines: bool) -> str:
    """Say what a line joins where there is one, and where diverged seeds stand where there are some."""
    text = "; the line joins the medians" if has_lines else ""
    diverged = findings.count(State.DIVERGED)
    return f"{text}, a diverged seed ranking last (crosses at the upper edge)." if diverged else f"{text}."


def course(label: str, axis: str, known: Sequence[tuple[float, float]], diverged: int = 0, trials: int = 0) -> str:
    """Tell the medians (level, median) at the ends of one line, and how many trials diverge."""
    parts = []
    if known:
        (first, start), (last, end) = known[0], known[-1]
        text = f"has a median of {number(start)} % at {axis} {first:g}"
        parts.append(text if len(known) == 1 else f"{text} and of {number(end)} % at {last:g}")
    if diverged:
        parts.append(f"diverges in {diverged} of {counted(trials, 'trial')}")
    return f"{shortened(label, 120)} {', and '.join(parts)}."


def table_caption(axis: str) -> str:
    """Say what the table under the figure has."""
    return f"The medians and the seeds by {axis}."


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"depth.{sentence.__name__}": sentence for sentence in (points, medians, course, table_caption)
}
