"""Which factor matters: the analysis of variance with the seed as a block, and each factor's share of the variance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import scipy
from numpy.typing import NDArray

from reports.analysis.balanced import balanced_squares, is_balanced
from reports.analysis.readings import compared, grid
from reports.metrics import PRIMARY
from reports.results import Study
from reports.trials import Scalar

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]
Term = tuple[str, ...]
SEED = "seed"
MOST_COLUMNS = 300
"""Least squares of more columns than that take up to minutes; where the design is balanced, its means are taken."""


@dataclass(frozen=True)
class Observation:
    """One reading with the levels it was had under; the seed is a level like any other."""

    levels: Mapping[str, Scalar]
    value: float


@dataclass(frozen=True)
class AnovaRow:
    """One line of the table: sum of squares, F test and effect sizes (partial eta², omega²)."""

    term: Term
    squares: float
    df: int
    f: float | None
    p: float | None
    partial_eta2: float | None
    omega2: float | None


@dataclass(frozen=True)
class Anova:
    """The table. `mse` on `df` is the residual; `dropped` are interactions that the trials at hand cannot estimate.

    `joined` holds factors whose effects the trials at hand cannot tell apart: the name under which the table has one
    term for them all, and which they are. `error_terms` are the interactions of the highest order where these stand in
    for the error, since nothing else is left of it; verdicts must then stay open. `n` of `planned` trials have a
    number; the fails are of the arms in `failed`. `ranked` says that ranks were analysed instead of the readings.
    """

    effects: tuple[AnovaRow, ...]
    squares: float
    mse: float | None
    df: int
    kind: int
    n: int
    planned: int
    dropped: tuple[Term, ...]
    joined: Mapping[str, Term]
    error_terms: tuple[Term, ...]
    failed: tuple[str, ...]
    ranked: bool = False

    def effect(self, *term: str) -> AnovaRow:
        """Return the line of one term; KeyError when the table has none."""
        for each in self.effects:
            if set(each.term) == set(term):
                return each
        raise KeyError(term)


def study_anova(study: Study, metric: str = PRIMARY.name, kind: int = 2, blocked: bool = True) -> Anova | None:
    """Analyse the study's grid, or where an arm has fails the ranks of all readings, a fail last and all fails alike.

    Ranks keep the arms that fail in the analysis, which the means of their other seeds would flatter (the rank
    transform of Conover and Iman 1981). None when there is too little to analyse.
    """
    readings = grid(study, metric)
    live = [arm for arm in study.arms if not arm.orphaned]
    names = {arm.name for arm in live}
    failed = tuple(arm.name for arm in live if not all(map(math.isfinite, readings[arm.name].values())))
    rows = [
        Observation({**arm.levels, SEED: seed}, value) for arm in live for seed, value in readings[arm.name].items()
    ]
    if failed:
        ranks = scipy.stats.rankdata([row.value for row in rows])
        rows = [Observation(row.levels, float(rank)) for row, rank in zip(rows, ranks, strict=True)]
    planned = sum(trial.arm in names for trial in compared(study))
    made = anova(rows, tuple(study.factors), kind=kind, blocked=blocked, planned=planned, failed=failed)
    return replace(made, ranked=True) if made is not None and failed else made


def anova(
    rows: Sequence[Observation],
    factors: Sequence[str],
    *,
    kind: int = 2,
    blocked: bool = True,
    planned: int | None = None,
    failed: tuple[str, ...] = (),
) -> Anova | None:
    """Return the analysis of variance of value ~ all factors with all interactions (+ seed), type `kind` 2 or 3.

    Sums to zero within each factor; omega² = (SS - df mse) / (SS_total + mse). Beyond four factors, interactions of
    more than three are left to the residual. Factors whose main effects cannot be told apart are analysed as one
    factor, each combination of their levels a level of it; interactions that cannot are left out, all of them. So the
    order of the factors credits none. None when no term can be estimated.
    """
    if len(rows) < 3:
        return None
    readings = np.array([row.value for row in rows])
    squares = float(((readings - readings.mean()) ** 2).sum())
    codes = {factor: _coded([row.levels[factor] for row in rows]) for factor in (*factors, SEED)}
    varying = [factor for factor in factors if codes[factor].any()]
    by_means = _is_wide(varying, codes) and is_balanced({each: codes[each] for each in (*varying, SEED)})
    varying, joined = (varying, {}) if by_means else _join_aliased(varying, codes)
    highest = len(varying) if len(varying) <= 4 else 3
    wanted = [term for order in range(1, highest + 1) for term in combinations(varying, order)]
    if blocked and codes[SEED].any():
        wanted.insert(len(varying), (SEED,))
    terms, dropped = (_sizes(wanted, codes), []) if by_means else _estimable(wanted, codes, len(rows))
    error_terms: tuple[Term, ...] = ()
    if terms and len(rows) - 1 - sum(terms.values()) == 0:
        highest_order = max(map(_order, terms))
        error_terms = tuple(term for term in terms if _order(term) == highest_order)
        terms = {term: df for term, df in terms.items() if term not in error_terms}
    if not terms or squares <= 0:
        return None
    if by_means:
        effects, mse, df = _by_means(terms, {each: codes[each] for each in (*varying, SEED)}, readings, squares)
    else:
        effects, mse, df = _fitted(tuple(terms), codes, readings, kind, squares)
    planned = len(rows) if planned is None else planned
    return Anova(effects, squares, mse, df, kind, len(rows), planned, tuple(dropped), joined, error_terms, failed)


def _is_wide(varying: Sequence[str], codes: Mapping[str, Codes]) -> bool:
    return sum(int(codes[factor].max()) for factor in (*varying, SEED)) > MOST_COLUMNS


def _sizes(terms: Sequence[Term], codes: Mapping[str, Codes]) -> dict[Term, int]:
    """Return the degrees of freedom of each term of a balanced design."""
    return {term: math.prod(int(codes[factor].max()) for factor in term) for term in terms}


def _by_means(
    terms: Mapping[Term, int], codes: Mapping[str, Codes], readings: Matrix, total: float
) -> tuple[tuple[AnovaRow, ...], float | None, int]:
    """Return what `_fitted` does, of a balanced design."""
    sums, df = balanced_squares(tuple(terms), codes, readings), len(readings) - 1 - sum(terms.values())
    mse = sums.residual / df if sums.residual > 1e-20 * total else None
    residual = _Residual(total, mse, df)
    effects = []
    for term, size in terms.items():
        f = sums.of[term] / size / mse if mse is not None else None
        p = float(scipy.stats.f.sf(f, size, df)) if f is not None else None
        effects.append(residual.effect(term, sums.of[term], size, f, p))
    return tuple(effects), mse, df


def _coded(levels: Sequence[object]) -> Codes:
    """Number the levels in the order of their first use."""
    number = {level: place for place, level in enumerate(dict.fromkeys(levels))}
    return np.array([number[level] for level in levels])


def _join_aliased(varying: Sequence[str], codes: dict[str, Codes]) -> tuple[list[str], dict[str, Term]]:
    """Make one factor of those whose main effects depend on each other, until none do; its levels go into `codes`.

    Return the factors that are left to analyse, and what each of the new ones is made of.
    """
    parts: dict[str, Term] = {factor: (factor,) for factor in varying}
    while aliased := _dependent(_triangular(_blocks([(factor,) for factor in parts], codes))):
        these = [factor for factor in parts if (factor,) in aliased[0]]
        members = tuple(factor for factor in varying if any(factor in parts[each] for each in these))
        name = " + ".join(members)
        codes[name] = _coded(list(zip(*(codes[member] for member in members), strict=True)))
        parts = {factor: names for factor, names in parts.items() if factor not in these} | {name: members}
    return list(parts), {name: members for name, members in parts.items() if len(members) > 1}


def _estimable(wanted: Sequence[Term], codes: Mapping[str, Codes], n: int) -> tuple[dict[Term, int], list[Term]]:
    """Return the terms that add all their degrees of freedom to the others of their order and below, with these.

    The terms left out come second. An interaction goes with each of its parts: without them it would not be one. The
    seed gives way to the factors.
    """
    narrow = [term for term in wanted if math.prod(int(codes[factor].max()) for factor in term) < n]
    blocks = _triangular(_blocks(narrow, codes))
    kept: dict[Term, Matrix] = {(): blocks[()]}
    for order in sorted({_order(term) for term in narrow}):
        these = {term: blocks[term] for term in narrow if _order(term) == order and _has_parts(term, kept)}
        aliased = set[Term]().union(*_dependent({**kept, **these}))
        kept |= {term: block for term, block in these.items() if term not in aliased}
    width = {term: kept[term].shape[1] for term in wanted if term in kept}
    return width, [term for term in wanted if term not in width]


def _order(term: Term) -> tuple[int, bool]:
    return len(term), SEED in term


def _has_parts(term: Term, kept: Mapping[Term, Matrix]) -> bool:
    return all(part in kept for part in combinations(term, len(term) - 1))


def _blocks(terms: Sequence[Term], codes: Mapping[str, Codes]) -> dict[Term, Matrix]:
    """Return the columns of each term, those of the mean first."""
    columns = {factor: np.eye(each.max() + 1)[each, :-1] for factor, each in codes.items()}
    n = len(next(iter(codes.values())))
    blocks: dict[Term, Matrix] = {(): np.ones((n, 1))}
    for term in terms:
        block = blocks[()]
        for factor in term:
            block = np.einsum("ij,ik->ijk", block, columns[factor]).reshape(n, -1)
        blocks[term] = block
    return blocks


def _triangular(blocks: Mapping[Term, Matrix]) -> dict[Term, Matrix]:
    """Return R of the QR decomposition by terms: its columns depend on each other as the design's do; its rows are few.

    On the diagonal stands what each column adds to those before it.
    """
    ends = np.cumsum([block.shape[1] for block in blocks.values()])
    small = np.linalg.qr(np.hstack([*blocks.values()]), mode="r")
    return dict(zip(blocks, np.split(small, ends[:-1], axis=1), strict=True))


def _dependent(blocks: Mapping[Term, Matrix]) -> list[set[Term]]:
    """Return the sets of terms whose columns add up to nothing; an empty list when all can be estimated together.

    One set for each column that others make up: its term, and the terms of the fewest columns that do.
    """
    owner = [term for term, block in blocks.items() for _ in block.T]
    upper, order = scipy.linalg.qr(np.hstack([*blocks.values()]), mode="r", pivoting=True)
    sizes = np.abs(np.diag(upper))
    rank = int((sizes > 1e-9 * sizes[0]).sum())
    weights = scipy.linalg.solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
    return [
        {owner[order[place]] for place in (rank + at, *np.flatnonzero(np.abs(column) > 1e-6))}
        for at, column in enumerate(weights.T)
    ]


def _fitted(
    terms: Sequence[Term], codes: Mapping[str, Codes], readings: Matrix, kind: int, total: float
) -> tuple[tuple[AnovaRow, ...], float | None, int]:
    """Return the effects by statsmodels' least squares, and the residual's mean square and degrees of freedom."""
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    # Columns of our own naming: a factor may be called anything, and a formula may not.
    column = {factor: f"f{place}" for place, factor in enumerate(codes)}
    labels = {term: ":".join(f"C({column[factor]}, Sum)" for factor in term) for term in terms}
    frame = pd.DataFrame({"y": readings, **{column[factor]: each for factor, each in codes.items()}})
    model = ols(f"y ~ {' + '.join(labels.values())}", frame)
    fit = model.fit()
    mse = float(fit.mse_resid) if fit.ssr > 1e-20 * total else None
    residual = _Residual(total, mse, int(fit.df_resid))
    if mse is None:  # anova_lm has the squares from F, which a residual of nothing makes infinite: F on a scale of 1
        fit = model.fit(cov_type="fixed scale", cov_kwds={"scale": 1.0})
    table = anova_lm(fit, typ=kind)
    squares = table["sum_sq"] if mse is not None else table["F"] * table["df"]
    effects = []
    for term, label in labels.items():
        f, p = (float(table.at[label, "F"]), float(table.at[label, "PR(>F)"])) if mse is not None else (None, None)
        effects.append(residual.effect(term, float(squares[label]), int(table.at[label, "df"]), f, p))
    return tuple(effects), mse, residual.df


@dataclass(frozen=True)
class _Residual:
    """What effects are measured by: the total sum of squares, the residual's mean square and degrees of freedom."""

    total: float
    mse: float | None
    df: int

    def effect(self, term: Term, squares: float, df: int, f: float | None, p: float | None) -> AnovaRow:
        return AnovaRow(
            term=term,
            squares=squares,
            df=df,
            f=f,
            p=p,
            partial_eta2=squares / (squares + self.mse * self.df) if self.mse else None,
            omega2=(squares - df * self.mse) / (self.total + self.mse) if self.mse else None,
        )
