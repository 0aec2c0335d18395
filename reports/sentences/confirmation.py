"""What came of a search when its best arms were trained again: whether they are better, and how much of it is left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reports.analysis.contrasts import Contrast
from reports.analysis.search import Confirmed, confirmations, front, objectives
from reports.analysis.threshold import decides
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.sentences import skewness
from reports.sentences.search import OBJECTIVES
from reports.wording import bracketed, counted, listed, number, p_in_words, shortened, signed


@dataclass(frozen=True)
class ConfirmationFacts:
    """The confirmed arms that can be compared with the baseline, at least one, and what they are called.

    `alpha` is the level at which their differences are judged together; each had so many fresh `seeds`. `objectives`
    are what the search made small, in words, and `on_front` says whether all arms are on their Pareto front.
    """

    arms: tuple[Confirmed, ...]
    names: Mapping[str, str]
    alpha: float
    seeds: int
    objectives: tuple[str, ...]
    on_front: bool

    @property
    def first(self) -> Confirmed:
        """Return the arm that the search ranked first."""
        return min(self.arms, key=lambda each: float("inf") if each.searched_error is None else each.searched_error)


def confirmation_facts(findings: Findings, names: Mapping[str, str] | None = None) -> ConfirmationFacts | None:
    """Return what there is to say of a confirmation; None before a confirmed arm can be compared.

    `names` call arms by what the reader can look up; without them their settings do.
    """
    arms = tuple(each for each in confirmations(findings.whole) if each.contrast.n)
    if not arms:
        return None
    whole = findings.whole
    named = {each.arm.name: shortened(each.arm.name, 120) for each in arms} | dict(names or {})
    return ConfirmationFacts(
        arms,
        named,
        findings.alpha,
        whole.search["settings"]["confirm"]["seeds"],
        tuple(OBJECTIVES[each] for each in objectives(whole)),
        {each.searched for each in arms} <= set(front(whole)),
    )


def method(facts: ConfirmationFacts) -> str:
    """Say what was trained again, on what."""
    seeds = counted(facts.seeds, "fresh seed")
    return (
        f"{_chosen(facts)} and the baseline were trained again on the whole "
        f"training set, with {seeds} each. The search had seen neither those seeds nor the test set."
    )


def _chosen(facts: ConfirmationFacts) -> str:
    """Say which arms the search chose: of several objectives those of the front come first."""
    arms = "arm" if len(facts.arms) == 1 else f"{len(facts.arms)} arms"
    if len(facts.objectives) < 2:
        return f"The {arms} of the search with the lowest validation error"
    front = f"Pareto front of {listed(facts.objectives)}"
    if facts.on_front:
        return f"The {arms} with the lowest validation error on the search's {front}"
    return f"The {arms} that the search ranked first, its {front} before all others,"


def first_ranked(facts: ConfirmationFacts) -> str:
    """Say of the arm that the search ranked first what the count of all arms says of it, by the same p."""
    contrast, side = facts.first.contrast, _side(facts.first.contrast, facts.alpha)
    words = f"has {side} {PRIMARY.title} than the baseline" if side else "cannot be told from the baseline"
    name = facts.names[facts.first.arm.name]
    text = f"{name} had the lowest validation error of these in the search; it {words}: "
    if len(facts.arms) == 1:
        text = f"The confirmed arm, {name}, {words}: "
    if contrast.p is None or contrast.p_holm is None:
        return f"{text}{contrast.note or 'no test'}."
    numbers = f"{signed(contrast.estimate)}{_interval(contrast)} points, " if contrast.estimate is not None else ""
    return f"{text}{numbers}{_p(contrast.p_holm, facts.arms)}."


def told_apart_alone(facts: ConfirmationFacts) -> str | None:
    """Say that the first arm would be told apart by itself; nothing where it is in either way or in neither."""
    first = facts.first
    if first.contrast.p is None or first.contrast.p_holm is None:
        return None
    if _side(first.contrast, facts.alpha) or not decides(first.contrast.p):
        return None
    return f"Alone it would be told apart (p {number(first.contrast.p, 4)}); among all of them it is not."


def no_gain_searched(facts: ConfirmationFacts) -> str | None:
    """Say that the search saw no gain of which any could survive; nothing where it saw one, or no baseline."""
    first = facts.first
    if first.searched_gain is None or _gain(first):
        return None
    return "The search itself saw no gain over the baseline on the validation split."


def baseline_not_searched(facts: ConfirmationFacts) -> str | None:
    """Say that the search has no number of the baseline, as where a constraint kept it out; nothing where it has."""
    if facts.first.searched_gain is not None:
        return None
    return "The search has no validation error of the baseline, so that no gain over it is known there."


def gain_unknown(facts: ConfirmationFacts) -> str | None:
    """Say that nothing is known of what survived; nothing where there is an estimate."""
    first = facts.first
    if not _gain(first) or first.survived is not None:
        return None
    return f"Of its {number(first.searched_gain)} points on the validation split nothing can be said on the test set."


def gain_lost(facts: ConfirmationFacts) -> str | None:
    """Say that nothing of the gain survived; nothing where some did."""
    first = facts.first
    if not _gain(first) or first.survived is None or first.survived > 0:
        return None
    return f"{_gained(first)}; nothing of that gain survived on the test set{_share_interval(first)}."


def gain_survived(facts: ConfirmationFacts) -> str | None:
    """Say how much of the gain survived, by the estimate alone where the arm cannot be told from the baseline."""
    first = facts.first
    if not _gain(first) or first.survived is None or first.survived <= 0:
        return None
    how_sure = "" if _side(first.contrast, facts.alpha) else "by the estimate alone "
    share = f"{number(100 * first.survived, 0)} %"
    return f"{_gained(first)}; {how_sure}{share} of that gain survived{_share_interval(first)}."


def all_arms(facts: ConfirmationFacts) -> str:
    """Count the confirmed arms by what can be said of them, their p adjusted for their number."""
    arms = facts.arms
    sides = [_side(each.contrast, facts.alpha) for each in arms]
    rule = "p" if len(arms) == 1 else "Holm's p over all of them"
    if not any(sides):
        text = "The confirmed arm cannot" if len(arms) == 1 else f"None of the {len(arms)} confirmed arms can"
        text += " be told from the baseline"
    else:
        counts = {side: sides.count(side) for side in ("less", "more") if side in sides}
        parts = [
            f"{_share_of(count, len(arms))} shown to have {side} {PRIMARY.title} than the baseline"
            for side, count in counts.items()
        ]
        text = listed([*parts, *([f"{alike} cannot be told from it"] if (alike := sides.count("")) else [])])
    return f"{text} (told apart where {rule} is at most {facts.alpha:g})."


def _share_of(count: int, whole: int) -> str:
    """Say how many of the confirmed arms, with the verb."""
    if count == whole:
        return "The confirmed arm is" if whole == 1 else f"All {whole} confirmed arms are"
    return f"{count} of {whole} confirmed arms {'is' if count == 1 else 'are'}"


def least_error(facts: ConfirmationFacts) -> str | None:
    """Name the confirmed arm with the least error; nothing where the search ranked it first, or without a number."""
    known = [(each.contrast.estimate, each) for each in facts.arms if each.contrast.estimate is not None]
    if not known:
        return None
    estimate, least = min(known, key=lambda pair: pair[0])
    if least is facts.first:
        return None
    return (
        f"{facts.names[least.arm.name]} has the lowest error: {signed(estimate)}{_interval(least.contrast)} points "
        "against the baseline."
    )


def narrow(facts: ConfirmationFacts) -> str | None:
    """Say that intervals may be too narrow; nothing where no seed shows it."""
    return skewness.differences([each.contrast for each in facts.arms])


def table_caption(findings: Findings) -> str | None:
    """Say what the table of confirmed arms has; nothing before there is one."""
    facts = confirmation_facts(findings)
    if facts is None:
        return None
    base = facts.arms[0].contrast.baseline
    text = (
        "The confirmed arms, by their number in the search, against the baseline "
        f"({findings.summaries[base.name].text}); differences in {PRIMARY.difference_label}, 95 % intervals "
        "paired by seed, each for its arm alone. Of a gain in the search a share can survive only where the arm has "
        "less error here, too."
    )
    return " ".join(filter(None, (text, narrow(facts))))


def _gain(each: Confirmed) -> bool:
    return each.searched_gain is not None and each.searched_gain > 0


def _gained(each: Confirmed) -> str:
    return f"On the validation split it was {number(each.searched_gain)} points better than the baseline"


def _side(contrast: Contrast, alpha: float) -> str:
    """Return "less" or "more" error than the baseline's, by Holm's p; empty where they cannot be told apart."""
    if not decides(contrast.p_holm, alpha):
        return ""
    signs = [(each > 0) - (each < 0) for each in contrast.differences.values()]
    return "less" if (sum(signs) if contrast.estimate is None else contrast.estimate) < 0 else "more"


def _p(p: float, arms: Sequence[Confirmed]) -> str:
    size = p_in_words(p)
    tested = sum(each.contrast.p is not None for each in arms)
    return f"p {size}" if tested == 1 else f"Holm's p over {counted(tested, 'arm')} {size}"


def _interval(contrast: Contrast) -> str:
    text = bracketed(contrast.low, contrast.high, signed)
    return f" {text}" if text else ""


def _share_interval(each: Confirmed) -> str:
    if each.survived_low is None or each.survived_high is None:
        return ""
    ends = (signed(100 * end, 0) for end in (each.survived_low, each.survived_high))
    return f" (95 % interval {' to '.join(ends)} %, by the seeds of the confirmation)"


RANKED_FIRST = (first_ranked, told_apart_alone)
SURVIVAL = (no_gain_searched, baseline_not_searched, gain_unknown, gain_lost, gain_survived)
ALL = (all_arms, least_error, narrow)

SENTENCES: dict[str, Callable[..., str | None]] = {
    f"confirmation.{sentence.__name__}": sentence
    for sentence in (method, *RANKED_FIRST, *SURVIVAL, *ALL, table_caption)
}
