"""The headline: the declared claims, the arm with the lowest error, what differs from the baseline, what fails.

Whatever is said to differ does so after a correction for all comparisons of the study: in a study whose arms are all
alike, the chance that any difference is named is at most 5 %.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from reports.analysis.arms import ArmSummary
from reports.analysis.badges import SKEWED
from reports.analysis.contrasts import Contrast
from reports.analysis.outliers import LEAST_BY_T
from reports.analysis.power import smallest_paired
from reports.analysis.search import searched
from reports.analysis.threshold import ALPHA
from reports.analysis.verdicts import NOT_JUDGED, word_counts
from reports.findings import Findings
from reports.layout import name_levels
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.ranking import Ranking, rank
from reports.sentences.samplers import replayed
from reports.sentences.search import front_ends, tried
from reports.trials import Arm
from reports.wording import counted, listed, number, percent, shortened, signed

SHORT_NAME = 40
MOST_NAMED = 4
LARGEST = 100
"""Points between the lowest and the highest error that there can be."""


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


# ---- before there is anything to rank ----


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
        rest = f"none of the other {others}{sound} can be told apart from it"
    elif same:
        rest = f"{same} of the other {others}{sound} cannot be told apart from it"
    else:
        rest = f"all of the other {others}{sound} have more"
    at = "" if findings.alpha == ALPHA else f" at {percent(findings.alpha)}"
    beside = "exploratory, beside the claims: " if findings.verdicts else ""
    return _at(group.where, f"{first}; {rest} ({beside}paired t{at}, corrected for all pairs).")


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
    known = _known(findings)
    if len(known) > 1 and _all_fail(findings):
        trials = sum(each.n for each in known)
        arms = f"All {len(known):,} arms{_limited(len(known), findings.summaries)}"
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


# ---- differences to the baseline ----


@dataclass(frozen=True)
class _Compared:
    """The comparisons that have a test, with intervals that cover all of them together, and what arms are called.

    `alpha` is their level together.
    """

    every: tuple[Contrast, ...]
    names: Mapping[str, str]
    alpha: float

    @property
    def better(self) -> list[Contrast]:
        """Return the arms that clearly have less error, the largest difference first."""
        clear = [each for each in self.every if each.high is not None and each.high < 0]
        return sorted(clear, key=lambda each: each.estimate or 0.0)

    @property
    def worse(self) -> list[Contrast]:
        """Return the arms that clearly have more error, the largest difference first."""
        clear = [each for each in self.every if each.low is not None and each.low > 0]
        return sorted(clear, key=lambda each: -(each.estimate or 0.0))


def _compared(findings: Findings) -> _Compared | None:
    return _Compared(findings.corrected, arm_names(findings), findings.alpha) if findings.corrected else None


def better(findings: Findings) -> str | None:
    """Name the arm with the largest clear gain over the baseline; nothing where no gain is clear."""
    compared = _compared(findings)
    return _largest(findings, compared, compared.better, "less") if compared else None


def worse(findings: Findings) -> str | None:
    """Name the arm with the largest clear loss against the baseline; nothing where none is clear."""
    compared = _compared(findings)
    return _largest(findings, compared, compared.worse, "more") if compared else None


def _largest(findings: Findings, compared: _Compared, clear: Sequence[Contrast], side: str) -> str | None:
    """Name the first of the clear differences, which is the largest, and count the others on its side."""
    if not clear:
        return None
    first, rest = clear[0], len(clear) - 1
    others = f"; {counted(rest, 'more arm')} also {'has' if rest == 1 else 'have'} {side}" if rest else ""
    name = compared.names[first.arm.name]
    return f"Against {_baseline(findings)}, {name} has {side} error: {_difference(compared, first)}{others}."


def none_clear(findings: Findings) -> str | None:
    """Say that no difference to the baseline is clear and which one would be; nothing where one is."""
    compared = _compared(findings)
    if compared is None or compared.better or compared.worse or _all_fail(findings):
        return None
    text = f"No difference in {PRIMARY.title} to {_baseline(findings)} is clear ({_correction(compared)})"
    smallest = _smallest(findings, compared.alpha / len(compared.every))
    if smallest is None:
        return f"{text}."
    if smallest >= LARGEST:
        return f"{text}; with 80 % power these seeds detect none below {LARGEST} points, which no errors exceed."
    return f"{text}; the smallest that these seeds detect, with 80 % power, is about {number(smallest)} points."


def _smallest(findings: Findings, alpha: float) -> float | None:
    """The difference that the median number of seeds detects with 80 % power at the corrected level."""
    known = [(each.n, each.sd) for each in findings.contrasts.values() if each.sd and not each.fails]
    if not known:
        return None
    seeds = sorted(n for n, _ in known)[len(known) // 2]
    in_spreads = smallest_paired(seeds, alpha)
    return None if in_spreads is None else in_spreads * sqrt(fmean(sd**2 for _, sd in known))


def _correction(compared: _Compared) -> str:
    tests = len(compared.every)
    if tests == 1:
        return f"one comparison, {percent(1 - compared.alpha)} interval"
    return f"{tests:,} comparisons, corrected by Bonferroni at {percent(compared.alpha)}"


def _difference(compared: _Compared, contrast: Contrast) -> str:
    tests = len(compared.every)
    low = "−∞" if contrast.low is None else signed(contrast.low)
    high = "∞" if contrast.high is None else signed(contrast.high)
    over = f"{percent(1 - compared.alpha)} interval{'' if tests == 1 else f' over all {tests:,} comparisons'}"
    fails = f", {contrast.fails} of them with a fail" if contrast.fails else ""
    size = f"{signed(contrast.estimate)} {PRIMARY.difference_unit_in_words}"
    return f"{size} ({over} {low} to {high}, n={contrast.n}{fails})"


def _baseline(findings: Findings) -> str:
    """The baseline by its levels of the factors that vary, where they are short enough for a sentence."""
    study = findings.study
    name = name_levels((key, value) for key, value in study.baseline.items() if len(study.factors.get(key, ())) > 1)
    is_short = 0 < len(name) <= SHORT_NAME and name != "baseline" and not findings.whole.search
    return f"the baseline ({shortened(name, SHORT_NAME)})" if is_short else "the baseline"


# ---- what few seeds leave open ----


def few_seeds(findings: Findings) -> str | None:
    """Say what a named difference assumes where its seeds are too few to show it; nothing where none is named."""
    compared = _compared(findings) if not findings.verdicts else None
    ranking = _ranking(findings, group_of(findings))
    seeds = [each.n for each in (*compared.better[:1], *compared.worse[:1])] if compared else []
    if ranking is not None and ranking.different:
        seeds.append(ranking.lowest.n)
    few = [n for n in seeds if n < LEAST_BY_T]
    if not few:
        return None
    return f"This assumes that no arm has rare outliers, which {counted(min(few), 'seed')} would not show."


def narrow(findings: Findings) -> str | None:
    """Say that a named difference rests on seeds that are seen to be skewed or unlike; nothing where none is named."""
    compared = _compared(findings) if not findings.verdicts else None
    named = [*compared.better[:1], *compared.worse[:1]] if compared else []
    ranking = _ranking(findings, group_of(findings))
    apart = {ranking.lowest.arm.name, *ranking.different} if ranking is not None and ranking.different else set()
    is_seen = any(SKEWED in each.badges for each in named) or not apart.isdisjoint(findings.skewed_arms)
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


def _all_fail(findings: Findings) -> bool:
    """Whether every seed of every arm with a result failed, so that no two arms can be told apart."""
    known = _known(findings)
    return bool(known) and all(each.n_fail == each.n for each in known)


def _known(findings: Findings) -> list[ArmSummary]:
    return [each for each in findings.summaries.values() if each.n]


def _limited(known: int, arms: Collection[str]) -> str:
    return " with a result" if known < len(arms) else ""


def _has_results(findings: Findings) -> bool:
    return any(summary.n for summary in findings.summaries.values())


SENTENCES: dict[str, Callable[[Findings], str | None]] = {
    "claims": claims,
    "fails": fails,
    "no_result": no_result,
    "replayed": replayed,
    "tried": tried,
    "front_ends": front_ends,
    "only_arm": only_arm,
    "better": better,
    "worse": worse,
    "none_clear": none_clear,
    "lowest": lowest,
    "one_seed": one_seed,
    "few_seeds": few_seeds,
    "narrow": narrow,
}
"""In the order in which the head of the page says them."""


def headline(findings: Findings) -> tuple[str, ...]:
    """Return what the head of the page says; where the differences are judged by claims, those come first and alone."""
    left_out = {"better", "worse", "none_clear"} if findings.verdicts else set()
    said = (say(findings) for name, say in SENTENCES.items() if name not in left_out)
    return tuple(filter(None, said))
