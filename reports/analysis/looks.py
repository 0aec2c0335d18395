"""Looking more than once: alpha spending by the union bound, and the e-value for unplanned looks."""

import math
from collections.abc import Sequence

EXTRA_SHARE = 0.25
"""The share of alpha that seeds beyond the plan may spend; the planned looks have spent alpha itself."""


def alpha_spending(looks: Sequence[int], alpha: float = 0.05) -> tuple[float, ...]:
    """Return the level of each look, alpha 2k / (K (K + 1)) at look k of K; they add up to alpha.

    By the union bound the error rate over all looks is at most alpha, for any test and any dependence.
    """
    count = len(looks)
    return tuple(alpha * 2 * (place + 1) / (count * (count + 1)) for place in range(count))


def e_value(t: float, n: int, g: float = 1.0) -> float:
    """Return the e-value of a t statistic from n seeds, with a prior N(0, g) on the standardised effect.

    1 / e is a valid p whenever one stops (Wang and Ramdas, arXiv:2310.03722).
    """
    df = n - 1
    shrunk = 1 + n * g
    log = -0.5 * math.log(shrunk) - (df + 1) / 2 * (math.log1p(t**2 / (shrunk * df)) - math.log1p(t**2 / df))
    return math.exp(min(log, 700.0))
