"""Many comparisons at once: Holm, Benjamini and Hochberg, and Dunnett's many-to-one test."""

from collections.abc import Sequence

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p: small ones hold with the error rate of the whole family, whatever the dependence."""
    return _adjusted(p, "holm")


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Return the p adjusted for the false discovery rate; for tables that are called exploratory."""
    return _adjusted(p, "fdr_bh")


def _adjusted(p: Sequence[float], method: str) -> list[float]:
    return [float(each) for each in multipletests(p, method=method)[1]] if len(p) else []


def dunnett(
    arms: Sequence[Sequence[float]], control: Sequence[float], rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    """Compare each arm with the control without pairing; return the statistics and their adjusted two-sided p.

    The p comes from quasi-Monte Carlo, hence `rng`; it is good to about 1e-3.
    """
    found = stats.dunnett(*map(np.asarray, arms), control=np.asarray(control), rng=rng)
    return [float(each) for each in found.statistic], [float(each) for each in found.pvalue]
