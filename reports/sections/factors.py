"""Which factor matters: the analysis of variance, each factor's share, the levels' means, and the seed's share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from reports.analysis.factors import Anova, study_anova
from reports.analysis.intervals import mean_interval
from reports.analysis.readings import finite, grid
from reports.analysis.shares import Shares, study_shares
from reports.figures.bars import Bar, bars_drawing
from reports.figures.figure import Figure, Panel
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.sections.interaction import interaction_figure
from reports.tables import Cell, Column, Table, p_column
from reports.wording import bracketed, counted, level, listed, shortened

MOST_LEVELS = 60
MOST_NAMES = 4
_SEED = "the seed, in one trial"


@dataclass(frozen=True)
class Factors:
    """What the factors do: a figure of shares where the grid has them, tables, and notes on what is left out."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def factors_of(findings: Findings) -> Factors:
    """Analyse the study's grid; nothing for a study that is none, or has one factor of two levels."""
    study = findings.study
    varying = [factor for factor, levels in study.factors.items() if len(levels) > 1]
    if not varying or len(findings.arms) < 3:
        return Factors((), (), ())
    shares, reason = study_shares(study)
    anova = study_anova(study)
    levels = _levels_table(findings) if len(varying) > 1 else None
    tables = tuple(table for table in (_anova_table(anova), levels) if table is not None)
    is_grid = not findings.whole.search
    notes = [f"No shares of the variance: {reason}."] if shares is None and reason and is_grid else []
    if anova is not None:
        notes += _caveats(anova)
    if shares is not None and len(varying) == 1 and shares.seed_share is not None:
        notes.append(f"The seed accounts for {100 * shares.seed_share:.1f} % of the variance of single trials.")
    together = interaction_figure(findings, shares)
    figures = (_figure(shares),) if shares and len(varying) > 1 else ()
    return Factors((*figures, *([together] if together else [])), tables, tuple(notes))


def _figure(shares: Shares) -> Figure:
    bars = [
        Bar(_name(each.term), 100 * each.corrected, _percent(each.low), _percent(each.high), 1)
        for each in sorted(shares.shares, key=lambda each: -each.corrected)
    ]
    text = (
        "How much of the differences between the arms each factor explains: the exact decomposition of the arm means, "
        f"less what noise alone would put there (n={shares.n})."
    )
    if shares.interval:
        text += f" Intervals at 95 %, {shares.interval}."
    if shares.seed_share is not None:
        bars.append(Bar(_SEED, 100 * shares.seed_share, None, None, 2))
        text += f" The seed accounts for {100 * shares.seed_share:.1f} % of the variance of single trials."
    panel = Panel("", _largest(bars[: len(shares.shares)]), bars_drawing(bars, "shares"))
    return Figure("shares", text, (panel,), _shares_table(shares), columns=1)


