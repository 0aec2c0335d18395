"""What few seeds cannot show: rare outliers of one arm, which no test on those seeds can see.

Where one seed in five ends far above the others, three seeds show none of them in half of all studies, and a t test
then takes the arm for better than it is. No test repairs that: it is an assumption, and this tells where it matters.
"""

import math
from collections.abc import Sequence

from reports.analysis.effects import Grid, Student
from reports.analysis.evidence import ContextResult

SURE = 0.95


def unseen_share(n: int, sure: float = SURE) -> float:
    """Return the largest share of outliers of which n seeds would show none in more than one of twenty studies."""
    return 1 - (1 - sure) ** (1 / n) if n else 1.0


def could_overturn(result: ContextResult, grid: Grid, *, supported: bool, margin: float, ceiling: float) -> bool:
    """Whether outliers that these seeds would not show could undo what a t test decides in one context.

    They are taken as bad as can be: at `ceiling`, the largest reading that is no fail, in the arms that they would make
    worse against the verdict.
    """
    if not isinstance(result.effect, Student) or result.low is None or result.high is None:
        return False
    distance = result.low - margin if supported else margin - result.high
    against = -1.0 if supported else 1.0
    shift = math.fsum(
        abs(weight) * unseen_share(len(values)) * (ceiling - _mean(list(values.values())))
        for arm, weight in result.weights.items()
        if weight * against > 0 and (values := grid.get(arm, {}))
    )
    return shift >= distance


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
