"""What the analysis of the factors says: shares of the variance, the analysis of variance, interactions."""

from collections.abc import Callable, Mapping, Sequence

from reports.analysis.factors import SEED, Anova
from reports.analysis.shares import Shares
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.wording import bracketed, counted, listed, number, shortened

MOST_NAMES = 4
SEEDS = "between the seeds of one arm"
"""What the share is called that is no factor's: seed and residual together, of the variance of single trials."""
OF_ARMS, OF_TRIALS = "Variance between arms", "Variance of single trials"
"""What the bars of the figure are shares of."""
SHARES_TABLE = f"Shares of the variance between arms; the spread {SEEDS} is a share of one trial's variance."
LEVELS_TABLE = (
    f"Main effects: each level's {PRIMARY.title}, averaged over all other factors, with 95 % intervals over seeds."
)


def term_name(term: tuple[str, ...], joined: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Return a term in words; of factors that the analysis had to join, it names each."""
    made = {
        factor: f"{listed([shortened(part, 40) for part in parts], MOST_NAMES)} together"
        for factor, parts in (joined or {}).items()
    }
    around = "({})" if len(term) > 1 else "{}"
    return " × ".join(around.format(made[each]) if each in made else shortened(each, 40) for each in term)


# ---- shares ----


def no_shares(reason: str | None) -> str | None:
    """Say why the variance is not shared out; nothing where it is, or nothing hinders it."""
    return f"No shares of the variance are given, since {reason}." if reason else None


def shares(decomposed: Shares) -> str:
    """Say what the shares are of."""
    return (
        "How much of the differences between the arms each factor explains: the exact decomposition of the arm means, "
        f"less what noise alone would put there (n={decomposed.n})."
    )


def share_intervals(decomposed: Shares) -> str | None:
    """Say how the intervals were had; nothing without them."""
    return f"Intervals at 95 %, {decomposed.interval}." if decomposed.interval else None


def seed_share(decomposed: Shares) -> str | None:
    """Tell the share of the spread between seeds; nothing where it is not known."""
    if decomposed.seed_share is None:
        return None
    share = f"{100 * decomposed.seed_share:.1f} %"
    return f"The spread {SEEDS}, seed and residual together, is {share} of the variance of single trials."


def largest_share(largest_first: Sequence[tuple[str, float, float | None, float | None]]) -> str:
    """Name the largest of the shares (name, share, low, high), and whether its interval sets it apart."""
    (name, share, low, high), *others = largest_first
    text = f"The largest share of the variance between arms is that of {name}, {share:.1f} %"
    if low is None or high is None:
        return f"{text}; without intervals the shares cannot be told apart."
    near = [other for other, _, _, end in others if end is None or end >= low]
    told = "its interval lies above those of all others"
    if near:
        told = f"its interval does not set it apart from {'that' if len(near) == 1 else 'those'} of {listed(near)}"
    return f"{text} {bracketed(low, high, lambda end: number(end, 1))}; {told}."


def largest(decomposed: Shares) -> str:
    """Name the largest of the shares of a study."""

    def in_percent(end: float | None) -> float | None:
        return None if end is None else 100 * end

    ordered = sorted(decomposed.shares, key=lambda each: -each.corrected)
    return largest_share(
        [(term_name(each.term), 100 * each.corrected, in_percent(each.low), in_percent(each.high)) for each in ordered]
    )


# ---- analysis of variance ----


def anova(table: Anova) -> str:
    """Say of what the analysis of variance is, and of how many of the planned trials."""
    what = f"ranks of the {PRIMARY.title}, a fail last" if table.ranked else PRIMARY.title
    caption = f"Analysis of variance of the {what}, type {'I' * table.kind}, the seed as a block"
    return f"{caption}: {table.n} of {table.planned} trials."


def of_ranks(table: Anova) -> str | None:
    """Say that fails make it an analysis of ranks; nothing without one."""
    if not table.failed:
        return None
    names = listed(shortened(each) for each in table.failed)
    return (
        f"Seeds fail in {counted(len(table.failed), 'arm')}: {names}. A fail has no number to average, so that the "
        "analysis of variance is of ranks, in which all fails are alike and last; an interaction of ranks is a "
        "sketch, since it depends on how the errors are spread as well."
    )


def joined(table: Anova) -> str | None:
    """Say which factors cannot be told apart; nothing where all can."""
    said = []
    for factors in table.joined.values():
        names = listed((shortened(factor, 40) for factor in factors), len(factors))
        said.append(
            f"In the trials at hand {names} do not vary apart from one another, so that their effects cannot be told "
            "apart: the analysis of variance has one term for them together."
        )
    return " ".join(said) or None


def one_test(table: Anova) -> str | None:
    """Say what the only term of factors tests; nothing where there are several, or it is one factor."""
    terms = [row.term for row in table.effects if row.term != (SEED,)]
    if len(terms) != 1 or terms[0][0] not in table.joined:
        return None
    return (
        "It is one test of whether the arms differ at all; which of them do is asked pair by pair above, with a "
        "correction for the number of pairs."
    )


def dropped(table: Anova) -> str | None:
    """Name the terms that the trials cannot estimate; nothing where they estimate all."""
    if not table.dropped:
        return None
    *others, last = (term_name(term, table.joined) for term in table.dropped)
    either = f"{', '.join(others)} or {last}" if others else last
    return f"The trials at hand cannot estimate {either}."


def error_terms(table: Anova) -> str | None:
    """Say which terms stand in for the error; nothing where trials are left for it."""
    if not table.error_terms:
        return None
    terms = listed([term_name(term, table.joined) for term in table.error_terms])
    verb = "stands" if len(table.error_terms) == 1 else "stand"
    return f"With no trials to spare, {terms} {verb} in for the error: read the F tests as a sketch."


# ---- interaction ----


def interaction(findings: Findings, pair: tuple[str, str]) -> str:
    """Say which two factors are drawn, and why these of several; and what parallel lines mean."""
    along, apart = (shortened(each, 40) for each in pair)
    others = [name for name, levels in findings.study.factors.items() if len(levels) > 1 and name not in pair]
    text = f"Interaction of {along} and {apart}: mean {PRIMARY.title} with its 95 % interval over seeds"
    if others:
        text += (
            f", averaged over {listed(shortened(each, 40) for each in others)}; of all pairs this one interacts most"
        )
    return f"{text}. Parallel lines: the factors add up; lines that are not: the effect of one depends on the other."


def means(label: str, values: Sequence[tuple[str, float]]) -> str:
    """Tell the means of one line by level."""
    return f"{label}: {', '.join(f'{number(mean)} % at {shortened(one, 40)}' for one, mean in values)}."


def cut_at_zero(lows: Sequence[float]) -> str | None:
    """Say that intervals (their low ends) are drawn no further than zero; nothing where none goes there."""
    below = sum(low < 0 for low in lows)
    if not below:
        return None
    return f"{counted(below, 'interval')} cut at 0, below which {'it goes' if below == 1 else 'they go'} on."


def interaction_table(pair: tuple[str, str]) -> str:
    """Say what the table under the interaction has."""
    return f"The means by {pair[0]} and {pair[1]}."


SHARES = (shares, share_intervals, seed_share)
CAVEATS = (of_ranks, joined, one_test, dropped, error_terms)

SENTENCES: dict[str, Callable[..., str | None]] = {
    f"factors.{sentence.__name__}": sentence
    for sentence in (
        no_shares, *SHARES, largest_share, anova, *CAVEATS, interaction, means, cut_at_zero, interaction_table,
    )
}  # fmt: skip
