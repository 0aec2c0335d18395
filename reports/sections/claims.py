"""The declared claims, a card for each: the verdict, the evidence in words, and the numbers under it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reports.analysis.badges import ASSUMPTIONS, DEPENDS, OPEN, UNMEASURED
from reports.analysis.evidence import Levels
from reports.analysis.judged import Conclusion, Look
from reports.analysis.verdicts import Verdict, word_counts
from reports.analysis.wording import Manner
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.sections.margins import (
    context_tables,
    deciding_figure,
    difference_in_words,
    icon_of,
    margins_figures,
)
from reports.sections.section import Section
from reports.sentences.claims import TABLE, interval_head, judged, marks, table_on_page
from reports.tables import Column, Table, p_column
from reports.trials import State
from reports.wording import (
    NOTHING,
    amount,
    bracketed,
    counted,
    duration,
    listed,
    margin_in_words,
    p_in_words,
    shortened,
)

MOST_CLAIMS = 6
"""Claims that the first screen has room for."""
MOST_TRIALS, MOST_CONTEXTS = 24, 8
"""What the evidence of one claim has of each at most."""
_OVER = {"every": "in every context", "average": "on average", "any": "in at least one"}


@dataclass(frozen=True)
class Card:
    """One claim as the page shows it; `anchor` is its place on the page, `trials` links to what it rests on.

    `context` names the one of several that the row is about, `level` that of its interval where claims differ in it.
    `signs` stand in its row: what was seen about its data or its plan, and `open` while its next seeds are trained.
    `assumptions` are what the verdict takes for granted.
    """

    anchor: str
    id: str
    title: str
    says: str
    verdict: str
    icon: str
    context: str
    effect: str
    unit: str
    interval: str
    level: str
    n: str
    p: str
    sentence: str
    signs: tuple[str, ...]
    open: str
    assumptions: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    trials: tuple[str, ...]
    more_trials: int


@dataclass(frozen=True)
class Claims:
    """The section's content."""

    summary: str
    caption: str
    interval: str
    cards: tuple[Card, ...]


def build(findings: Findings) -> Section | None:
    """Build the cards; nothing when the study declares no claims."""
    if not findings.verdicts:
        return None
    manner = Manner(arm_names(findings), is_typeset=True)
    levels = {each.level for each in findings.verdicts if each.low is not None or each.high is not None}
    cards = tuple(
        _card(findings, place, verdict, manner, with_level=len(levels) > 1)
        for place, verdict in enumerate(findings.verdicts, start=1)
    )
    summary = judged(verdict_counts(findings.verdicts), findings.verdicts)
    content = Claims(summary, table_on_page(findings.verdicts), interval_head(levels), cards)
    figures = margins_figures(findings.verdicts)
    tables = (_table(findings.verdicts), *context_tables(findings.verdicts))
    brief = deciding_figure([findings.verdicts[place] for place in first_claims(findings.verdicts)])
    return Section("claims", "Claims", content, figures, tables, brief=brief)


def first_claims(verdicts: Sequence[Verdict]) -> list[int]:
    """Return the places of the claims on the first screen: where it has no room for all, the decided ones first."""
    decided = [each.verdict is not Conclusion.INCONCLUSIVE for each in verdicts]
    return sorted(sorted(range(len(decided)), key=lambda place: not decided[place])[:MOST_CLAIMS])


def verdict_counts(verdicts: tuple[Verdict, ...]) -> str:
    """Return "4 claims: 1 supported, 1 refuted and 2 inconclusive"."""
    counts = [f"{count} {word}" for word, count in word_counts(verdicts).items()]
    return f"{counted(len(verdicts), 'claim')}: {listed(counts)}"


def anchor_of(place: int, verdict: Verdict) -> str:
    """Return the claim's place on the page: its id where that can stand in a link, else its number."""
    return f"claim-{verdict.id if re.fullmatch(r'[A-Za-z0-9_-]{1,80}', verdict.id) else place}"


