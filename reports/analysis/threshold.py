"""The one rule of what a p decides: it is at most alpha, the bound itself included."""

ALPHA = 0.05
"""The level of what the page says without a claim: differences, rankings, checks."""
_ROUNDING = 1e-12


def decides(p: float | None, alpha: float = ALPHA) -> bool:
    """Whether a p is at most `alpha`, up to the rounding of its own arithmetic; never without a p."""
    return p is not None and p <= alpha * (1 + _ROUNDING)
