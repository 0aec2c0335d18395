"""Many comparisons at once: Holm's adjustment."""

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float]) -> list[float]:
    """
    Return Holm's adjusted p: small ones hold with the error rate of the whole family, whatever the dependence.

    Scandinavian Journal of Statistics 6 (1979), 65-70. By hand, since statsmodels' `multipletests` collects garbage at
    every call (40 ms and more, nine tenths of the time of a page's comparisons); a test compares the two.
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(np.asarray(p, dtype=float)[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1)
    return [float(each) for each in adjusted]
