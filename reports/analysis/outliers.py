"""What few seeds cannot show: rare outliers of one arm, which no test on those seeds can see.

Where one seed in five ends far above the others, three seeds show none of them in half of all studies, and a t test
then takes the arm for better than it is. No test repairs that: it is an assumption, and this tells where it matters.
With fewer than `LEAST_BY_T` seeds the assumption is not granted: there the exact sign flips must agree.
"""

import math
from collections.abc import Iterable, Sequence

from reports.analysis.claims import Claim
from reports.analysis.effects import Grid, Weights, one_sided_flip_p
from reports.metrics import PRIMARY
from reports.results import Study

SURE = 0.95
LEAST_BY_T = 5
"""Fewer seeds decide nothing by Student's t alone, unless outliers that they would not show could not undo it."""
End = float | None


def unseen_share(n: int, sure: float = SURE) -> float:
    """Return the largest share of outliers of which n seeds would show none in more than one of twenty studies."""
    return 1 - (1 - sure) ** (1 / n) if n else 1.0


def too_few_for_t(n: int, alpha: float) -> bool:
    """Whether n seeds decide nothing at two-sided `alpha` that unseen outliers could undo."""
    return n < LEAST_BY_T and 0.5**n > alpha / 2


def least_seeds(alpha: float) -> int:
    """Return the fewest seeds with which a t test decides at two-sided `alpha` whatever outliers could undo."""
    return next(n for n in range(2, LEAST_BY_T + 1) if not too_few_for_t(n, alpha))


def worst_reading(study: Study, claim: Claim) -> float:
    """Return the largest reading of the claim's metric that is no fail; infinity where nothing bounds it."""
    if claim.unit != "points":
        return math.inf
    return study.fail_above if claim.metric == PRIMARY.name and study.fail_above is not None else 100.0


def could_undo(
    claim: Claim, weights: Weights, grid: Grid, interval: tuple[End, End], worst: float
) -> tuple[bool, bool]:
    """Whether outliers that these seeds would not show could undo a support, and a refutation, by this t interval.

    They are taken as bad as can be: at `worst`, in the arms that they would make worse against the verdict.
    """
    low, high = interval
    if low is None or high is None:
        return False, False
    down, up = (_shift(weights, grid, sign, worst) for sign in (-1.0, 1.0))
    margin = claim.margin
    if claim.statement.relation == "==":
        inside = low + margin <= down or margin - high <= up
        outside = low - margin <= down if low + high > 0 else -margin - high <= up
        return inside, outside
    return low - margin <= down, margin - high <= up


def with_sign_flips(
    p: tuple[float, float], fragile: tuple[bool, bool], n: int, differences: Iterable[float], claim: Claim
) -> tuple[float, float]:
    """Return both one-sided p of few seeds, where `fragile` no smaller than those of the exact sign flips."""
    if n >= LEAST_BY_T:
        return p
    values, margin = list(differences), claim.margin
    if claim.statement.relation == "==":
        above, below = _flips(values, -margin, n), _flips([-each for each in values], -margin, n)
        beyond = min(_flips(values, margin, n), _flips([-each for each in values], margin, n))
        floors = max(above, below), beyond
    else:
        floors = _flips(values, margin, n), _flips([-each for each in values], -margin, n)
    support, refute = (max(each, floor) if at else each for each, floor, at in zip(p, floors, fragile, strict=True))
    return support, refute


def _flips(values: Sequence[float], margin: float, n: int) -> float:
    """Return the p of "at most `margin`"; for arms that share no seed the smallest that n pairs could have."""
    return one_sided_flip_p([each - margin for each in values]) if values else 0.5**n


def _shift(weights: Weights, grid: Grid, sign: float, worst: float) -> float:
    """Return how far unseen outliers of the arms with weights of this sign could move the effect."""
    return math.fsum(
        abs(weight) * unseen_share(len(values)) * (worst - math.fsum(values.values()) / len(values))
        for arm, weight in weights.items()
        if weight * sign > 0 and (values := grid.get(arm, {}))
    )
