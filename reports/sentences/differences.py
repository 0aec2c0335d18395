"""What the forest of differences to the baseline shows, and what the tables of arms and of differences hold."""

from collections.abc import Callable, Sequence

from reports.analysis.contrasts import Contrast
from reports.analysis.threshold import decides
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.wording import counted, level, listed, number, shortened, signed


def forest(findings: Findings, known: Sequence[Contrast]) -> str:
    """Say what a row is, over how many seeds, and that several intervals are not adjusted for their number."""
    base = ", ".join(f"{factor} {level(value)}" for factor, value in findings.study.baseline.items())
    text = (
        f"Each arm minus its baseline ({shortened(base, 60)}), {PRIMARY.difference_label}, with 95 % intervals "
        "paired by seed; left of zero the arm has less error. Exploratory"
    )
    if len(known) > 1:
        text += f": the intervals are not adjusted for their number ({len(known):,} comparisons); Holm's p stands in "
        text += "tables/differences.csv"
    return f"{text}. n={listed(sorted({each.n for each in known}))}."


def one_difference(drawn: Sequence[Contrast]) -> str | None:
    """Tell the only difference; nothing where there are several."""
    return f"One difference, {_words(drawn[0])}." if len(drawn) == 1 else None


def several_differences(drawn: Sequence[Contrast]) -> str | None:
    """Count the differences that are clear by Holm's p, and tell the least and the largest; nothing for one."""
    if len(drawn) < 2:
        return None
    ordered = sorted(drawn, key=lambda each: each.estimate or 0.0)
    clear = sum(decides(each.p_holm) for each in drawn)
    return (
        f"{counted(len(drawn), 'difference')}, {clear or 'none'} of them clear by Holm's p at 5 %; they go from "
        f"{_words(ordered[0])} to {_words(ordered[-1])}, with intervals that are not adjusted."
    )


def _words(each: Contrast) -> str:
    return f"{signed(each.estimate)} [{number(each.low)}, {number(each.high)}] of {shortened(each.arm.name, 60)}"


def largest(shown: int, total: int) -> str | None:
    """Say that the largest differences alone are drawn; nothing where all are."""
    if shown >= total:
        return None
    return f"The {shown} largest of {total:,} differences; tables/differences.csv has them all."


def arms_table(findings: Findings) -> str:
    """Say what the table of arms has."""
    return f"{PRIMARY.title.capitalize()} by arm, in {PRIMARY.unit_in_words}."


def survivors(findings: Findings) -> str | None:
    """Say that means leave out the seeds that failed; nothing without a fail."""
    if not any(summary.n_fail for summary in findings.summaries.values()):
        return None
    return "Mean to maximum are over the seeds that did not fail, so that they leave out the worst."


DIFFERENCES_TABLE = (
    f"Difference in {PRIMARY.title} to the baseline, {PRIMARY.difference_unit_in_words}, with 95 % intervals; "
    "below zero is better."
)

DESCRIPTION = (one_difference, several_differences)
ARMS = (arms_table, survivors)

SENTENCES: dict[str, Callable[..., str | None]] = {
    f"differences.{sentence.__name__}": sentence for sentence in (forest, *DESCRIPTION, largest, *ARMS)
}
