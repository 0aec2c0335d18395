"""How often arms fail: the exact bound on one rate, and the comparison of two."""

from collections.abc import Callable

import scipy


def fisher_p(fails: int, n: int, other_fails: int, other_n: int) -> float | None:
    """Return Fisher's exact two-sided p of two equal fail rates; None when an arm has no outcome."""
    if n == 0 or other_n == 0:
        return None
    return float(scipy.stats.fisher_exact([[fails, other_fails], [n - fails, other_n - other_fails]])[1])


def p_rate_above(fails: int, n: int, rate: float) -> float:
    """Return the one-sided p of "the fail rate is at most `rate`": the tail behind Clopper and Pearson's bound."""
    return float(scipy.stats.binom.sf(fails - 1, n, rate))


def p_rate_below(fails: int, n: int, rate: float) -> float:
    """Return the one-sided p of "the fail rate is at least `rate`"."""
    return float(scipy.stats.binom.cdf(fails, n, rate))


P_RATE: dict[str, Callable[[int, int, float], float]] = {
    ">": p_rate_above,
    ">=": p_rate_above,
    "<": p_rate_below,
    "<=": p_rate_below,
}
