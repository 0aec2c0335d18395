"""What the captions and notes of the main table claim: what its numbers are, what is bold, what is left out."""

from collections.abc import Callable, Sequence

from reports.analysis.contrasts import Contrast
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.ranking import Ranking, rankings
from reports.sentences import skewness
from reports.sentences.parts import hardly_told_apart, named_baseline
from reports.wording import counted, number, percent, shortened

_BY_ARM = f"{PRIMARY.title} by arm, in {PRIMARY.unit_in_words}"


def states_n(n: int, n_fail: int) -> bool:
    """Whether the text of an arm says by itself over how many seeds it is: "(n=1)", "fail (1/5)", or no result."""
    return n < 2 or n_fail > 0


def usual_n(findings: Findings) -> int | None:
    """Return the n of most arms whose text does not say it, the larger of two as common; None before a result."""
    known = [summary for summary in findings.summaries.values() if summary.n]
    counts = [each.n for each in known if not states_n(each.n, each.n_fail)] or [each.n for each in known]
    return max(set(counts), key=lambda n: (counts.count(n), n), default=None)


def no_result(findings: Findings) -> str | None:
    """Say that the table is empty."""
    is_empty = usual_n(findings) is None
    return f"Mean {_BY_ARM}. No trial has a result yet." if is_empty else None


def one_seed(findings: Findings) -> str | None:
    """Say that there is no spread, where no arm has two seeds."""
    known = any(summary.n_ok for summary in findings.summaries.values())
    if not known or any(summary.n_ok > 1 for summary in findings.summaries.values()):
        return None
    return f"{_BY_ARM.capitalize()}; no arm has two seeds with a test error, hence no spread and no interval."


def mean_and_spread(findings: Findings) -> str | None:
    """Say what the number and its ± are, where an arm has several seeds."""
    usual = usual_n(findings)
    if usual is None or all(summary.n_ok < 2 for summary in findings.summaries.values()):
        return None
    return f"Mean {_BY_ARM}; ± is 1 SD over the seeds (n={usual} unless stated)."


def every_seed_failed(findings: Findings) -> str | None:
    """Say that there is no mean, where no seed has a sound error."""
    known = [summary for summary in findings.summaries.values() if summary.n]
    if not known or any(summary.n_ok for summary in known):
        return None
    return f"{PRIMARY.title.capitalize()} by arm; every seed failed, so that no arm has a mean."


def difference(findings: Findings) -> str | None:
    """Say what Δ is, where the table has one."""
    known = [each for each in findings.contrasts.values() if each.estimate is not None]
    shown = [each for each in known if not has_fails(findings, each)]
    if not shown:
        return None
    has_interval = any(each.low is not None or each.high is not None for each in shown)
    interval = " with its 95 % interval" if has_interval else ""
    return f"Δ is the difference to the baseline{named_baseline(findings)} in points{interval}, paired by seed."


def has_fails(findings: Findings, contrast: Contrast) -> bool:
    """Whether the arm or the baseline of a contrast has a fail, so that their means are not compared."""
    return any(findings.summaries[arm.name].n_fail for arm in (contrast.arm, contrast.baseline))


def fail_rule(findings: Findings) -> str | None:
    """Say what a fail is and how arms with fails are shown, where there are some."""
    if not findings.fails():
        return None
    above = findings.study.fail_above
    rule = "diverged" if above is None else f"diverged or ended above {above:g} {PRIMARY.unit} {PRIMARY.title}"
    text = f"fail (k/n): k of n seeds {rule}"
    if any(has_fails(findings, each) for each in findings.contrasts.values()):
        text += (
            "; Δ then has its count against the baseline's, with Fisher's exact p of equal rates, which is uncorrected"
        )
    return f"{text}."


def below_fails(findings: Findings) -> str | None:
    """Say what stands in small print below a fail rate, where there is one."""
    if not findings.fails():
        return None
    text = "Below a fail rate stands its 95 % interval"
    if any(summary.n_fail and summary.n_ok for summary in findings.summaries.values()):
        text += ", and the mean of the other seeds, which leaves out the worst"
    return f"{text}."


def bold_rule(findings: Findings) -> str | None:
    """Say what is bold, where anything is."""
    ranked = rankings(findings)
    if not ranked.groups:
        return None
    left_out = any(each.n_fail or each.n == 1 for each in findings.summaries.values())
    rest = " of those with several seeds and no fail" if left_out else ""
    so_far = ", so far" if any(not each.n for each in findings.summaries.values()) else ""
    return f"Bold: the lowest mean {ranked.where}{rest}{so_far}."


