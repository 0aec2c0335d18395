"""A published result, and what its number is."""

import re
from dataclasses import dataclass

_STATISTIC = re.compile(r"\b(?P<kind>mean|median|best|single)\b(?:\s*\([^)]*\))?(?:\s+of\s+(?P<n>\d+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Published:
    """A published result. `value` None means that the paper prints "fail". `statistic` says what the number is:
    "mean", "median", "best" or "single", over `n` runs; None when the paper does not say.
    """

    value: float | None
    sd: float | None = None
    n: int | None = None
    statistic: str | None = None
    reference: str | None = None


def parse_statistic(text: str | None) -> tuple[str | None, int | None]:
    """Return kind and number of runs of a description such as "median of 5 runs" or "best (mean±std) of 5"."""
    match = _STATISTIC.search(text or "")
    if match is None:
        return None, None
    kind = match["kind"].lower()
    n = int(match["n"]) if match["n"] else 1 if kind == "single" else None
    return kind, n
