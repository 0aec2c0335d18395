"""Assurance: the probability of a decision over all that the seeds so far leave open of the effect and its spread.

Power takes the effect for what it looks like. From a pilot of three seeds that is a guess: the effect and the spread
are drawn here from what the pilot leaves possible (the reference posterior of a normal mean and variance), and the
number of seeds that a decision takes is told with its range (O'Hagan, Stevens and Campbell 2005).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from reports.analysis.claims import Claim
from reports.analysis.effects import Student
from reports.analysis.power import MOST_SEEDS

DRAWS = 128
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """Equally likely truths: the effect and the spread of one seed in each context, one row a context."""

    effect: Values
    spread: Values
    df_share: float
    """The degrees of freedom that a further seed adds, 1 for a paired test."""


def possible(effects: Sequence[Student]) -> Draws:
    """Return truths that the seeds so far leave possible, by a Halton sequence: the same ones every time."""
    points = scipy.stats.qmc.Halton(2 * len(effects), scramble=False).random(DRAWS + 1)[1:].T
    spreads, means = [], []
    for at, effect in enumerate(effects):
        seen = effect.se * math.sqrt(effect.n)
        spread = seen * np.sqrt(effect.df / scipy.stats.chi2.ppf(points[2 * at], effect.df))
        spreads.append(spread)
        means.append(effect.estimate + scipy.special.ndtri(points[2 * at + 1]) * spread / math.sqrt(effect.n))
    share = min(effect.df / (effect.n - 1) for effect in effects)
    return Draws(np.array(means), np.array(spreads), share)


def decided(claim: Claim, draws: Draws, n: Values, alpha: float, over: str) -> Values:
    """Return, for each truth, the chance that n seeds support or refute the claim; n may differ by truth."""
    count = len(draws.effect)
    sure = _one(claim, draws, n, alpha)
    shared = sure if count == 1 else _one(claim, draws, n, alpha / count)
    if over == "any":
        support, refute = 1 - np.prod(1 - shared[0], axis=0), np.prod(sure[1], axis=0)
    else:
        support, refute = np.prod(sure[0], axis=0), 1 - np.prod(1 - shared[1], axis=0)
    return np.asarray(np.minimum(support + refute, 1.0))


def needed(claim: Claim, draws: Draws, alpha: float, power: float, over: str) -> Values:
    """Return, for each truth, the fewest seeds that decide with that power; infinity beyond `MOST_SEEDS`."""
    low = np.full(draws.effect.shape[1], 2.0)
    high = np.full_like(low, MOST_SEEDS + 1.0)
    while (high > low).any():
        middle = np.floor((low + high) / 2)
        enough = decided(claim, draws, middle, alpha, over) >= power
        high = np.where(enough, middle, high)
        low = np.where(enough, low, np.minimum(middle + 1, high))
    return np.where(high > MOST_SEEDS, math.inf, high)


def _one(claim: Claim, draws: Draws, n: Values, alpha: float) -> tuple[Values, Values]:
    """Return the chances of support and refutation in each context by itself."""
    df = np.maximum((n - 1) * draws.df_share, 1.0)
    root = np.sqrt(n)
    critical = scipy.special.stdtrit(df, 1 - alpha / 2)

    def tail(distance: Values) -> Values:
        noncentrality = distance * root / draws.spread
        below = scipy.special.nctdtr(df, noncentrality, critical)
        # scipy has nan for chances next to 0 and 1.
        return np.asarray(np.where(np.isnan(below), (noncentrality > critical).astype(float), 1 - below))

    margin = claim.margin
    if claim.statement.relation == "==":
        inside = np.maximum(tail(margin + draws.effect) + tail(margin - draws.effect) - 1, 0.0)
        return inside, tail(np.abs(draws.effect) - margin)
    return tail(draws.effect - margin), tail(margin - draws.effect)