def undecided(findings: Findings) -> str | None:
    """Say how many arms cannot be told from the lowest, where there are some."""
    groups = rankings(findings).groups
    count, others = sum(each.alike for each in groups), sum(len(each.others) for each in groups)
    if not count:
        return None
    where = f" {rankings(findings).where}" if len(groups) > 1 else ""
    some, at = _alike(count, others, " arms"), percent(findings.alpha)
    few = hardly_told_apart(min(each.lowest.n for each in groups))
    return f"{some} from the lowest{where} (paired t at {at}, corrected for all pairs){few}."


def _alike(count: int, others: int, noun: str = "") -> str:
    """Say how many of the other arms cannot be told apart."""
    if others == 1:
        return f"The other{noun.removesuffix('s') or ' one'} {'cannot' if count else 'can'} be told apart"
    if not count:
        return f"{'Both other' if others == 2 else f'All of the other {others:,}'}{noun or ' ones'} can be told apart"
    if count == others:
        return f"{'Neither' if others == 2 else 'None'} of the other {others:,}{noun} can be told apart"
    return f"{count:,} of the other {others:,}{noun} cannot be told apart"


def equivalent(findings: Findings) -> str | None:
    """Say what ≈ marks, where it marks an arm."""
    if not any(each.equivalent for each in rankings(findings).groups):
        return None
    within = f"{findings.study.analysis.equivalent_within:g} points"
    at = percent(findings.alpha)
    return f"≈: shown to lie within {within} of the lowest (two one-sided tests at {at}, corrected in the same way)."


def flops(findings: Findings) -> str | None:
    """Say what a FLOP is, where they are known."""
    if not any(arm.flops is not None for arm in findings.arms):
        return None
    return "FLOPs are multiply-adds of one image, each counted once."


def orphans(findings: Findings) -> str | None:
    """Say how many arms the study file no longer has."""
    count = sum(arm.orphaned for arm in findings.study.arms)
    if not count:
        return None
    return f"{counted(count, 'arm')} no longer in the study file: left out here, kept under Trials."


LOWEST_TABLE = "The arms of the figure, none of which has a fail; tables/arms.csv has all."


def lowest_arms(shown: int, total: int, where: str, has_baseline: bool, ranking: Ranking, alpha: float) -> str:
    """Say which arms the figure of the lowest has, what its marks are, and how many cannot be told from the lowest."""
    first = "" if shown + has_baseline == total else f"the {shown} lowest of "
    return (
        f"{PRIMARY.title.capitalize()} by arm, {first}{counted(total, 'arm')}{where}"
        f"{', and the baseline' if has_baseline else ''}. "
        "A mark is a seed, the bar is their mean; the numbers are mean ± 1 SD. "
        f"{_alike(ranking.alike, len(ranking.others))} from the lowest "
        f"(paired t at {percent(alpha)}, corrected for all pairs)"
        f"{hardly_told_apart(ranking.lowest.n) if ranking.alike else ''}."
    )


def lowest_to_highest(ends: Sequence[tuple[float | None, str]]) -> str:
    """Tell the first and the last arm of the figure with their means."""
    return f"From {' to '.join(f'{number(mean)} % of {shortened(name, 60)}' for mean, name in ends)}."


def paper_difference(findings: Findings, has_differences: bool) -> str | None:
    """Say what Δ and its star are in the LaTeX table; nothing where the table has no difference."""
    if not has_differences:
        return None
    base = f"the baseline{named_baseline(findings)}"
    return f"Δ: difference to {base} in points; * where Holm's p is at most {findings.alpha:g}."


def narrow(findings: Findings) -> str | None:
    """Say that intervals may be too narrow, of arms or of their differences; nothing where no seed shows it."""
    shown = [each for each in findings.contrasts.values() if not has_fails(findings, each)]
    return skewness.arms(findings) or skewness.differences(shown)


MEASURE = (no_result, one_seed, mean_and_spread, every_seed_failed)
CAPTION = (*MEASURE, difference, narrow, bold_rule, undecided, equivalent)
NOTES = (fail_rule, below_fails, flops, orphans)

SENTENCES: dict[str, Callable[..., str | None]] = {
    f"table.{sentence.__name__}": sentence
    for sentence in (*CAPTION, *NOTES, lowest_arms, lowest_to_highest, paper_difference)
}
