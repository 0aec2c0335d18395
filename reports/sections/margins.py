"""The figure of the claims: every effect in every context, its interval, and the margin that it is held against."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reports.analysis.claims import Claim
from reports.analysis.evidence import ContextResult
from reports.analysis.judged import Conclusion
from reports.analysis.verdicts import Verdict
from reports.figures.figure import Figure, Panel
from reports.figures.margins import MarginRow, margins_drawing
from reports.figures.rows import LONGEST
from reports.metrics import PRIMARY
from reports.sentences import claims as sentences
from reports.sentences import skewness
from reports.sentences.parts import cut
from reports.tables import Column, Table, p_column
from reports.wording import amount, bracketed, listed, margin_in_words, number, shortened, signed_amount

MOST_ROWS = 40
BRIEF = "claims-in-brief"
LONGEST_BRIEF = 30
"""Letters of a claim with its context for which the first screen has room."""
SHORTEST_CONTEXT = 8
MOST_TOLD = 8
"""Rows that the description tells in words."""
ICONS = {Conclusion.SUPPORTED: "✓", Conclusion.REFUTED: "✕", Conclusion.INCONCLUSIVE: "?"}
PENDING_ICON = "…"
SLOTS = {Conclusion.SUPPORTED: 3, Conclusion.REFUTED: 2, Conclusion.INCONCLUSIVE: 1}
_Pair = tuple[Verdict, ContextResult]
_RATE = "share of the seeds that fail"
_POINTS = "percentage points"


def icon_of(verdict: Verdict) -> str:
    """Return the sign that stands before the verdict's word."""
    return PENDING_ICON if verdict.is_pending else ICONS[verdict.verdict]


def margins_figures(verdicts: tuple[Verdict, ...]) -> tuple[Figure, ...]:
    """Return one figure for each unit in which the claims speak; none while no claim has a number."""
    return tuple(
        _figure(unit, at, pairs, verdicts) for at, (unit, pairs) in enumerate(_by_unit(_pairs(verdicts)).items())
    )


def deciding_figure(verdicts: Sequence[Verdict]) -> Figure | None:
    """Return each claim in the context on which its verdict turns, of those in the unit of the first; None without."""
    pairs = [(each, each.shown) for each in verdicts if each.shown is not None and each.n]
    for unit, of_unit in _by_unit(pairs).items():
        several = any(len(each.contexts) > 1 for each, _ in of_unit)
        what = "those about fail rates" if unit == _RATE else f"those in {unit}"
        is_pending = any(each.is_pending for each, _ in of_unit)
        text = sentences.deciding(len(of_unit), len(verdicts), what, several, is_pending)
        panel = Panel("", _told(of_unit), margins_drawing([("", _brief(of_unit))], unit, BRIEF))
        return Figure(BRIEF, text, (panel,), _table(of_unit, BRIEF, unit), columns=1)
    return None


def _brief(pairs: list[_Pair]) -> list[MarginRow]:
    """Return a row for each claim, its context cut where there is no room for all of it."""
    return [_row(verdict, context, LONGEST_BRIEF) for verdict, context in pairs]


def context_tables(verdicts: tuple[Verdict, ...]) -> tuple[Table, ...]:
    """Return the table of each figure as its file has it, with the difference in each seed."""
    return tuple(_table(pairs, _name(at), unit) for at, (unit, pairs) in enumerate(_by_unit(_pairs(verdicts)).items()))


def _pairs(verdicts: Sequence[Verdict]) -> list[_Pair]:
    return [(verdict, context) for verdict in verdicts for context in verdict.contexts if context.n]


def _by_unit(pairs: Sequence[_Pair]) -> dict[str, list[_Pair]]:
    units = dict.fromkeys(_unit(verdict.claim) for verdict, context in pairs if context.estimate is not None)
    return {unit: [pair for pair in pairs if _unit(pair[0].claim) == unit] for unit in units}


def _name(at: int) -> str:
    return "claims" if not at else f"claims-{at + 1}"


def _figure(unit: str, at: int, pairs: list[_Pair], verdicts: Sequence[Verdict]) -> Figure:
    """Draw the claims in one unit; `pairs` are those of all `verdicts` that are in it and have a result."""
    shown, of_unit = pairs[:MOST_ROWS], [each for each in verdicts if _unit(each.claim) == unit]
    drawn = {verdict.id for verdict, _ in pairs}
    told = (
        sentences.so_far((len(drawn), len(of_unit)), (len(pairs), sum(len(each.contexts) for each in of_unit))),
        sentences.intervals(at, {context.level for _, context in pairs if _has_interval(context)}),
        None if at else sentences.left_open(verdicts),
        sentences.further(at, "fail rates" if unit == _RATE else unit),
        _narrow(shown),
        sentences.first_contexts(len(shown), len(pairs)),
    )
    text = " ".join(filter(None, told))
    name = _name(at)
    # On the page each claim's own row and evidence have the seeds and the marks, and the figure's caption tells them.
    in_words = _table(pairs, name, unit, in_words=True)
    table = replace(in_words, caption=sentences.by_context(unit)).without("seeds", "marks")
    if not any(context.fails for _, context in pairs):
        table = table.without("fails")
    return Figure(name, text, (_panel(unit, name, shown),), table, columns=1)