def _largest(bars: Sequence[Bar]) -> str:
    """Name the largest of the shares, and whether its interval sets it apart from the others."""
    first, others = bars[0], bars[1:]
    text = f"The largest share of the variance between arms is that of {first.label}, {first.share:.1f} per cent"
    if first.low is None or first.high is None:
        return f"{text}; without intervals the shares cannot be told apart."
    is_apart = all(each.high is not None and each.high < first.low for each in others)
    told = "its interval lies above those of all others" if is_apart else "the intervals do not tell the shares apart"
    return f"{text} {bracketed(first.low, first.high)}; {told}."


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _name(term: tuple[str, ...], joined: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Return a term in words; of factors that the analysis had to join, it names each."""
    made = {factor: f"{_listed(parts)} together" for factor, parts in (joined or {}).items()}
    around = "({})" if len(term) > 1 else "{}"
    return " × ".join(around.format(made[each]) if each in made else shortened(each, 40) for each in term)


def _listed(factors: tuple[str, ...]) -> str:
    return listed([shortened(factor, 40) for factor in factors], MOST_NAMES)


def _shares_table(shares: Shares) -> Table:
    columns = (
        Column("term", "factor"),
        Column("share", "share, %", 1, is_number=True),
        Column("low", "low", 1, is_number=True),
        Column("high", "high", 1, is_number=True),
        Column("raw", "with noise, %", 1, is_number=True),
    )
    rows: list[tuple[Cell, ...]] = [
        (_name(each.term), 100 * each.corrected, _percent(each.low), _percent(each.high), 100 * each.raw)
        for each in shares.shares
    ]
    if shares.seed_share is not None:
        rows.append((_SEED, 100 * shares.seed_share, None, None, None))
    caption = "Shares of the variance between arms; that of the seed is a share of one trial's variance."
    return Table("shares", caption, columns, tuple(rows))


def _anova_table(anova: Anova | None) -> Table | None:
    if anova is None:
        return None
    columns = (
        Column("term", "term"),
        Column("squares", "sum of squares", 3, is_number=True),
        Column("df", "df", is_number=True),
        Column("f", "F", 2, is_number=True),
        p_column("p", "p"),
        Column("partial_eta2", "partial η²", 3, is_number=True),
        Column("omega2", "ω²", 3, is_number=True),
    )
    rows: list[tuple[Cell, ...]] = [
        (_name(each.term, anova.joined), each.squares, each.df, each.f, each.p, each.partial_eta2, each.omega2)
        for each in anova.effects
    ]
    if anova.mse is not None:
        rows.append(("residual", anova.mse * anova.df, anova.df, None, None, None, None))
    what = f"ranks of the {PRIMARY.title}, a fail last" if anova.ranked else PRIMARY.title
    caption = f"Analysis of variance of the {what}, type {'I' * anova.kind}, the seed as a block"
    return Table("anova", f"{caption}: {anova.n} of {anova.planned} trials.", columns, tuple(rows))


def _caveats(anova: Anova) -> Iterator[str]:
    if anova.failed:
        names = listed(shortened(each) for each in anova.failed)
        yield (
            f"Seeds fail in {counted(len(anova.failed), 'arm')}: {names}. A fail has no number to average, so that the "
            "analysis of variance is of ranks, in which all fails are alike and last; an interaction of ranks is a "
            "sketch, since it depends on how the errors are spread as well."
        )
    for factors in anova.joined.values():
        names = listed((shortened(factor, 40) for factor in factors), len(factors))
        yield (
            f"In the trials at hand {names} do not vary apart from one another, so that their effects cannot be told "
            "apart: the analysis of variance has one term for them together."
        )
    if anova.dropped:
        terms = listed(_name(term, anova.joined) for term in anova.dropped)
        yield f"The trials at hand cannot estimate {terms}."
    if anova.error_terms:
        terms = listed([_name(term, anova.joined) for term in anova.error_terms])
        verb = "stands" if len(anova.error_terms) == 1 else "stand"
        yield f"With no trials to spare, {terms} {verb} in for the error: read the F tests as a sketch."


def _levels_table(findings: Findings) -> Table | None:
    """Return the mean of each level over all other factors, where the grid is full and no trial failed."""
    study = findings.study
    by_arm = grid(study)
    arms = {tuple(arm.levels.get(factor) for factor in study.factors): arm.name for arm in findings.arms}
    cells = list(product(*study.factors.values()))
    values = {cell: by_arm.get(arms.get(cell, ""), {}) for cell in cells}
    seeds = sorted(set.intersection(*(set(finite(each)) for each in values.values()))) if cells else []
    whole = all(len(finite(each)) == len(each) for each in values.values())
    if not seeds or not whole or sum(map(len, study.factors.values())) > MOST_LEVELS:
        return None
    rows: list[tuple[Cell, ...]] = []
    for at, (factor, levels) in enumerate(study.factors.items()):
        for one in levels if len(levels) > 1 else ():
            by_seed = [float(np.mean([values[cell][seed] for cell in cells if cell[at] == one])) for seed in seeds]
            mean, (low, high) = float(np.mean(by_seed)), mean_interval(by_seed) or (None, None)
            rows.append((shortened(factor, 40), shortened(level(one), 40), mean, low, high, len(seeds)))
    columns = (
        Column("factor", "factor"),
        Column("level", "level"),
        Column("mean", PRIMARY.label, 2, is_number=True),
        Column("low", "low", 2, is_number=True),
        Column("high", "high", 2, is_number=True),
        Column("n", "n", is_number=True),
    )
    caption = (
        f"Main effects: each level's {PRIMARY.title}, averaged over all other factors, with 95 % intervals over seeds."
    )
    return Table("main-effects", caption, columns, tuple(rows))
