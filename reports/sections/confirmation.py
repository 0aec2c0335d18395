"""The confirmation of a search: what its best arms reach on the test set, and how much of their gain survived."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.analysis.contrasts import Contrast
from reports.analysis.search import Confirmed, confirmations
from reports.analysis.threshold import decides
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.search_numbers import search_numbers
from reports.sections.arm_tables import interval
from reports.sections.section import Section
from reports.tables import Column, Table, p_column
from reports.wording import counted, number, p_in_words, shortened, signed


@dataclass(frozen=True)
class ConfirmationShown:
    """The section's content: what came of the search, in sentences."""

    sentences: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build the section; nothing before a confirmed arm can be compared with the baseline."""
    confirmed = [each for each in confirmations(findings.whole) if each.contrast.n]
    if not confirmed:
        return None
    sentences = (_method(findings, confirmed), *conclusions(findings, search_numbers(findings.whole)))
    return Section(
        "confirmation",
        "Confirmation of the best arms",
        ConfirmationShown(sentences),
        tables=(_table(findings, confirmed),),
    )


def conclusions(findings: Findings, names: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Say whether the arm that the search ranked first is confirmed, and how much of its gain; nothing before that.

    `names` call arms by what the reader can look up; without them their settings do.
    """
    confirmed = [each for each in confirmations(findings.whole) if each.contrast.n]
    if not confirmed:
        return ()
    first = min(confirmed, key=lambda each: each.searched_error if each.searched_error is not None else float("inf"))
    named = {each.arm.name: shortened(each.arm.name, 120) for each in confirmed} | dict(names or {})
    alpha = findings.alpha
    return _verdict(first, confirmed, named, alpha), _survival(first, alpha), _all(confirmed, named, alpha)


def _method(findings: Findings, confirmed: list[Confirmed]) -> str:
    confirm = findings.whole.search["settings"]["confirm"]
    return (
        f"The {counted(len(confirmed), 'best arm')} of the search and the baseline were trained again on the whole "
        f"training set, with {counted(confirm['seeds'], 'fresh seed')} each. The search had seen neither those seeds "
        "nor the test set."
    )


def _verdict(first: Confirmed, confirmed: list[Confirmed], names: Mapping[str, str], alpha: float) -> str:
    """Say of the arm that the search ranked first what the count of all arms says of it, by the same p."""
    contrast = first.contrast
    side = _side(contrast, alpha)
    words = f"has {side} {PRIMARY.title} than the baseline" if side else "cannot be told from the baseline"
    text = f"What the search ranked first, {names[first.arm.name]}, {words}: "
    if contrast.p is None or contrast.p_holm is None:
        return f"{text}{contrast.note or 'no test'}."
    numbers = f"{signed(contrast.estimate)}{interval(contrast)} points, " if contrast.estimate is not None else ""
    text = f"{text}{numbers}{_p(contrast.p_holm, confirmed)}."
    if not side and decides(contrast.p):
        text += f" Alone it would be told apart (p {number(contrast.p, 4)}); among all of them it is not."
    return text


def _side(contrast: Contrast, alpha: float) -> str:
    """Return "less" or "more" error than the baseline's, by Holm's p; empty where they cannot be told apart."""
    if not decides(contrast.p_holm, alpha):
        return ""
    signs = [(each > 0) - (each < 0) for each in contrast.differences.values()]
    return "less" if (sum(signs) if contrast.estimate is None else contrast.estimate) < 0 else "more"


def _p(p: float, confirmed: list[Confirmed]) -> str:
    size = p_in_words(p)
    tested = sum(each.contrast.p is not None for each in confirmed)
    return f"p {size}" if tested == 1 else f"Holm's p over {counted(tested, 'arm')} {size}"


def _survival(each: Confirmed, alpha: float) -> str:
    if each.searched_gain is None or each.searched_gain <= 0:
        return "The search itself saw no gain over the baseline on the validation split."
    if each.survived is None:
        return (
            f"Of its {number(each.searched_gain)} points on the validation split nothing can be said on the test set."
        )
    gain = f"On the validation split it was {number(each.searched_gain)} points better than the baseline"
    if each.survived <= 0:
        return f"{gain}; nothing of that gain survived on the test set{_share_interval(each)}."
    how_sure = "" if _side(each.contrast, alpha) else "by the estimate alone "
    return f"{gain}; {how_sure}{number(100 * each.survived, 0)} % of that gain survived{_share_interval(each)}."


def _share_interval(each: Confirmed) -> str:
    if each.survived_low is None or each.survived_high is None:
        return ""
    ends = (signed(100 * end, 0) for end in (each.survived_low, each.survived_high))
    return f" (95 % interval {' to '.join(ends)} %, by the seeds of the confirmation)"


def _all(confirmed: list[Confirmed], names: Mapping[str, str], alpha: float) -> str:
    """Count the confirmed arms by what can be said of them, their p adjusted for their number."""
    sides = [_side(each.contrast, alpha) for each in confirmed]
    better, worse, alike = (sides.count(side) or "none" for side in ("less", "more", ""))
    rule = "p" if len(confirmed) == 1 else "Holm's p over all of them"
    text = (
        f"Of {counted(len(confirmed), 'confirmed arm')} {better} {'has' if better in (1, 'none') else 'have'} less "
        f"{PRIMARY.title} than the baseline, {worse} more, and {alike} cannot be told from it (told apart where "
        f"{rule} is at most {alpha:g})."
    )
    known = [(each.contrast.estimate, each) for each in confirmed if each.contrast.estimate is not None]
    if not known:
        return text
    estimate, least = min(known, key=lambda pair: pair[0])
    ends = f"{signed(estimate)}{interval(least.contrast)}"
    return f"{text} The least error has {names[least.arm.name]}: {ends} points."


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _table(findings: Findings, confirmed: list[Confirmed]) -> Table:
    columns = (
        Column("arm", "arm"),
        Column("searched_error", "validation error in the search, %", 2, True),
        Column("searched_gain", "gain in the search", 2, True),
        Column(PRIMARY.name, f"{PRIMARY.title}, confirmed"),
        Column("difference", "difference to the baseline", 2, True),
        Column("low", "low", 2, True),
        Column("high", "high", 2, True),
        p_column("p_holm", "p (Holm)"),
        Column("survived", "gain that survived, %", 0, True),
        Column("survived_low", "its low, %", 0, True),
        Column("survived_high", "its high, %", 0, True),
    )
    names = search_numbers(findings.whole)
    rows = tuple(
        (
            names.get(each.arm.name, each.arm.name),
            each.searched_error,
            each.searched_gain,
            findings.summaries[each.arm.name].text,
            each.contrast.estimate,
            each.contrast.low,
            each.contrast.high,
            each.contrast.p_holm,
            *map(_percent, (each.survived, each.survived_low, each.survived_high)),
        )
        for each in confirmed
    )
    base = next(iter(confirmed)).contrast.baseline
    caption = (
        "The confirmed arms, by their number in the search, against the baseline "
        f"({findings.summaries[base.name].text}); differences in {PRIMARY.difference_label}, 95 % intervals "
        "paired by seed, each for its arm alone."
    )
    return Table("confirmation", caption, columns, rows)
