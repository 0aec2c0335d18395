"""The confirmation of a search: what its best arms reach on the test set, and how much of their gain survived."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.analysis.search import Confirmed
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.search_numbers import search_numbers
from reports.sections.section import Section
from reports.sentences import said
from reports.sentences.confirmation import (
    ALL,
    RANKED_FIRST,
    SURVIVAL,
    ConfirmationFacts,
    confirmation_facts,
    method,
    table_caption,
)
from reports.tables import Column, Table, p_column


@dataclass(frozen=True)
class ConfirmationShown:
    """The section's content: what came of the search, in sentences."""

    sentences: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build the section; nothing before a confirmed arm can be compared with the baseline."""
    facts = confirmation_facts(findings, search_numbers(findings.whole))
    if facts is None:
        return None
    told = (said(facts, (method,)), *_conclusions(facts))
    table = _table(findings, list(facts.arms))
    return Section("confirmation", "Confirmation of the best arms", ConfirmationShown(told), tables=(table,))


def conclusions(findings: Findings, names: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Say whether the arm that the search ranked first is confirmed, and how much of its gain; nothing before that.

    `names` call arms by what the reader can look up; without them their settings do.
    """
    facts = confirmation_facts(findings, names)
    return () if facts is None else _conclusions(facts)


def _conclusions(facts: ConfirmationFacts) -> tuple[str, ...]:
    return tuple(filter(None, (said(facts, sentences) for sentences in (RANKED_FIRST, SURVIVAL, ALL))))


def _survived(each: Confirmed) -> tuple[float | None, ...]:
    """Return the share of the gain that survived and the ends of its interval, in per cent; of a loss there is none."""
    if each.survived is None or each.survived <= 0:
        return None, None, None
    shares = (each.survived, each.survived_low, each.survived_high)
    return tuple(None if share is None else 100 * share for share in shares)


def _table(findings: Findings, confirmed: list[Confirmed]) -> Table:
    columns = (
        Column("arm", "arm"),
        Column("searched_error", "validation error in the search, %", 2, True),
        Column("searched_gain", "gain in the search, points", 2, True),
        Column(PRIMARY.name, f"{PRIMARY.title}, confirmed, {PRIMARY.unit}", is_number=True),
        Column("difference", "Δ to the baseline, points", 2, True),
        Column("low", "Δ, low", 2, True),
        Column("high", "Δ, high", 2, True),
        p_column("p_holm", "p (Holm)"),
        Column("survived", "share of the gain that survived, %", 0, True),
        Column("survived_low", "share, low", 0, True),
        Column("survived_high", "share, high", 0, True),
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
            *_survived(each),
        )
        for each in confirmed
    )
    return Table("confirmation", said(findings, (table_caption,)), columns, rows)
