"""What the learning curves show: what is drawn, what a band is, where a seed diverged, where each line ends."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from reports.analysis.curves import BAND_FROM
from reports.findings import Findings
from reports.sentences import skewness
from reports.trials import State
from reports.wording import counted, listed, number, shortened

CURVES_TABLE = "The curves at the first epoch, the quarters and the last; data/curves.csv has every epoch."
SHARED_LINES = "A line that several panels draw stands in the first of them."
ARMS_TABLE = "The single arms at the first epoch, the quarters and the last; data/curves.csv has every epoch."


def lines(findings: Findings) -> str:
    """Say what the lines are, and their band where an arm has several seeds that did not fail."""
    most = max((summary.n_ok for summary in findings.summaries.values()), default=0)
    text = "Error by epoch: test solid, training dashed"
    if findings.fails() and not most:
        return f"{text}."
    text += "; the mean over the seeds that did not fail" if findings.fails() else "; the mean over the seeds"
    if most >= BAND_FROM:
        least = min((summary.n_ok for summary in findings.summaries.values() if summary.n_ok), default=most)
        below = f" (below {BAND_FROM} seeds: the lowest and the highest seed)" if least < BAND_FROM else ""
        return f"{text}, with its pointwise 95 % interval{below}."
    return f"{text}, in a band from the lowest seed to the highest." if most > 1 else f"{text}."


def narrow(findings: Findings) -> str | None:
    """Say that bands may be too narrow; nothing where they are no intervals, or no seed shows it."""
    most = max((summary.n_ok for summary in findings.summaries.values()), default=0)
    return skewness.arms(findings) if most >= BAND_FROM else None


def failed(findings: Findings) -> str | None:
    """Say how failed seeds are drawn, and what a cross marks where one diverged; nothing without a fail."""
    if not findings.fails():
        return None
    text = "Failed seeds are drawn thin, one by one"
    diverged = any(trial.state is State.DIVERGED and trial.curve for trial in findings.asked)
    return f"{text}; a cross marks where a seed diverged." if diverged else f"{text}."


def without_epoch(arms: int, total: int) -> str | None:
    """Say how many arms have no curve, since no trial of theirs has ended an epoch; nothing without one."""
    return f"{arms:,} of {counted(total, 'arm')} left out: no trial has ended an epoch." if arms else None


def drops(epochs: Sequence[int]) -> str | None:
    """Say what the dotted lines are; nothing where the learning rate is not cut."""
    return f"Dotted vertical lines: the learning rate drops (epoch {listed(epochs)})." if epochs else None


def single_arms(arms: Mapping[str, str]) -> str:
    """Name the arms that are drawn one by one, each with why it is."""
    words = listed([role if name == "baseline" else f"{role} ({name})" for role, name in arms.items()])
    return f"Error by epoch of single arms: {words}. Test solid, training dashed."


def ends(lines: Sequence[tuple[str, float, float, int]], failed: Sequence[str]) -> str:
    """Tell where each line (label, test error, training error, epochs) ends, and how many seeds of an arm failed."""
    told = [
        f"{label} ends at {number(test)} % test and {number(train)} % training error after {counted(epochs, 'epoch')}"
        for label, test, train, epochs in lines
    ]
    counts = Counter(failed)
    told += [f"{counted(count, 'failed seed')} of {shortened(name, 120)}" for name, count in counts.items()]
    return "; ".join(told) + "."


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"curves.{sentence.__name__}": sentence
    for sentence in (
        lines,
        narrow,
        failed,
        without_epoch,
        drops,
        single_arms,
        ends,
    )
}
