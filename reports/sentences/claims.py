"""What the section on claims says: how they were judged, and what its figure and tables show."""

from collections.abc import Callable, Iterable, Sequence

from reports.analysis.badges import FURTHER, LEFT_OUT, POST_HOC, SHARED, UNPLANNED, WITHDRAWN
from reports.analysis.effects import Student
from reports.analysis.outliers import LEAST_BY_T
from reports.analysis.verdicts import Verdict
from reports.wording import counted, listed, shortened

MOST_NAMES = 12
TABLE = "The declared claims and their verdicts."


def judged(counts: str, verdicts: Sequence[Verdict]) -> str:
    """Say how many claims have which verdict, and how a claim is judged: on its interval, or where it has none."""
    which = "It" if len(verdicts) == 1 else "Each"
    tests = {context.test for verdict in verdicts for context in verdict.contexts}
    signs = "; where seeds fail, or the claim asks for it, by an exact sign test" if "sign" in tests else ""
    few = f"; below {LEAST_BY_T} seeds the exact sign flips must agree" if _has_few_seeds(verdicts) else ""
    how = f"is judged on its interval against its margin{few}{signs}"
    return f"{counts}. {which} was declared in the study file and {how}."


def fewest_by_t(verdicts: Sequence[Verdict]) -> int | None:
    """Return the least number of seeds on which Student's t judges a claim; None where it judges none."""
    contexts = (each for verdict in verdicts for each in verdict.contexts)
    return min((each.n for each in contexts if isinstance(each.effect, Student)), default=None)


def _has_few_seeds(verdicts: Sequence[Verdict]) -> bool:
    """Whether a claim has so few seeds that the exact sign flips must agree with Student's t."""
    fewest = fewest_by_t(verdicts)
    return fewest is not None and fewest < LEAST_BY_T


def _any_has(verdicts: Sequence[Verdict], *badges: str) -> bool:
    return any(badge in verdict.badges for verdict in verdicts for badge in badges)


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


def interval_head(levels: Iterable[float]) -> str:
    """Return what heads a column of intervals: their level where they share it."""
    shared = levels_in_words(levels)
    return "interval" if " and " in shared else f"{shared} interval".strip()


def levels_in_words(levels: Iterable[float]) -> str:
    """Return the levels of intervals, each once: "96.67 and 98.33 %"; nothing without an interval."""
    every = [f"{100 * each:.4g}" for each in sorted(set(levels))]
    return f"{listed(every)} %" if every else ""


def intervals(place: int, levels: Iterable[float]) -> str | None:
    """Say how the first figure is read, and at which level its intervals are; nothing of a further one."""
    if place:
        return None
    told = levels_in_words(levels)
    at = f" at {told}, the level of its look" if " and " in told else f" at {told}" if told else ""
    return (
        f"Each claim's effect with its interval{at}; the bar across is the margin, the tinted side is what the claim "
        "says. An interval wholly in the tint supports the claim, one wholly outside of it refutes it."
    )


def further(place: int, what: str) -> str | None:
    """Say which claims a further figure has; nothing of the first."""
    return f"The claims about {what}, in the same way." if place else None


def left_open(verdicts: Sequence[Verdict]) -> str | None:
    """Say what may leave a claim open that its interval alone would decide; nothing where nothing does."""
    corrected = {verdict.id for verdict in verdicts if verdict.p_holm is not None}
    reasons = {
        "Holm's correction over the claims": len(corrected) > 1,
        "the other contexts of a claim": any(len(verdict.contexts) > 1 for verdict in verdicts),
        f"the exact sign flips that must agree below {LEAST_BY_T} seeds": _has_few_seeds(verdicts),
        "the e-value of seeds that were not planned": _any_has(verdicts, UNPLANNED),
        "what the marks of a claim name": _any_has(verdicts, POST_HOC, LEFT_OUT, FURTHER, SHARED, WITHDRAWN),
    }
    told = listed(reason for reason, holds in reasons.items() if holds)
    return f"{told[0].upper()}{told[1:]} may leave open what an interval alone would decide." if told else None


def so_far(claims: tuple[int, int], contexts: tuple[int, int]) -> str | None:
    """Say how many claims and contexts have a result, of how many; nothing where all have."""
    if contexts[0] == contexts[1]:
        return None
    parts = [(claims, "claim"), (contexts, "context")] if contexts[1] > claims[1] else [(claims, "claim")]
    told = [f"{known:,} of {counted(total, noun)}" for (known, total), noun in parts if known < total]
    return f"Those with a result: {listed(told)}."


def first_contexts(shown: int, total: int) -> str | None:
    """Say how many contexts are drawn; nothing where all are."""
    return f"The first {shown} of {counted(total, 'context')}." if shown < total else None


def deciding(count: int, total: int, what: str, several: bool, is_pending: bool) -> str:
    """Say what the figure of the first screen shows where not every context fits, or not every claim."""
    which = counted(count, "claim") if count == total else f"{count} of {counted(total, 'claim')}, {what}"
    if not several:
        return which
    each = "each " if count > 1 else ""
    return f"{which}, {each}in {'one context so far' if is_pending else 'the context on which its verdict turns'}"


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
        left_open,
        so_far,
        first_contexts,
        deciding,
        against_margin,
        by_context,
    )
}
