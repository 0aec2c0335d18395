"""What several sections say in the same words: what is shown only in part, and what the baseline is."""

from collections.abc import Callable

from reports.analysis.arms import ArmSummary
from reports.analysis.outliers import LEAST_BY_T
from reports.findings import Findings
from reports.wording import counted, level_owners, levels_in_words, listed, shortened

LONGEST_BASELINE = 60
"""Letters of the baseline's levels in a sentence; the tables have longer ones."""


def cut(shown: int, total: int, noun: str, where: str = "") -> str | None:
    """Say how many are shown and where the others are; nothing where all are shown."""
    if shown >= total:
        return None
    rest = f"; {where} has them all" if where else ""
    return f"The first {shown:,} of {total:,} {noun}{rest}."


def lowest_shown(shown: int, total: int, where: str) -> str | None:
    """Say how many panels are shown, which, and where the others are; nothing where all are shown."""
    if shown >= total:
        return None
    return f"{shown:,} of {total:,} panels, those with the lowest errors; {where} has all arms."


def without_result(arms: int, total: int) -> str | None:
    """Say how many arms a figure leaves out since they have no result; nothing without one."""
    return f"{arms:,} of {counted(total, 'arm')} left out: no result." if arms else None


def bent_axis(is_wide: bool) -> str | None:
    """Say how an axis of errors is scaled where that is not evenly."""
    return "The axis of errors is even up to 1 % and logarithmic above." if is_wide else None


def known(findings: Findings) -> list[ArmSummary]:
    """Return the arms with a result."""
    return [each for each in findings.summaries.values() if each.n]


def all_fail(findings: Findings) -> bool:
    """Whether every seed of every arm with a result failed, so that no two arms can be told apart."""
    return bool(known(findings)) and all(each.n_fail == each.n for each in known(findings))


def hardly_told_apart(n: int) -> str:
    """Return, for the end of a sentence, that so few seeds could hardly tell arms apart; nothing of more of them."""
    return f"; {counted(n, 'seed')} an arm hardly tell any pair apart" if n < LEAST_BY_T else ""


def named_baseline(findings: Findings) -> str:
    """Return the baseline's levels of the factors that vary, in brackets, as arms are named.

    Nothing where they are too long for a sentence, of a search, and where its one level is called the baseline.
    """
    factors = findings.study.factors
    own = {key: value for key, value in findings.study.baseline.items() if len(factors.get(key, ())) > 1}
    name = shortened(levels_in_words(own, level_owners(factors)), LONGEST_BASELINE + 1)
    is_told = 0 < len(name) <= LONGEST_BASELINE and name != "baseline" and not findings.whole.search
    return f" ({name})" if is_told else ""


def split(findings: Findings) -> str:
    """Return how many images are for what, where all arms share it; else that it differs, or is not on record."""
    every = [arm.description.get("images") for arm in findings.arms or findings.whole.arms]
    counts = [each for each in every if each is not None]
    if not counts or len(counts) < len(every):
        return "the sizes of its split not on record"
    if any(each != counts[0] for each in counts):
        return "the sizes of its split differ by arm"
    words = {"training": "for training", "validation": "held out of the training set", "test": "for testing"}
    parts = [f"{counts[0][key]:,} {word}" for key, word in words.items() if counts[0].get(key)]
    first, *others = parts
    return listed([first.replace(" ", " images ", 1), *others])


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"parts.{sentence.__name__}": sentence for sentence in (cut, lowest_shown, without_result, bent_axis)
}
