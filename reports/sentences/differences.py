"""What the forest of differences to the baseline shows, and what the tables of arms and of differences hold."""

from collections.abc import Callable, Mapping, Sequence

from reports.analysis.contrasts import Contrast
from reports.analysis.threshold import decides
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.sentences.parts import named_baseline
from reports.sentences.table import has_fails
from reports.wording import bracketed, counted, listed, percent, shortened, signed


def forest(findings: Findings, known: Sequence[Contrast], drawn: int) -> str:
    """Say what a row is, over how many seeds, that several intervals are not adjusted, and which are drawn."""
    text = (
        f"Each arm minus its baseline{named_baseline(findings)}, {PRIMARY.difference_label}, with 95 % intervals "
        "paired by seed; left of zero the arm has less error. Exploratory"
    )
    if len(known) > 1:
        text += f": the intervals are not adjusted for their number ({len(known):,} comparisons); Holm's p stands in "
        text += "tables/differences.csv"
    text = f"{text}. n={listed(sorted({each.n for each in known}))}."
    if drawn < len(known):
        rest = ", fail rates that differ first" if any(has_fails(findings, each) for each in known) else ""
        text += f" Shown are the {drawn} largest of {len(known):,} differences{rest}; the file has them all."
    return text


def drawn_differences(drawn: Sequence[Contrast], names: Mapping[str, str], alpha: float) -> str:
    """Count the differences that are clear by Holm's p at `alpha`, and tell the least and the largest."""
    ordered = sorted(drawn, key=lambda each: each.estimate or 0.0)
    if len(ordered) == 1:
        return f"One difference, {_words(ordered[0], names)}."
    ends = f"{_words(ordered[0], names)} to {_words(ordered[-1], names)}"
    clear = sum(decides(each.p_holm, alpha) for each in drawn)
    return (
        f"{counted(len(drawn), 'difference')}, {clear or 'none'} of them clear by Holm's p at {percent(alpha)}; "
        f"they go from {ends}, with intervals that are not adjusted."
    )


def _words(each: Contrast, names: Mapping[str, str]) -> str:
    return f"{signed(each.estimate)} {bracketed(each.low, each.high, signed)} of {shortened(names[each.arm.name], 120)}"


def survivors(findings: Findings) -> str | None:
    """Say that means leave out the seeds that failed; nothing without a fail."""
    if not any(summary.n_fail for summary in findings.summaries.values()):
        return None
    return "Mean to maximum are over the seeds that did not fail, so that they leave out the worst."


ARMS_TABLE = f"{PRIMARY.title.capitalize()} by arm, in {PRIMARY.unit_in_words}."
DIFFERENCES_TABLE = (
    f"Difference in {PRIMARY.title} to the baseline, {PRIMARY.difference_unit_in_words}, with 95 % intervals; "
    "below zero is better."
)


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"differences.{sentence.__name__}": sentence for sentence in (forest, drawn_differences, survivors)
}
