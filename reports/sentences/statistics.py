"""How the numbers were judged: spread, tests and correction, and what was saved by looking at the seeds in steps."""

from collections.abc import Callable

from reports.analysis.adaptive import saved
from reports.analysis.factors import study_anova
from reports.analysis.judged import Conclusion
from reports.analysis.outliers import unseen_share
from reports.analysis.threshold import ALPHA
from reports.findings import Findings
from reports.sentences import skewness
from reports.sentences.table import has_fails
from reports.wording import counted, duration, listed, number, p_in_words, percent

_TESTS = {
    "paired": "Student's paired t",
    "pooled": "a pooled blocked model",
    "welch": "Welch's t",
    "sign": "an exact sign test",
}


def _counts(findings: Findings) -> list[int]:
    return sorted({summary.n for summary in findings.summaries.values() if summary.n})


def one_seed(findings: Findings) -> str | None:
    """Say what one seed an arm cannot tell, and where the analysis of variance takes its error from if there is one."""
    if _counts(findings) != [1]:
        return None
    text = "With one seed an arm there is no spread, and no interval or test of a difference between two arms"
    anova = study_anova(findings.study)
    if anova is None or not any(each.p is not None for each in anova.effects):
        return f"{text}."
    return f"{text}; the analysis of variance takes the highest interaction of the factors for its error."


def mean_and_spread(findings: Findings) -> str | None:
    """Say what ± is; nothing where no arm has a spread."""
    if not any(summary.n_ok > 1 for summary in findings.summaries.values()):
        return None
    return f"Tables give the mean over the seeds, ± one standard deviation (n={listed(_counts(findings))})."


def survivors(findings: Findings) -> str | None:
    """Say how arms with fails are shown; nothing without a fail beside a number."""
    if not any(summary.n_fail and summary.n_ok for summary in findings.summaries.values()):
        return None
    return (
        "An arm with fails is shown by its fail rate, with Clopper and Pearson's interval; the mean of its other seeds "
        "stands in small print and is compared with nothing, as it leaves out the worst seeds."
    )


def every_seed_failed(findings: Findings) -> str | None:
    """Say that there is no mean at all; nothing once a seed did not fail."""
    counts = _counts(findings)
    if not counts or any(summary.n_ok for summary in findings.summaries.values()):
        return None
    return f"Every seed failed, so that tables give no mean, only the count of fails (n={listed(counts)})."


def tests(findings: Findings) -> str | None:
    """Name the tests of the differences to the baseline and their correction; nothing where no difference has one."""
    known = [each for each in findings.contrasts.values() if each.p is not None]
    if not known or _counts(findings) == [1]:
        return None
    counts = {words: sum(each.test == name for each in known) for name, words in _TESTS.items()}
    used = [f"{words} ({counted(count, 'comparison')})" for words, count in counts.items() if count]
    text = f"Differences to the baseline are taken seed by seed and judged with {listed(used)}"
    if has_interval := any(each.low is not None or each.high is not None for each in known):
        text += "; intervals are at 95 %" if len(known) == 1 else "; intervals are at 95 % each"
    if len(known) == 1:
        return f"{text}."
    every = "both" if len(known) == 2 else f"all {len(known):,}"
    text = f"{text}{',' if has_interval else ''} and Holm's p covers {every} comparisons"
    if findings.alpha == ALPHA:
        return f"{text}."
    half = percent(findings.alpha)
    return f"{text}: one is called clear at {half}, and the comparisons with the lowest arm have the other half of 5 %."


def outliers(findings: Findings) -> str | None:
    """Say what Student's intervals assume and these seeds cannot show; nothing where no difference has such a one."""
    used = [each for each in findings.contrasts.values() if each.test not in (None, "sign")]
    if not used:
        return None
    fewest = min(each.n for each in used)
    return (
        "Student's intervals assume that no arm has rare outliers. Few seeds cannot exclude them: with "
        f"{counted(fewest, 'seed')} one study in twenty shows none even where {100 * unseen_share(fewest):.0f} % of an "
        "arm's trainings are outliers."
    )