def _has_interval(context: ContextResult) -> bool:
    return context.low is not None or context.high is not None


def _unit(claim: Claim) -> str:
    if claim.statement.relation == "fails":
        return _RATE
    if claim.metric == PRIMARY.name or claim.unit == "points":
        return _POINTS
    if claim.is_exact:
        return claim.unit
    return shortened(f"{claim.metric}, {claim.unit}" if claim.unit else claim.metric, 40)


def _panel(unit: str, name: str, pairs: list[_Pair]) -> Panel:
    span = (-0.02, 1.02) if unit == _RATE else None
    return Panel("", _told(pairs), margins_drawing(_blocks(pairs), unit, name, span))


def _told(pairs: list[_Pair]) -> str:
    told = [_described(verdict, context) for verdict, context in pairs[:MOST_TOLD]]
    rest = cut(len(told), len(pairs), "rows", "the table")
    return " ".join([*told, *([rest] if rest else [])])


def _blocks(pairs: list[_Pair]) -> list[tuple[str, list[MarginRow]]]:
    """Return a row for each claim in each context; below the claim's name where both together are too long for one."""
    rows = [_row(verdict, context) for verdict, context in pairs]
    if all(len(row.label) <= LONGEST for row in rows):
        return [("", rows)]
    blocks: dict[str, list[MarginRow]] = {}
    for (verdict, context), row in zip(pairs, rows, strict=True):
        blocks.setdefault(verdict.id, []).append(replace(row, label=context.words))
    return list(blocks.items())


def _row(verdict: Verdict, context: ContextResult, most: int | None = None) -> MarginRow:
    """Return a claim in a context, of whose words at `most` letters are for both; some of the context stay."""
    floor, ceiling = _claimed(verdict.claim)
    label = verdict.id
    if len(verdict.contexts) > 1 and context.words:
        room = len(context.words) if most is None else max(most - len(label) - 2, SHORTEST_CONTEXT)
        label = f"{label}, {shortened(context.words, room)}"
    value = (number if verdict.claim.statement.relation == "fails" else signed_amount)(context.estimate)
    text = f"{icon_of(verdict)} {value}" if context.estimate is not None else f"{icon_of(verdict)} by signs"
    if interval := bracketed(context.low, context.high, amount):
        text += f" {interval}"
    slot = SLOTS[verdict.verdict]
    return MarginRow(label, text, slot, context.estimate, context.low, context.high, floor, ceiling)


def _claimed(claim: Claim) -> tuple[float | None, float | None]:
    """Return the side that the claim says the effect is on."""
    if claim.statement.relation == "==":
        return -claim.margin, claim.margin
    if claim.statement.relation == "fails" and claim.rate[0] in ("<", "<="):
        return None, claim.margin
    return claim.margin, None


def _described(verdict: Verdict, context: ContextResult) -> str:
    effect = "no number" if context.estimate is None else amount(context.estimate)
    margin = margin_in_words(verdict.margin)
    return sentences.against_margin(verdict.id, context.words, effect, margin, verdict.word.lower())


def _by_seed(claim: Claim, context: ContextResult) -> str:
    word = number if claim.statement.relation == "fails" else difference_in_words
    return listed([f"{seed}: {word(value)}" for seed, value in sorted(context.differences.items())], 12)


def difference_in_words(value: float) -> str:
    """Return a difference by seed with its sign, or which sides failed."""
    if math.isnan(value):
        return "both fail"
    return signed_amount(value) if math.isfinite(value) else "one fails"


def _table(pairs: list[_Pair], name: str, unit: str, *, in_words: bool = False) -> Table:
    """Return the numbers of a figure; with the contexts in words, as the page has them, or as settings in its file."""
    columns = (
        Column("claim", "claim"),
        Column("context", "context"),
        *(Column(key, key, 2, is_number=True) for key in ("estimate", "low", "high")),
        Column("margin", "margin", is_number=True),
        Column("level", "level, %", 2, is_number=True),
        Column("n", "n", is_number=True),
        Column("fails", "fails", is_number=True),
        Column("test", "test"),
        p_column("p_support", "p for"),
        p_column("p_refute", "p against"),
        Column("seeds", "by seed"),
        Column("marks", "marks"),
    )
    caption = " ".join(filter(None, (sentences.by_context(unit), _narrow(pairs))))
    in_paper = tuple(each.key for each in columns if each.key != "marks")
    return Table(f"{name}-by-context", caption, columns, tuple(_rows(pairs, in_words=in_words)), in_paper)


def _narrow(pairs: list[_Pair]) -> str | None:
    return skewness.claims(tuple({verdict.id: verdict for verdict, _ in pairs}.values()))


def _rows(pairs: list[_Pair], *, in_words: bool) -> Iterator[tuple[str | float | int | None, ...]]:
    for verdict, each in pairs:
        yield (
            verdict.id,
            (each.words if in_words else each.settings) or None,
            each.estimate,
            each.low,
            each.high,
            verdict.margin,
            100 * each.level,
            each.n,
            each.fails,
            each.test,
            each.p_support,
            each.p_refute,
            _by_seed(verdict.claim, each),
            "; ".join(verdict.badges) or None,
        )
