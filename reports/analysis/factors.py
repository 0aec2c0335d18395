"""Which factor matters: the analysis of variance with the seed as a block, and each factor's share of the variance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from reports.analysis.readings import compared, grid
from reports.results import Scalar, Study

Matrix = NDArray[np.float64]
Term = tuple[str, ...]
SEED = "seed"


@dataclass(frozen=True)
class Row:
    """One reading with the levels it was had under; the seed is a level like any other."""

    levels: Mapping[str, Scalar]
    value: float


@dataclass(frozen=True)
class Effect:
    """One line of the table: sum of squares, F test and effect sizes (eta², partial eta², omega²)."""

    term: Term
    squares: float
    df: int
    f: float | None
    p: float | None
    eta2: float
    partial_eta2: float | None
    omega2: float | None


@dataclass(frozen=True)
class Anova:
    """The table. `mse` on `df` is the residual; `dropped` are interactions that the trials at hand cannot estimate.

    `error_term` names the interaction that stands in for the error where every arm has one seed; verdicts must then
    stay open. `n` of `planned` trials have a number; arms in `failed` are left out whole.
    """

    effects: tuple[Effect, ...]
    squares: float
    mse: float | None
    df: int
    kind: int
    n: int
    planned: int
    dropped: tuple[Term, ...]
    error_term: Term | None
    failed: tuple[str, ...]

    def effect(self, *term: str) -> Effect:
        """Return the line of one term; KeyError when the table has none."""
        for each in self.effects:
            if set(each.term) == set(term):
                return each
        raise KeyError(term)


def study_anova(study: Study, metric: str = "test_error", kind: int = 2, blocked: bool = True) -> Anova | None:
    """Analyse the study's grid without the arms that have a fail; None when too little is left."""
    found = grid(study, metric)
    live = [arm for arm in study.arms if not arm.orphaned]
    names = {arm.name for arm in live}
    failed = tuple(arm.name for arm in live if not all(map(math.isfinite, found[arm.name].values())))
    rows = [
        Row({**arm.levels, SEED: seed}, value)
        for arm in live
        if arm.name not in failed
        for seed, value in found[arm.name].items()
    ]
    planned = sum(trial.arm in names for trial in compared(study))
    return anova(rows, tuple(study.factors), kind=kind, blocked=blocked, planned=planned, failed=failed)


def anova(
    rows: Sequence[Row],
    factors: Sequence[str],
    *,
    kind: int = 2,
    blocked: bool = True,
    planned: int | None = None,
    failed: tuple[str, ...] = (),
) -> Anova | None:
    """Return the analysis of variance of value ~ all factors with all interactions (+ seed), type `kind` 2 or 3.

    Sums to zero within each factor; omega² = (SS - df mse) / (SS_total + mse). Beyond four factors, interactions of
    more than three are left to the residual. None when no term can be estimated.
    """
    if len(rows) < 3:
        return None
    readings = np.array([row.value for row in rows])
    squares = float(((readings - readings.mean()) ** 2).sum())
    columns = {factor: _sum_coded([row.levels[factor] for row in rows]) for factor in (*factors, SEED)}
    varying = [factor for factor in factors if columns[factor].shape[1]]
    highest = len(varying) if len(varying) <= 4 else 3
    wanted = [term for order in range(1, highest + 1) for term in combinations(varying, order)]
    if blocked and columns[SEED].shape[1]:
        wanted.insert(len(varying), (SEED,))
    blocks, values = _rotated(wanted, columns, readings)
    terms, dropped = _estimable(wanted, blocks)
    error_term = None
    if terms and len(rows) - _df(terms) - 1 == 0:
        error_term = terms.popitem()[0]
    if not terms or squares <= 0:
        return None
    df = len(rows) - 1 - _df(terms)
    intercept = blocks[()]
    residual = _residual(values, [intercept, *terms.values()])
    mse = residual / df if df and residual > 1e-20 * squares else None
    effects = [_effect(term, {(): intercept, **terms}, values, kind, squares, mse, df) for term in terms]
    planned = len(rows) if planned is None else planned
    return Anova(tuple(effects), squares, mse, df, kind, len(rows), planned, tuple(dropped), error_term, failed)


