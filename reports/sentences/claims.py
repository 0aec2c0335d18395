"""What the section on claims says: how they were judged, and what its figure and tables show."""

from collections.abc import Callable, Sequence

from reports.analysis.verdicts import Verdict
from reports.wording import counted, listed, shortened

MOST_NAMES = 12
TABLE = "The declared claims and their verdicts."


def judged(counts: str, verdicts: Sequence[Verdict]) -> str:
    """Say how many claims have which verdict, and how a claim is judged: on its interval, or where it has none."""
    which = "It" if len(verdicts) == 1 else "Each"
    tests = {context.test for verdict in verdicts for context in verdict.contexts}
    signs = "; where seeds fail, or the claim asks for it, by an exact sign test" if "sign" in tests else ""
    return f"{counts}. {which} was declared in the study file and is judged on its interval against its margin{signs}."


def table_on_page(verdicts: Sequence[Verdict]) -> str:
    """Say what the table of claims has: the side an effect counts on, and what p is corrected for."""
    relations = {verdict.claim.statement.relation for verdict in verdicts}
    texts = ["The declared claims, each with its evidence below it."]
    if relations & {"<", ">"}:
        texts.append(
            "The effect of a claim with < or > counts in the claimed direction: a positive one speaks for the claim, "
            "whatever the sign of the arm's Δ in the table of arms."
        )
    if "==" in relations:
        texts.append("The effect of an equality is its left side less its right.")
    several = sum(verdict.p_holm is not None for verdict in verdicts) > 1
    looked = any(verdict.p_look != verdict.p for verdict in verdicts)
    over = [*(["the looks"] if looked else []), *(["the other claims (by Holm)"] if several else [])]
    if over:
        texts.append(f"p is corrected for {listed(over)}.")
    return " ".join(texts)


def marks(verdicts: Sequence[Verdict]) -> str | None:
    """Name the claims that carry a mark, each mark once; nothing where none does."""
    every = dict.fromkeys(badge for verdict in verdicts for badge in verdict.badges)
    if not every:
        return None
    marked = [(badge, [each.id for each in verdicts if badge in each.badges]) for badge in every]
    told = [f"{badge} ({_named(names, len(verdicts))})" for badge, names in marked]
    return f"Marks: {listed(told, len(told))}."


def _named(names: Sequence[str], total: int) -> str:
    if len(names) == total and total > 1:
        return "all"
    return listed([shortened(each, 40) for each in names], MOST_NAMES)


def intervals(place: int) -> str | None:
    """Say how the first figure is read; nothing of a further one."""
    if place:
        return None
    return (
        "Each claim's effect with its interval; the bar across is the margin, the tinted side is what the claim says. "
        "Supported: the interval lies in the tint; refuted: outside it. The level of an interval is that of its look."
    )


def further(place: int, what: str) -> str | None:
    """Say which claims a further figure has; nothing of the first."""
    return f"The claims about {what}, in the same way." if place else None


def equality(verdicts: Sequence[Verdict]) -> str | None:
    """Say when an equality is supported; nothing without one."""
    if not any(verdict.claim.statement.relation == "==" for verdict in verdicts):
        return None
    return (
        "An equality is supported where the whole interval lies within the margin on both sides; "
        "only the wider interval refutes it."
    )


def holm(verdicts: Sequence[Verdict]) -> str | None:
    """Say that the correction may leave open what an interval decides; nothing unless it covers several claims."""
    corrected = {verdict.id for verdict in verdicts if verdict.p_holm is not None}
    if len(corrected) < 2:
        return None
    return "Holm's correction over the claims may leave open what an interval alone would decide."


def first_contexts(shown: int, total: int) -> str | None:
    """Say how many contexts are drawn; nothing where all are."""
    return f"The first {shown} of {counted(total, 'context')}." if shown < total else None


def deciding(count: int, several: bool) -> str:
    """Say what the figure of the first screen shows where not every context fits."""
    each = counted(count, "claim")
    return f"{each}, {'each ' if count > 1 else ''}in the context that decides it" if several else each


def against_margin(claim: str, where: str, effect: str, margin: str, word: str) -> str:
    """Tell an effect, the margin it is held against, and the verdict."""
    at = f" at {where}" if where else ""
    return f"{claim}{at}: {effect} against a margin of {margin}, {word}."


def by_context(unit: str) -> str:
    """Say what the table of contexts has."""
    return f"The claims in each context, in {unit}; p is one-sided."


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"claims.{sentence.__name__}": sentence
    for sentence in (
        judged,
        table_on_page,
        marks,
        intervals,
        further,
        equality,
        holm,
        first_contexts,
        deciding,
        against_margin,
        by_context,
    )
}
