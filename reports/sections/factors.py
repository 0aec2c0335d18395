"""Which factor matters: the analysis of variance, each factor's share, the levels' means, and the seed's share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from reports.analysis.badges import SKEWED
from reports.analysis.factors import Anova, study_anova
from reports.analysis.intervals import mean_interval
from reports.analysis.readings import finite, grid
from reports.analysis.shares import Shares, study_shares
from reports.analysis.skewness import is_skewed_sample
from reports.figures.bars import Bar, bars_drawing
from reports.figures.figure import Figure, Panel
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.sections.interaction import interaction_figure
from reports.sentences import factors as sentences
from reports.sentences import said, skewness
from reports.sentences.factors import term_name
from reports.tables import Cell, Column, Table, p_column
from reports.wording import level, shortened

MOST_LEVELS = 60
_SEED = f"{sentences.SEEDS}, in one trial"
"""Its row in the table, beside the shares of another whole."""


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
    anova = _named(findings, study_anova(study))
    levels = _levels_table(findings) if len(varying) > 1 else None
    tables = tuple(table for table in (_anova_table(anova), levels) if table is not None)
    notes = [sentences.no_shares(reason if shares is None and not findings.whole.search else None)]
    if anova is not None:
        notes += [sentence(anova) for sentence in sentences.CAVEATS]
    if shares is not None and len(varying) == 1:
        notes.append(sentences.seed_share(shares))
    together = interaction_figure(findings, shares)
    figures = (_figure(shares),) if shares and len(varying) > 1 else ()
    return Factors((*figures, *([together] if together else [])), tables, tuple(filter(None, notes)))


def _named(findings: Findings, anova: Anova | None) -> Anova | None:
    """Call the arms with fails as the page does."""
    names = arm_names(findings)
    return anova and replace(anova, failed=tuple(names.get(each, each) for each in anova.failed))


def _figure(shares: Shares) -> Figure:
    bars = [
        Bar(term_name(each.term), 100 * each.corrected, _percent(each.low), _percent(each.high), 1)
        for each in sorted(shares.shares, key=lambda each: -each.corrected)
    ]
    blocks = [(sentences.OF_ARMS, bars)]
    if shares.seed_share is not None:
        blocks.append((sentences.OF_TRIALS, [Bar(sentences.SEEDS, 100 * shares.seed_share, None, None, 2)]))
    panel = Panel("", sentences.largest(shares), bars_drawing(blocks, "shares"))
    return Figure("shares", said(shares, sentences.SHARES), (panel,), _shares_table(shares), columns=1)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _shares_table(shares: Shares) -> Table:
    columns = (
        Column("term", "factor"),
        Column("share", "share, %", 1, is_number=True),
        Column("low", "low", 1, is_number=True),
        Column("high", "high", 1, is_number=True),
        Column("raw", "with noise, %", 1, is_number=True),
    )
    rows: list[tuple[Cell, ...]] = [
        (term_name(each.term), 100 * each.corrected, _percent(each.low), _percent(each.high), 100 * each.raw)
        for each in shares.shares
    ]
    if shares.seed_share is not None:
        rows.append((_SEED, 100 * shares.seed_share, None, None, None))
    return Table("shares", sentences.SHARES_TABLE, columns, tuple(rows))


def _anova_table(anova: Anova | None) -> Table | None:
    if anova is None:
        return None
    columns = (
        Column("term", "term"),
        Column("squares", "sum of squares", _decimals(anova), is_number=True, is_count=True),
        Column("df", "df", is_number=True),
        Column("f", "F", 2, is_number=True, is_count=True),
        p_column("p", "p"),
        Column("partial_eta2", "partial η²", 3, is_number=True),
        Column("omega2", "ω²", 3, is_number=True),
    )
    rows: list[tuple[Cell, ...]] = [
        (term_name(each.term, anova.joined), each.squares, each.df, each.f, each.p, each.partial_eta2, each.omega2)
        for each in anova.effects
    ]
    if anova.mse is not None:
        rows.append(("residual", anova.mse * anova.df, anova.df, None, None, None, None))
    return Table("anova", sentences.anova(anova), columns, tuple(rows))


def _decimals(anova: Anova) -> int:
    """Return the decimals with which the largest sum of squares has four digits, or none where it has more."""
    return max(0, 4 - len(f"{max((each.squares for each in anova.effects), default=0.0):.0f}"))


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
            mine = {arms[cell] for cell in cells if cell[at] == one}
            note = _doubt(findings, mine, dict(zip(seeds, by_seed, strict=True)))
            rows.append((shortened(factor, 40), shortened(level(one), 40), mean, low, high, len(seeds), note))
    columns = (
        Column("factor", "factor"),
        Column("level", "level"),
        Column("mean", PRIMARY.label, 2, is_number=True),
        Column("low", "low", 2, is_number=True),
        Column("high", "high", 2, is_number=True),
        Column("n", "n", is_number=True),
        Column("note", "note"),
    )
    caption = " ".join(filter(None, (sentences.LEVELS_TABLE, skewness.arms(findings))))
    table = Table("main-effects", caption, columns, tuple(rows))
    return table if any(row[-1] for row in rows) else table.without("note")


def _doubt(findings: Findings, arms: Collection[str], averages: Mapping[int, float]) -> str | None:
    """Say that the interval of these arms' averages by seed may be too narrow; nothing where no seed shows it."""
    is_seen = findings.skewness is not None or not set(findings.skewed_arms).isdisjoint(arms)
    return SKEWED if is_seen or is_skewed_sample(averages) else None
