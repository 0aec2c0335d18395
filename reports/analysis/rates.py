"""How often arms fail: the exact bound on one rate, and the comparison of two."""

from collections.abc import Callable
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class RateComparison:
    """Two fail rates: Fisher's exact two-sided p, and Boschloo's as the sensitivity."""

    fisher: float
    boschloo: float


def compare_rates(fails: int, n: int, other_fails: int, other_n: int) -> RateComparison | None:
    """Compare two fail rates; None when an arm has no outcome."""
    if n == 0 or other_n == 0:
        return None
    table = [[fails, other_fails], [n - fails, other_n - other_fails]]
    fisher = float(stats.fisher_exact(table)[1])
    if fails + other_fails in (0, n + other_n):  # scipy's search has nothing to search over
        return RateComparison(fisher, 1.0)
    return RateComparison(fisher, float(stats.boschloo_exact(table).pvalue))


def p_rate_above(fails: int, n: int, rate: float) -> float:
    """Return the one-sided p of "the fail rate is at most `rate`": the tail behind Clopper and Pearson's bound."""
    return float(stats.binom.sf(fails - 1, n, rate))


def p_rate_below(fails: int, n: int, rate: float) -> float:
    """Return the one-sided p of "the fail rate is at least `rate`"."""
    return float(stats.binom.cdf(fails, n, rate))


P_RATE: dict[str, Callable[[int, int, float], float]] = {
    ">": p_rate_above,
    ">=": p_rate_above,
    "<": p_rate_below,
    "<=": p_rate_below,
}
