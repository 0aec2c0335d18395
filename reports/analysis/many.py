"""Many comparisons at once: Holm, Benjamini and Hochberg, and Dunnett's many-to-one test."""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p: small ones hold with the error rate of the whole family, whatever the dependence."""
    if len(p) < 2:
        return list(p)
    from statsmodels.stats.multitest import multipletests  # not above: it imports pandas, and takes 0.3 s

    return [float(each) for each in multipletests(p, method="holm")[1]]


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Return the p adjusted for the false discovery rate; for tables that are called exploratory."""
    return [float(each) for each in stats.false_discovery_control(p)] if len(p) else []


def dunnett(
    arms: Sequence[Sequence[float]], control: Sequence[float], rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    """Compare each arm with the control without pairing; return the statistics and their adjusted two-sided p.

    The p comes from quasi-Monte Carlo, hence `rng`; it is good to about 1e-3.
    """
    found = stats.dunnett(*map(np.asarray, arms), control=np.asarray(control), rng=rng)
    return [float(each) for each in found.statistic], [float(each) for each in found.pvalue]
