"""How an effect is tested: the test, its level, and what it takes from other arms and from the metric's bounds."""

import math
from dataclasses import dataclass

from reports.analysis.pooled import Pooled


@dataclass(frozen=True)
class Procedure:
    """The declared `test` and its two-sided `level`; `model` is where "pooled" has its spread from.

    `worst` is the largest reading that is no fail: with few seeds a t test decides only what outliers up to there could
    not undo. `unplanned` replaces every t test by its e-value, which holds whenever one stops looking.
    """

    test: str = "paired"
    level: float = 0.95
    model: Pooled | None = None
    worst: float = math.inf
    unplanned: bool = False
