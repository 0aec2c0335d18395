"""What the forest of differences to the baseline shows, and what the tables of arms and of differences hold."""

from collections.abc import Callable, Mapping, Sequence

from reports.analysis.contrasts import Contrast
from reports.analysis.intervals import is_constant
from reports.analysis.outliers import LEAST_BY_T
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


def drawn_differences(known: Sequence[Contrast], drawn: int, names: Mapping[str, str], alpha: float) -> str:
    """Count the differences, those drawn and those that are clear by Holm's p at `alpha`; tell least and largest."""
    ordered = sorted(known, key=lambda each: each.estimate or 0.0)
    if len(ordered) == 1:
        return f"One difference, {_words(ordered[0], names)}."
    ends = f"{_words(ordered[0], names)} to {_words(ordered[-1], names)}"
    clear = [each for each in known if decides(each.p_holm, alpha)]
    shown = f", {drawn} of them drawn" if drawn < len(known) else ""
    few = any(each.n < LEAST_BY_T and each.test != "sign" for each in clear)
    granted = ", by t tests of few seeds, which take it for granted that no arm has rare outliers" if few else ""
    how_many = _how_many(len(clear), len(known))
    return (
        f"{counted(len(known), 'difference')}{shown}; {how_many} clear by Holm's p at {percent(alpha)}{granted}. "
        f"They go from {ends}, with intervals that are not adjusted."
    )


def _how_many(count: int, total: int) -> str:
    if count == total == 2:
        return "both are"
    return f"{count} are" if count > 1 else "1 is" if count else "none is"


def without_interval(drawn: Sequence[Contrast]) -> str | None:
    """Say how many differences have no interval since every seed has the same; nothing without one."""
    same = sum(is_same_in_every_seed(each) for each in drawn)
    if not same:
        return None
    has, is_ = ("has", "it is") if same == 1 else ("have", "they are")
    return f"{same:,} of the differences {has} no interval: {is_} the same in every seed."


def is_same_in_every_seed(each: Contrast) -> bool:
    """Whether a difference has no interval because all of its seeds agree."""
    has_interval = each.low is not None or each.high is not None
    return each.n > 1 and not has_interval and is_constant(list(each.differences.values()))


def _words(each: Contrast, names: Mapping[str, str]) -> str:
    interval = bracketed(each.low, each.high, signed)
    return f"{signed(each.estimate)}{f' {interval}' if interval else ''} of {shortened(names[each.arm.name], 120)}"


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
    f"differences.{sentence.__name__}": sentence
    for sentence in (forest, drawn_differences, without_interval, survivors)
}
