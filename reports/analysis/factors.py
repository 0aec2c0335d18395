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
Codes = NDArray[np.intp]
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
    codes = {factor: _coded([row.levels[factor] for row in rows]) for factor in (*factors, SEED)}
    varying = [factor for factor in factors if codes[factor].any()]
    highest = len(varying) if len(varying) <= 4 else 3
    wanted = [term for order in range(1, highest + 1) for term in combinations(varying, order)]
    if blocked and codes[SEED].any():
        wanted.insert(len(varying), (SEED,))
    terms, dropped = _estimable(wanted, codes, len(rows))
    error_term = None
    if terms and len(rows) - 1 - sum(terms.values()) == 0:
        error_term = terms.popitem()[0]
    if not terms or squares <= 0:
        return None
    effects, mse, df = _fitted(tuple(terms), codes, readings, kind, squares)
    planned = len(rows) if planned is None else planned
    return Anova(effects, squares, mse, df, kind, len(rows), planned, tuple(dropped), error_term, failed)


def _coded(levels: Sequence[Scalar]) -> Codes:
    """Number the levels in the order of their first use."""
    number = {level: place for place, level in enumerate(dict.fromkeys(levels))}
    return np.array([number[level] for level in levels])


def _estimable(wanted: Sequence[Term], codes: Mapping[str, Codes], n: int) -> tuple[dict[Term, int], list[Term]]:
    """Return the terms that add all their degrees of freedom to those before them, with these, and the others.

    An interaction goes with each of its parts: without them it would not be one.
    """
    columns = {factor: np.eye(each.max() + 1)[each, :-1] for factor, each in codes.items()}
    blocks: dict[Term, Matrix] = {(): np.ones((n, 1))}
    for term in wanted:
        if math.prod(columns[factor].shape[1] for factor in term) < n:
            block = blocks[()]
            for factor in term:
                block = np.einsum("ij,ik->ijk", block, columns[factor]).reshape(n, -1)
            blocks[term] = block
    blocks = _triangular(blocks)
    while lost := _first_dependent(blocks):
        blocks = _triangular({term: block for term, block in blocks.items() if not set(lost) <= set(term)})
    width = {term: block.shape[1] for term, block in blocks.items() if term}
    return width, [term for term in wanted if term not in width]


def _triangular(blocks: Mapping[Term, Matrix]) -> dict[Term, Matrix]:
    """Return R of the QR decomposition by terms: its columns depend on each other as the design's do; its rows are few.

    On the diagonal stands what each column adds to those before it.
    """
    ends = np.cumsum([block.shape[1] for block in blocks.values()])
    small = np.linalg.qr(np.hstack([*blocks.values()]), mode="r")
    return dict(zip(blocks, np.split(small, ends[:-1], axis=1), strict=True))


def _first_dependent(blocks: Mapping[Term, Matrix]) -> Term | None:
    place = 0
    for term, block in blocks.items():
        for column in block.T:
            added = abs(column[place]) if place < len(column) else 0.0
            if added <= 1e-9 * np.linalg.norm(column):
                return term
            place += 1
    return None


def _fitted(
    terms: Sequence[Term], codes: Mapping[str, Codes], readings: Matrix, kind: int, total: float
) -> tuple[tuple[Effect, ...], float | None, int]:
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
    df, mse = int(fit.df_resid), float(fit.mse_resid) if fit.ssr > 1e-20 * total else None
    if mse is None:  # anova_lm has the squares from F, which a residual of nothing makes infinite: F on a scale of 1
        fit = model.fit(cov_type="fixed scale", cov_kwds={"scale": 1.0})
    table = anova_lm(fit, typ=kind)
    squares = table["sum_sq"] if mse is not None else table["F"] * table["df"]
    effects = []
    for term, label in labels.items():
        f, p = (float(table.at[label, "F"]), float(table.at[label, "PR(>F)"])) if mse is not None else (None, None)
        effects.append(_effect(term, float(squares[label]), int(table.at[label, "df"]), f, p, total, mse, df))
    return tuple(effects), mse, df


def _effect(
    term: Term, squares: float, width: int, f: float | None, p: float | None, total: float, mse: float | None, df: int
) -> Effect:
    return Effect(
        term=term,
        squares=squares,
        df=width,
        f=f,
        p=p,
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