def in_words(verdict: Verdict) -> str:
    """Return the declared sentence with its conditions."""
    claim = verdict.claim
    parts = [claim.says]
    if claim.where:
        parts.append(f"where {claim.where}")
    if claim.by:
        parts.append(f"by {claim.by:g}")
    if claim.within is not None:
        parts.append(f"within {claim.within:g}")
    if claim.statement.relation == "fails":
        parts.append(f"in {claim.rate[0]} {claim.rate[1]:g} of the seeds")
    if claim.metric != PRIMARY.name:
        parts.append(f"measured by {claim.metric}")
    return shortened(", ".join(parts), 300)


def _card(findings: Findings, place: int, verdict: Verdict, manner: Manner, *, with_level: bool) -> Card:
    signs = tuple(each for each in verdict.badges if each not in ASSUMPTIONS and each != OPEN)
    is_open = OPEN in verdict.badges and not verdict.is_pending
    interval = bracketed(verdict.low, verdict.high, amount)
    return Card(
        anchor_of(place, verdict),
        shortened(verdict.id, 60),
        shortened(verdict.claim.title or verdict.id, 160),
        in_words(verdict),
        verdict.word,
        icon_of(verdict),
        _context(verdict),
        amount(verdict.estimate),
        "" if verdict.estimate is None else _unit(verdict),
        interval or NOTHING,
        f"{100 * verdict.level:.4g} %" if with_level and interval else "",
        f"{verdict.n}" + (f", {counted(verdict.fails, 'fail')}" if verdict.fails else ""),
        p_in_words(verdict.p_look if verdict.p_holm is None else verdict.p_holm) if _has_p(verdict) else NOTHING,
        verdict.told(manner),
        signs,
        OPEN if is_open else "",
        tuple(each for each in verdict.badges if each in ASSUMPTIONS),
        tuple((label, text) for label, text in _facts(findings, verdict) if text),
        verdict.trials[:MOST_TRIALS],
        max(0, len(verdict.trials) - MOST_TRIALS),
    )


def _facts(findings: Findings, verdict: Verdict) -> list[tuple[str, str]]:
    # Reasons as the page's study has them, without the folders of whoever ran it.
    missing = [
        trial.reason or (UNMEASURED if trial.state is State.COMPLETE else trial.state.value)
        for trial in findings.study.trials
        if trial.id in verdict.missing
    ]
    ahead = verdict.forecast
    looks = findings.study.analysis.looks
    interval = bracketed(verdict.low, verdict.high, amount)
    interval = f" {interval} at {100 * verdict.level:.4g} %" if interval else ""
    p = [f"{p_in_words(verdict.p)} {f'at n={verdict.n} alone' if len(verdict.looks) > 1 else 'raw'}"]
    if verdict.p_look != verdict.p:
        p.append(f"{p_in_words(verdict.p_look)} over all looks")
    if verdict.p_holm is not None:
        p.append(f"{p_in_words(verdict.p_holm)} after Holm")
    others = verdict.other_tests if DEPENDS in verdict.badges else {}
    decided = (
        f"at look {verdict.decided_at_look} of {max(len(looks), len(verdict.looks))}"
        if verdict.decided_at_look and looks
        else ""
    )
    return [
        ("Effect", f"{amount(verdict.estimate)}{interval}" if verdict.estimate is not None else ""),
        ("Margin", margin_in_words(verdict.margin)),
        ("Seeds", f"n={verdict.n}" + (f", {counted(verdict.fails, 'fail')}" if verdict.fails else "")),
        ("By seed", _by_seed(verdict)),
        ("p", ", ".join(p) if _has_p(verdict) else ""),
        ("Looks", _looks(verdict)),
        ("Decided", decided),
        ("Power", f"{100 * ahead.power:.0f} % at {counted(ahead.n, 'seed')}" if ahead.power is not None else ""),
        ("To refute it" if ahead.refutes else "To support it", _needed(verdict)),
        ("Readings", _readings(verdict)),
        ("Other tests", listed([f"{name}: {outcome.value}" for name, outcome in others.items()])),
        ("Missing", listed(shortened(each, 80) for each in dict.fromkeys(missing))),
    ]


def _has_p(verdict: Verdict) -> bool:
    return verdict.n > 1 and not verdict.is_pending


def _context(verdict: Verdict) -> str:
    """Name the context that the claim's row is about, where there are several."""
    several = len(verdict.contexts)
    if several < 2 or verdict.shown is None or not verdict.shown.words:
        return ""
    return f"effect at {verdict.shown.words}, one of {counted(several, 'context')}"


