"""How two factors act together: the mean at each level of one, a line for each level of the other."""

from collections.abc import Mapping
from itertools import product

import numpy as np

from reports.analysis.intervals import mean_interval
from reports.analysis.readings import finite, grid
from reports.analysis.shares import Shares
from reports.figures.figure import Figure, Panel
from reports.figures.interaction import Means, interaction_drawing
from reports.figures.theme import MOST_SERIES
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.sentences import factors as sentences
from reports.sentences import skewness
from reports.tables import Cell, Column, Table
from reports.trials import Scalar
from reports.wording import level, shortened

MOST_LEVELS = 12


def interaction_figure(findings: Findings, shares: Shares | None) -> Figure | None:
    """Return the figure of the two factors that vary, or of the pair whose interaction explains most.

    None where the figure of error against a numeric factor shows the same, where arms of the grid are missing or
    failed, and where there are more levels than can be drawn.
    """
    pair = _pair(findings, shares)
    if pair is None:
        return None
    along, apart = pair
    factors = findings.study.factors
    cells = {
        cell: _by_seed(findings, dict(zip(pair, cell, strict=True))) for cell in product(*(factors[f] for f in pair))
    }
    if any(len(each) < 1 for each in cells.values()):
        return None
    lines: list[Means] = []
    rows: list[tuple[Cell, ...]] = []
    for slot, other in enumerate(_baseline_first(findings, apart)):
        means = [_mean(cells[one, other]) for one in factors[along]]
        label = level(other) if isinstance(other, str) else f"{apart} {level(other)}"
        lines.append(Means(label, slot, *(tuple(each) for each in zip(*means, strict=True))))
        rows += [
            (level(one), level(other), *mean, len(cells[one, other]))
            for one, mean in zip(factors[along], means, strict=True)
        ]
    levels = [level(each) for each in factors[along]]
    drawing = interaction_drawing(lines, shortened(along, 40), levels, "interaction")
    described = " ".join(sentences.means(line.label, list(zip(levels, line.mean, strict=True))) for line in lines)
    panel = Panel("", described, drawing)
    cut = sentences.cut_at_zero([low for line in lines for low in line.low])
    caption = " ".join(filter(None, (sentences.interaction(findings, pair), cut, skewness.arms(findings))))
    return Figure("interaction", caption, (panel,), _table(pair, rows), columns=1)


def _pair(findings: Findings, shares: Shares | None) -> tuple[str, str] | None:
    """Return the factor along the axis and the one with a line a level: the one with fewer levels."""
    factors = {name: levels for name, levels in findings.study.factors.items() if len(levels) > 1}
    pair = tuple(factors)
    if len(pair) > 2:
        pairs = [each for each in shares.shares if len(each.term) == 2] if shares is not None else []
        pair = max(pairs, key=lambda each: each.corrected).term if pairs else ()
    elif findings.layout.axis in pair:
        return None
    if len(pair) != 2:
        return None
    apart, along = sorted(pair, key=lambda name: len(factors[name]))
    return (along, apart) if len(factors[apart]) <= MOST_SERIES and len(factors[along]) <= MOST_LEVELS else None


def _baseline_first(findings: Findings, factor: str) -> list[Scalar]:
    base = findings.study.baseline.get(factor)
    return sorted(findings.study.factors[factor], key=lambda each: each != base)


def _by_seed(findings: Findings, fixed: Mapping[str, Scalar]) -> list[float]:
    """Return the mean over all other factors in each seed; nothing where an arm is missing or has a fail."""
    study = findings.study
    values = grid(study)
    free = {name: levels for name, levels in study.factors.items() if name not in fixed}
    wanted = [{**fixed, **dict(zip(free, levels, strict=True))} for levels in product(*free.values())]
    arms = {tuple(arm.levels.get(name) for name in study.factors): arm.name for arm in findings.arms}
    readings = [values.get(arms.get(tuple(each[name] for name in study.factors), ""), {}) for each in wanted]
    if any(not each or len(finite(each)) < len(each) for each in readings):
        return []
    seeds = sorted(set.intersection(*(set(each) for each in readings)))
    return [float(np.mean([each[seed] for each in readings])) for seed in seeds]


def _mean(values: list[float]) -> tuple[float, float, float]:
    mean = float(np.mean(values))
    return (mean, *(mean_interval(values) or (mean, mean)))


def _table(pair: tuple[str, str], rows: list[tuple[Cell, ...]]) -> Table:
    along, apart = pair
    columns = (
        Column("along", along),
        Column("apart", apart),
        Column("mean", f"mean {PRIMARY.label}", 2, is_number=True),
        Column("low", "low", 2, is_number=True),
        Column("high", "high", 2, is_number=True),
        Column("n", "n", is_number=True),
    )
    return Table("interaction", sentences.interaction_table(pair), columns, tuple(rows))