def skewed(findings: Findings) -> str | None:
    """Say that arms are skewed, all together or some, which Student's intervals take for granted that they are not."""
    overall = findings.skewness
    if overall is None:
        return skewness.arms(findings)
    return (
        f"Over the seeds the results of the arms are skewed (mean skewness {number(overall.mean)} over "
        f"{counted(overall.arms, 'arm')}, p {p_in_words(overall.p)} were they normal): Student's intervals may be "
        "too narrow, those of single arms and of differences between unlike arms above all."
    )


def sign_test(findings: Findings) -> str | None:
    """Say how fails enter the differences, and the least p of the sign test; nothing where no sign test was used."""
    used = [each for each in findings.contrasts.values() if each.test == "sign"]
    if not used or _counts(findings) == [1]:
        return None
    smallest = min(each.smallest_p for each in used)
    return (
        "In the sign test a fail ranks behind every number; with these seeds it cannot give a p below "
        f"{number(smallest, 4)}."
    )


def fishers_test(findings: Findings) -> str | None:
    """Say that fail rates are compared by another test in the table of arms; nothing where none is compared."""
    if not any(has_fails(findings, each) for each in findings.contrasts.values()):
        return None
    return (
        "Where an arm or its baseline has fails, the table of arms gives Fisher's exact p that their fail rates are "
        "equal, which leaves the pairs of seeds and the number of comparisons out."
    )


def seeds_saved(findings: Findings) -> str | None:
    """Say how many trials the looks saved; nothing without claims, or while one may get more."""
    spared, looks = saved(findings.study), _looks(findings)
    if spared is None or not looks or not findings.verdicts or not _has_outcome(findings) or _open(findings, looks[-1]):
        return None
    whole = looks[-1] * sum(not arm.orphaned for arm in findings.study.arms)
    if not spared.trials:
        seeds = listed(looks[:-1])
        added = f"Seeds were added after the look{'s' if len(looks) > 2 else ''} at {seeds} of them: the"
        return f"{added if seeds else 'The'} claims needed all {counted(whole, 'trial')}."
    time = "" if spared.hours is None else f", about {duration(3600 * spared.hours)} of training"
    return (
        f"Seeds were added only where a claim was undecided, looking at {listed(looks)} of them: "
        f"{counted(whole - spared.trials, 'trial')} instead of {whole:,}, {spared.trials:,} saved{time}."
    )


def seeds_so_far(findings: Findings) -> str | None:
    """Say how many trials are planned so far while a claim is undecided that could still get seeds."""
    spared, looks = saved(findings.study), _looks(findings)
    if spared is None or not looks or not findings.verdicts or not _has_outcome(findings):
        return None
    undecided = _open(findings, looks[-1])
    if not undecided:
        return None
    whole = looks[-1] * sum(not arm.orphaned for arm in findings.study.arms)
    verb = "is" if undecided == 1 else "are"
    return (
        f"Seeds are added only where a claim is undecided, looking at {listed(looks)} of them; so far "
        f"{whole - spared.trials:,} of at most {counted(whole, 'trial')} are planned, and "
        f"{counted(undecided, 'claim')} {verb} undecided before the last look."
    )


def _looks(findings: Findings) -> tuple[int, ...]:
    return findings.study.analysis.looks


def _has_outcome(findings: Findings) -> bool:
    return any(trial.state.is_outcome() for trial in findings.study.trials)


def _open(findings: Findings, last: int) -> int:
    return sum(each.verdict is Conclusion.INCONCLUSIVE and each.n < last for each in findings.verdicts)


SENTENCES: dict[str, Callable[[Findings], str | None]] = {
    "statistics.one_seed": one_seed,
    "mean_and_spread": mean_and_spread,
    "survivors": survivors,
    "every_seed_failed": every_seed_failed,
    "tests": tests,
    "outliers": outliers,
    "skewed": skewed,
    "sign_test": sign_test,
    "fishers_test": fishers_test,
    "seeds_saved": seeds_saved,
    "seeds_so_far": seeds_so_far,
}

STATISTICS = (one_seed, every_seed_failed, mean_and_spread, survivors, tests, outliers, skewed, sign_test, fishers_test)
"""The paragraph on statistics, in order."""
