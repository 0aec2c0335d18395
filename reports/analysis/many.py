"""Many comparisons at once: Holm's adjustment."""

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p: small ones hold with the error rate of the whole family, whatever the dependence."""
    if len(p) < 2:
        return list(p)
    from statsmodels.stats.multitest import multipletests  # not above: it imports pandas, and takes 0.3 s

    return [float(each) for each in multipletests(p, method="holm")[1]]