def _sum_coded(levels: Sequence[Scalar]) -> Matrix:
    known = list(dict.fromkeys(levels))
    coded = np.zeros((len(levels), max(len(known) - 1, 0)))
    for row, level in enumerate(levels):
        place = known.index(level)
        if place == len(known) - 1:
            coded[row] = -1
        else:
            coded[row, place] = 1
    return coded


def _rotated(
    wanted: Sequence[Term], columns: Mapping[str, Matrix], values: Matrix
) -> tuple[dict[Term, Matrix], Matrix]:
    """Return the columns of the intercept () and of each term, and the values, in at most one row a column.

    One QR decomposition turns all least-squares problems over these columns into small ones with the same residuals.
    A term with more columns than there are values is left out.
    """
    blocks: dict[Term, Matrix] = {(): np.ones((len(values), 1))}
    for term in wanted:
        if math.prod(columns[factor].shape[1] for factor in term) < len(values):
            block = blocks[()]
            for factor in term:
                block = np.einsum("ij,ik->ijk", block, columns[factor]).reshape(len(values), -1)
            blocks[term] = block
    small = np.linalg.qr(np.hstack([*blocks.values(), values[:, None]]), mode="r")
    ends = np.cumsum([block.shape[1] for block in blocks.values()])
    parts = np.split(small, ends, axis=1)
    return dict(zip(blocks, parts[:-1], strict=True)), parts[-1][:, 0]


def _estimable(wanted: Sequence[Term], blocks: Mapping[Term, Matrix]) -> tuple[dict[Term, Matrix], list[Term]]:
    """Return the terms that add their full number of degrees of freedom to those before them, and the others."""
    terms: dict[Term, Matrix] = {}
    dropped = []
    basis = np.linalg.qr(blocks[()])[0]
    for term in wanted:
        block = blocks.get(term)
        if block is None or block.shape[1] + basis.shape[1] > block.shape[0]:
            dropped.append(term)
            continue
        rest = block - basis @ (basis.T @ block)
        rest -= basis @ (basis.T @ rest)
        added, triangle = np.linalg.qr(rest)
        if np.linalg.matrix_rank(triangle, tol=1e-9 * float(np.linalg.norm(block))) < block.shape[1]:
            dropped.append(term)
            continue
        terms[term] = block
        basis = np.hstack([basis, added])
    return terms, dropped


def _df(terms: Mapping[Term, Matrix]) -> int:
    return sum(block.shape[1] for block in terms.values())


def _residual(values: Matrix, blocks: Sequence[Matrix]) -> float:
    design = np.hstack(blocks)
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return float(((values - fitted) ** 2).sum())


def _effect(
    term: Term, terms: Mapping[Term, Matrix], values: Matrix, kind: int, total: float, mse: float | None, df: int
) -> Effect:
    """Type II compares with the model of all terms that do not contain this one, type III with all others."""
    others = [block for name, block in terms.items() if name != term and (kind == 3 or not set(term) <= set(name))]
    squares = max(_residual(values, others) - _residual(values, [*others, terms[term]]), 0.0)
    width = terms[term].shape[1]
    f = squares / width / mse if mse else None
    return Effect(
        term=term,
        squares=squares,
        df=width,
        f=f,
        p=float(stats.f.sf(f, width, df)) if f is not None else None,
        eta2=squares / total,
        partial_eta2=squares / (squares + mse * df) if mse else None,
        omega2=(squares - width * mse) / (total + mse) if mse else None,
    )


def spread_check(samples: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Return Brown and Forsythe's F and p for equal spreads; None with an arm below two values, or without spread."""
    if len(samples) < 2 or any(len(each) < 2 for each in samples):
        return None
    deviations = [np.abs(np.asarray(each) - np.median(each)) for each in samples]
    if all(np.ptp(each) < 1e-12 for each in deviations):
        return None
    found = stats.levene(*map(np.asarray, samples), center="median")
    return float(found.statistic), float(found.pvalue)
