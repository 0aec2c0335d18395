"""The confirmation of a search: what its best arms reach on the test set, and how much of their gain survived."""

from dataclasses import dataclass

from reports.analysis.search import Confirmed, confirmations
from reports.findings import Findings
from reports.results import Study
from reports.sections.section import Section
from reports.tables import Column, Table
from reports.wording import counted, number, shortened, signed

LEVEL = 0.05


@dataclass(frozen=True)
class ConfirmationShown:
    """The section's content: what came of the search, in sentences."""

    sentences: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build the section; nothing before a confirmed arm can be compared with the baseline."""
    found = [each for each in confirmations(findings.whole) if each.contrast.n]
    if not found:
        return None
    sentences = (_method(findings, found), *conclusions(findings.whole))
    return Section(
        "confirmation", "Confirmation of the best arms", ConfirmationShown(sentences), tables=(_table(findings, found),)
    )


def conclusions(study: Study) -> tuple[str, ...]:
    """Say whether the arm that the search ranked first is confirmed, and how much of its gain; nothing before that."""
    found = [each for each in confirmations(study) if each.contrast.n]
    if not found:
        return ()
    first = min(found, key=lambda each: each.searched_error if each.searched_error is not None else float("inf"))
    return _verdict(first), _survival(first), _all(found)


def _method(findings: Findings, found: list[Confirmed]) -> str:
    confirm = findings.whole.search["settings"]["confirm"]
    return (
        f"The {counted(len(found), 'best arm')} of the search and the baseline were trained again on the whole "
        f"training set, with {counted(confirm['seeds'], 'fresh seed')} each. The search had seen neither those seeds "
        "nor the test set."
    )


def _verdict(each: Confirmed) -> str:
    contrast = each.contrast
    first = f"What the search ranked first, {shortened(each.arm.name, 120)},"
    if contrast.estimate is None or contrast.low is None or contrast.high is None:
        return f"{first} cannot be told from the baseline: {contrast.note or 'no interval'}."
    interval = f"{signed(contrast.estimate)} [{signed(contrast.low)}, {signed(contrast.high)}] points"
    if contrast.high < 0:
        return f"{first} has less test error than the baseline: {interval}."
    if contrast.low > 0:
        return f"{first} has more test error than the baseline: {interval}."
    return f"{first} is not shown to differ from the baseline: {interval}."


def _survival(each: Confirmed) -> str:
    if each.searched_gain is None or each.searched_gain <= 0:
        return "The search itself saw no gain over the baseline on the validation split."
    if each.survived is None:
        return (
            f"Of its {number(each.searched_gain)} points on the validation split nothing can be said on the test set."
        )
    gain = f"On the validation split it was {number(each.searched_gain)} points better than the baseline"
    if each.survived <= 0:
        return f"{gain}; nothing of that gain survived on the test set."
    return f"{gain}; {number(100 * each.survived, 0)} % of that gain survived."


def _all(found: list[Confirmed]) -> str:
    """Count the confirmed arms by what can be said of them, their p adjusted for their number."""
    shown = [each.contrast for each in found if each.contrast.p_holm is not None and each.contrast.p_holm < LEVEL]
    better = sum((contrast.estimate or 0.0) < 0 for contrast in shown)
    worse = len(shown) - better
    least = min(found, key=lambda each: each.contrast.estimate if each.contrast.estimate is not None else float("inf"))
    ends = least.contrast
    interval = f"{signed(ends.estimate)} [{signed(ends.low)}, {signed(ends.high)}]"
    return (
        f"Of {counted(len(found), 'confirmed arm')} {better} {'has' if better == 1 else 'have'} less test error than "
        f"the baseline, {worse} more, and {len(found) - len(shown)} cannot be told from it (Holm's p below {LEVEL:g}). "
        f"The least error has {shortened(least.arm.name, 120)}: {interval} points."
    )


def _table(findings: Findings, found: list[Confirmed]) -> Table:
    columns = (
        Column("arm", "arm"),
        Column("searched_error", "validation error in the search, %", 2, True),
        Column("searched_gain", "gain in the search", 2, True),
        Column("test_error", "test error, confirmed"),
        Column("difference", "difference to the baseline", 2, True),
        Column("low", "low", 2, True),
        Column("high", "high", 2, True),
        Column("survived", "gain that survived, %", 0, True),
    )
    rows = tuple(
        (
            each.arm.name,
            each.searched_error,
            each.searched_gain,
            findings.summaries[each.arm.name].text,
            each.contrast.estimate,
            each.contrast.low,
            each.contrast.high,
            None if each.survived is None else 100 * each.survived,
        )
        for each in found
    )
    base = next(iter(found)).contrast.baseline
    caption = (
        f"The confirmed arms against the baseline ({shortened(base.name, 80)}: {findings.summaries[base.name].text}); "
        "differences in percentage points of test error, 95 % intervals paired by seed."
    )
    return Table("confirmation", caption, columns, rows)