def _unit(verdict: Verdict) -> str:
    """Return the unit of the effect: that of the metric's differences, or the share of the seeds that fail."""
    return "of the seeds" if verdict.claim.statement.relation == "fails" else verdict.claim.unit


def _looks(verdict: Verdict) -> str:
    """The effect in the row's context and the p at each look, which is held against the look's own level."""
    if len(verdict.looks) < 2 or verdict.shown is None:
        return ""
    return "; ".join(_look(verdict, look, verdict.shown.context) for look in verdict.looks)


def _look(verdict: Verdict, look: Look, context: Levels) -> str:
    then = look.evidence
    outcome = verdict.verdict
    is_for = then.support <= then.refute if outcome is Conclusion.INCONCLUSIVE else outcome is Conclusion.SUPPORTED
    p = then.support if is_for else then.refute
    test = " by the exact sign flips" if then.by_flips[not is_for] else ""
    effect = [
        f"{amount(each.estimate)} {bracketed(each.low, each.high, amount)}".strip() + ", "
        for each in then.contexts
        if each.context == context and each.estimate is not None
    ]
    return f"n={look.n}: {''.join(effect)}p {p_in_words(p)}{test} against {look.alpha:.3g}"


def _needed(verdict: Verdict) -> str:
    """How many seeds would do, and the training that it takes."""
    ahead = verdict.forecast
    if verdict.verdict is not Conclusion.INCONCLUSIVE or ahead.needed is None:
        return ""
    hours = "" if ahead.hours is None else f", {duration(3600 * ahead.hours)} of training"
    text = f"about {counted(ahead.needed, 'seed')} if the effect is what it looks like{hours}"
    if ahead.assurance is None:
        return text
    return f"{text}; over all that the seeds so far leave open so many decide it in {100 * ahead.assurance:.0f} %"


def _readings(verdict: Verdict) -> str:
    """The verdict by each meaning of the sentence in several contexts, the declared one named; none before a look."""
    if verdict.is_pending:
        return ""
    return listed(
        [
            f"{_OVER[over]}{' (declared)' if over == verdict.claim.over else ''}: {outcome.value}"
            for over, outcome in verdict.other_readings.items()
        ]
    )


def _by_seed(verdict: Verdict) -> str:
    if verdict.claim.statement.relation == "fails":
        return ""
    parts = []
    known = [each for each in verdict.contexts if each.differences]
    for context in known[:MOST_CONTEXTS]:
        every = [difference_in_words(each) for _, each in sorted(context.differences.items())]
        is_same = len(every) > 1 and len(set(every)) == 1
        values = f"{every[0]} in each of {counted(len(every), 'seed')}" if is_same else ", ".join(every)
        if values:
            several = context.words and len(verdict.contexts) > 1
            parts.append(f"{context.words}: {values}" if several else values)
    if (more := len(known) - MOST_CONTEXTS) > 0:
        parts.append(f"{counted(more, 'more context')}")
    return "; ".join(parts)


def _table(verdicts: tuple[Verdict, ...]) -> Table:
    columns = (
        Column("claim", "claim"),
        *([Column("title", "title")] if any(each.claim.title for each in verdicts) else []),
        Column("says", "says"),
        Column("verdict", "verdict"),
        *(Column(key, key, 2, is_number=True) for key in ("estimate", "low", "high", "margin")),
        Column("n", "n", is_number=True),
        Column("fails", "fails", is_number=True),
        p_column("p", "p"),
        p_column("p_holm", "p (Holm)"),
        Column("marks", "marks"),
        Column("sentence", "evidence"),
    )
    rows = tuple(
        (
            each.id,
            *([each.claim.title or ""] if any(each.claim.title for each in verdicts) else []),
            in_words(each),
            each.verdict.value,
            each.estimate,
            each.low,
            each.high,
            each.margin,
            each.n,
            each.fails,
            each.p,
            each.p_holm,
            "; ".join(each.badges) or None,
            each.sentence,
        )
        for each in verdicts
    )
    in_paper = ("claim", "says", "verdict", "estimate", "low", "high", "n", "p_holm")
    caption = " ".join(filter(None, (TABLE, marks(verdicts))))
    return Table("claims", caption, columns, rows, in_paper)
