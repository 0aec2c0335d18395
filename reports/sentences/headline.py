"""The headline: the declared claims, the arm with the lowest error, what differs from the baseline, what fails.

Whatever is said to differ does so after a correction for all comparisons of the study: in a study whose arms are all
alike, the chance that any difference is named is at most 5 %.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from reports.analysis.arms import ArmSummary
from reports.analysis.badges import FEW, NARROW
from reports.analysis.contrasts import Contrast
from reports.analysis.factors import study_anova
from reports.analysis.judged import Conclusion
from reports.analysis.outliers import LEAST_BY_T
from reports.analysis.search import searched
from reports.analysis.threshold import ALPHA, decides
from reports.analysis.verdicts import NOT_JUDGED, word_counts
from reports.findings import Findings
from reports.layout import name_levels
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.ranking import Ranking, rank
from reports.sentences.baseline import better, compared, none_clear, worse
from reports.sentences.factors import largest
from reports.sentences.parts import all_fail, hardly_told_apart, known
from reports.sentences.progress import some_done
from reports.sentences.samplers import replayed
from reports.sentences.search import front_ends, tried
from reports.trials import Arm
from reports.wording import counted, listed, number, percent, shortened

SHORT_NAME = 40
MOST_NAMED = 4
SURE = ALPHA / 1000
"""The level at which a factor is named, by its analysis of variance: so strict that the 5 % above stay."""


@dataclass(frozen=True)
class RankedGroup:
    """The arms that are ranked, under the names that tell them apart; `where` is the level they share, or ""."""

    where: str
    summaries: tuple[ArmSummary, ...]
    names: Mapping[str, str]

    @property
    def failing(self) -> tuple[ArmSummary, ...]:
        """Return the arms with a fail, the highest rate first."""
        return tuple(sorted((each for each in self.summaries if each.n_fail), key=lambda each: -(each.fail_rate or 0)))


def group_of(findings: Findings) -> RankedGroup:
    """Return the arms that are ranked: those at the last level of the axis with several results, or all."""
    where, arms = _ranked(findings)
    summaries = tuple(summary for arm in arms if (summary := findings.summaries[arm.name]).n)
    names = {arm: "the baseline" if name == "baseline" else name for arm, name in arm_names(findings, arms).items()}
    return RankedGroup(where, summaries, names)


def _ranked(findings: Findings) -> tuple[str, tuple[Arm, ...]]:
    layout = findings.layout
    if layout.axis and layout.runs_along_axis() and len(layout.arms_at(layout.positions[-1])) > 1:
        for position in reversed(layout.positions):
            arms = layout.arms_at(position)
            if sum(findings.summaries[arm.name].n > 0 for arm in arms) > 1:
                return shortened(name_levels([(layout.axis, position)]), SHORT_NAME), arms
    return "", findings.arms


# ---- claims ----


def claims(findings: Findings) -> str | None:
    """Count the verdicts of the declared claims; nothing without claims."""
    if not findings.verdicts:
        return None
    counts = word_counts(findings.verdicts)
    total = len(findings.verdicts)
    if len(counts) == 1:
        return f"{_all_claims(total, next(iter(counts)))}."
    parts = [f"{count} {'is' if count == 1 else 'are'} {word}" for word, count in counts.items()]
    return f"Of {counted(total, 'declared claim')}, {listed(parts)}."


def _all_claims(total: int, word: str) -> str:
    """Say one word of all declared claims."""
    if total == 1:
        return f"The declared claim is {word}"
    if word == NOT_JUDGED.lower():
        none = "Neither of the 2" if total == 2 else f"None of the {total:,}"
        return f"{none} declared claims is judged yet"
    return f"{'Both' if total == 2 else f'All {total:,}'} declared claims are {word}"


def left_open(findings: Findings) -> str | None:
    """Say why claims are inconclusive that their seeds alone would decide; nothing where there are none."""
    undecided = [each for each in findings.verdicts if each.verdict is Conclusion.INCONCLUSIVE and not each.is_pending]
    alpha = findings.study.analysis.alpha
    few = [each for each in undecided if FEW in each.badges]
    among = [each for each in undecided if each not in few and each.p_holm is not None and decides(each.p_look, alpha)]
    parts = []
    if few:
        has = "has" if len(few) == 1 else "have"
        parts.append(f"{_of_inconclusive(len(few), len(undecided))} {has} too few seeds for a t test alone")
    if among:
        itself = "itself" if len(among) == 1 else "themselves"
        of_them = _of_inconclusive(len(among), len(undecided))
        parts.append(f"{of_them} would be decided by {itself}, but not among all claims")
    return " ".join(f"{part}." for part in parts) or None


def _of_inconclusive(count: int, total: int) -> str:
    if total == 1:
        return "The inconclusive claim"
    if count == total:
        return f"{'Both' if total == 2 else f'All {total:,}'} inconclusive claims"
    return f"Of the {total:,} inconclusive claims, {count:,}"


# ---- before there is anything to rank ----


def unfinished(findings: Findings) -> str | None:
    """Say how many trials have a result; nothing before the first, or once all have one."""
    return some_done(findings) if _has_results(findings) else None


def no_result(findings: Findings) -> str | None:
    """Say that nothing is known yet; nothing once a trial has a result, or a search has tried an arm."""
    has_tried = any(arm.error is not None for arm in searched(findings.whole))
    return "No trial has a result yet." if not _has_results(findings) and not has_tried else None


def only_arm(findings: Findings) -> str | None:
    """Say what the only arm with a result has; nothing where several have one, or it failed."""
    group = group_of(findings)
    if len(group.summaries) != 1 or group.summaries[0].n_fail:
        return None
    (summary,) = group.summaries
    name = "The only arm" if len(group.names) == 1 else f"The only arm with a result, {group.names[summary.arm.name]},"
    return f"{name} has a {PRIMARY.title} of {error_of(summary)}."


# ---- the ranking ----


def lowest(findings: Findings) -> str | None:
    """Name the lowest mean and how many arms cannot be told from it; nothing unless two arms can be compared.

    Compared are the arms with several seeds and no fail: the mean of the seeds that survive is no arm's error.
    """
    group = group_of(findings)
    ranking = _ranking(findings, group)
    if ranking is None:
        return None
    among = "of the arms without a fail " if group.failing else ""
    name = group.names[ranking.lowest.arm.name]
    first = f"the lowest mean {PRIMARY.title} {among}is that of {name}, {error_of(ranking.lowest)}"
    others, same = len(ranking.others), ranking.alike
    sound = " without a fail" if group.failing else " with a result" if len(group.summaries) < len(group.names) else ""
    if others == 1:
        rest = f"the other arm{sound} {'cannot be told apart from it' if same else 'has more'}"
    elif same == others:
        rest = f"{'neither' if others == 2 else 'none'} of the other {others:,}{sound} can be told apart from it"
    elif same:
        rest = f"{same:,} of the other {others:,}{sound} cannot be told apart from it"
    else:
        rest = f"{'both others' if others == 2 else f'all of the other {others:,}'}{sound} have more"
    at = "" if findings.alpha == ALPHA else f" at {percent(findings.alpha)}"
    beside = "exploratory, beside the claims: " if findings.verdicts else ""
    few = hardly_told_apart(ranking.lowest.n) if same else ""
    return _at(group.where, f"{first}; {rest} ({beside}paired t{at}, corrected for all pairs){few}.")


def lowest_of_all(findings: Findings) -> str | None:
    """Name the lowest mean where it is at another level of the axis than the arms that are ranked."""
    group = group_of(findings)
    ranking = _ranking(findings, group)
    if ranking is None or not group.where:
        return None
    comparable = [each for each in findings.summaries.values() if each.is_comparable]
    least = min(comparable, key=lambda each: each.mean or 0.0)
    if (least.mean or 0.0) >= (ranking.lowest.mean or 0.0):
        return None
    name = arm_names(findings)[least.arm.name]
    sound = " without a fail" if any(each.n_fail for each in findings.summaries.values()) else ""
    return f"Of all {len(comparable):,} arms{sound} the lowest mean is that of {name}, {error_of(least)}."


def _ranking(findings: Findings, group: RankedGroup) -> Ranking | None:
    return rank(group.summaries, findings.pairs, alpha=findings.alpha)


def one_seed(findings: Findings) -> str | None:
    """Name the lowest error of arms with one seed each, which no test can compare."""
    group = group_of(findings)
    sound = sorted((each for each in group.summaries if each.n_ok), key=lambda each: each.mean or 0.0)
    if len(group.summaries) < 2 or not sound or any(each.n > 1 for each in group.summaries):
        return None
    name = group.names[sound[0].arm.name]
    text = f"the lowest {PRIMARY.title} seen is {number(sound[0].mean)} {PRIMARY.unit} ({name})"
    return _at(group.where, f"{text}; with one seed an arm it cannot be told what is chance.")


def fails(findings: Findings) -> str | None:
    """Name the arms with fails, their rate and its exact interval; nothing where no ranked arm failed."""
    group = group_of(findings)
    if not group.failing:
        return None
    with_result = known(findings)
    if len(with_result) > 1 and all_fail(findings):
        trials = sum(each.n for each in with_result)
        arms = f"All {len(with_result):,} arms{_limited(len(with_result), findings.summaries)}"
        return f"{arms} fail in every seed: {trials:,} of {trials:,} trials."
    most = MOST_NAMED if all(len(name) <= SHORT_NAME for name in group.names.values()) else 2
    alike: dict[tuple[int, int], list[ArmSummary]] = {}
    for each in group.failing:
        alike.setdefault((each.n_fail, each.n), []).append(each)
    parts = [
        f"{listed((group.names[each.arm.name] for each in same), most)} {'fails' if len(same) == 1 else 'fail'} in "
        f"{k} of {counted(n, 'seed')}{_rate(same[0])}"
        for (k, n), same in alike.items()
    ]
    ranked = len(group.summaries)
    among = f"at {group.where}" if group.where else f"of {counted(ranked, 'arm')}{_limited(ranked, group.names)}"
    return f"{among[0].upper()}{among[1:]}, {listed(parts, MOST_NAMED)}."


def _rate(summary: ArmSummary) -> str:
    if summary.fail_low is None or summary.fail_high is None:
        return ""
    return f" (95 % interval of the rate {100 * summary.fail_low:.0f} to {100 * summary.fail_high:.0f} %)"


# ---- what explains the differences ----


def factor(findings: Findings) -> str | None:
    """Name what explains most of the variance between arms; nothing of one factor, or where its effect is not sure."""
    several = sum(len(levels) > 1 for levels in findings.study.factors.values()) > 1
    anova = study_anova(findings.study) if several and findings.shares is not None else None
    if anova is None or findings.shares is None:
        return None
    first = max(findings.shares.shares, key=lambda each: each.corrected).term
    is_sure = any(each.term == first and decides(each.p, SURE) for each in anova.effects)
    return largest(findings.shares) if is_sure else None


# ---- what few seeds leave open ----


def _named(findings: Findings) -> list[Contrast]:
    """Return the differences to the baseline that are named beside no claim."""
    differences = compared(findings) if not findings.verdicts else None
    return [*differences.better[:1], *differences.worse[:1]] if differences else []


def few_seeds(findings: Findings) -> str | None:
    """Say what a named difference assumes where its seeds are too few to show it; nothing where none is named."""
    ranking = _ranking(findings, group_of(findings))
    seeds = [each.n for each in _named(findings)]
    if ranking is not None and ranking.different:
        seeds.append(ranking.lowest.n)
    few = [n for n in seeds if n < LEAST_BY_T]
    if not few:
        return None
    return f"This assumes that no arm has rare outliers, which {counted(min(few), 'seed')} would not show."


def narrow(findings: Findings) -> str | None:
    """Say that a named difference rests on seeds that are seen to be skewed or unlike; nothing where none is named."""
    ranking = _ranking(findings, group_of(findings))
    apart = {ranking.lowest.arm.name, *ranking.different} if ranking is not None and ranking.different else set()
    is_seen = any(not NARROW.isdisjoint(each.badges) for each in _named(findings)) or not apart.isdisjoint(
        findings.skewed_arms
    )
    if not is_seen and not (apart and findings.skewness is not None):
        return None
    return "The seeds of these arms are skewed or unlike in spread, so that the test may find too much."


# ---- shared ----


def error_of(summary: ArmSummary) -> str:
    """Return "1.94 ± 0.40 % (n=3)", the error of an arm without fails."""
    spread = "" if summary.sd is None else f" ± {number(summary.sd)}"
    return f"{number(summary.mean)}{spread} % (n={summary.n_ok})"


def _at(where: str, text: str) -> str:
    return f"At {where}, {text}" if where else f"{text[0].upper()}{text[1:]}"


def _limited(known: int, arms: Collection[str]) -> str:
    return " with a result" if known < len(arms) else ""


def _has_results(findings: Findings) -> bool:
    return any(summary.n for summary in findings.summaries.values())


SENTENCES: dict[str, Callable[[Findings], str | None]] = {
    "unfinished": unfinished,
    "claims": claims,
    "left_open": left_open,
    "fails": fails,
    "no_result": no_result,
    "replayed": replayed,
    "tried": tried,
    "front_ends": front_ends,
    "only_arm": only_arm,
    "factor": factor,
    "better": better,
    "worse": worse,
    "none_clear": none_clear,
    "lowest": lowest,
    "lowest_of_all": lowest_of_all,
    "one_seed": one_seed,
    "few_seeds": few_seeds,
    "narrow": narrow,
}
"""In the order in which the head of the page says them."""


def headline(findings: Findings) -> tuple[str, ...]:
    """Return what the head of the page says; where the differences are judged by claims, those come first and alone.

    Where every seed of every arm failed, that comes before all else.
    """
    left_out = {"better", "worse", "none_clear", "factor"} if findings.verdicts else set()
    names = sorted(SENTENCES, key=lambda name: name != "fails") if all_fail(findings) else list(SENTENCES)
    said = (SENTENCES[name](findings) for name in names if name not in left_out)
    return tuple(filter(None, said))
