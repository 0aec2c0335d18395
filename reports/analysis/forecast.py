"""What more seeds would do: the chance that a claim is decided, the seeds that it takes, the effect that they see."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from reports.analysis import assurance
from reports.analysis.claims import Claim
from reports.analysis.effects import Sign, Student
from reports.analysis.evidence import ContextResult
from reports.analysis.outliers import least_seeds, too_few_for_t
from reports.analysis.power import fewest_seeds, seeds_for_rate, smallest_effect, tail_power


@dataclass(frozen=True)
class Forecast:
    """What this design can do for one claim, given the spread seen so far.

    `power` is the chance that `n` seeds decide it if the effect is what it looks like; `detectable` the smallest
    distance from the margin, in every context, that they would decide with the wanted power (for "==" the smallest
    margin that they could support if there were no difference). `needed` is the number of seeds that would decide with
    that power if the effect is what it looks like, None beyond 1000, and `refutes` says which way. `assurance` is the
    chance that so many decide it over all that the seeds so far leave open, and eight of ten numbers of seeds that this
    allows lie from `needed_low` to `needed_high`, None beyond 1000. `fewest` is the number below which no data at all
    can decide. `hours` is the training time of the `more` seeds still missing.
    """

    n: int
    power: float | None
    detectable: float | None
    needed: int | None
    refutes: bool
    needed_low: int | None
    needed_high: int | None
    assurance: float | None
    fewest: int
    more: int | None
    hours: float | None


Chances = tuple[float, float]
"""The probabilities that a claim ends up supported and refuted."""


def chances(
    claim: Claim,
    results: Sequence[ContextResult],
    n: int,
    alpha: float,
    *,
    scale: float = 1.0,
    over: str | None = None,
) -> Chances | None:
    """Return the chances that n fresh seeds support and refute the claim, the effects being as they look.

    `scale` stretches the spread. None where the seeds so far show no spread to go by.
    """

    def one(result: ContextResult, level: float) -> Chances | None:
        if isinstance(effect := result.effect, Student):
            by_t = _of_t(claim, effect, n, level, scale) if effect.n > 1 else None
            return _unless_too_few(result, n, level, by_t)
        return _by_counts(claim, result, n, level, given=False)

    return _combined(results, alpha, claim.over if over is None else over, one)


def decision_probabilities(claim: Claim, results: Sequence[ContextResult], n: int, alpha: float) -> Chances | None:
    """Return the chances that the claim is supported and refuted once n seeds are in, those so far among them.

    What is still to come is drawn from what the seeds so far leave possible (Student's predictive distribution, or the
    beta-binomial with Jeffreys' prior). None where they show no spread to go by.
    """

    def one(result: ContextResult, level: float) -> Chances | None:
        if isinstance(effect := result.effect, Student):
            by_t = _of_t_given(claim, effect, n, level) if effect.n > 1 else None
            return _unless_too_few(result, n, level, by_t)
        return _by_counts(claim, result, n, level, given=True)

    return _combined(results, alpha, claim.over, one)


def _by_counts(claim: Claim, result: ContextResult, n: int, alpha: float, given: bool) -> Chances | None:
    """Return the chances by the number of fails, or of seeds on either side of the margin."""
    if claim.statement.relation == "fails":
        return _of_rate(claim, result, n, alpha, given) if result.n else None
    return _of_signs(claim, result.effect, n, alpha, given) if isinstance(result.effect, Sign) else None


def _unless_too_few(result: ContextResult, n: int, alpha: float, by_t: Chances | None) -> Chances | None:
    """Return the chances, without those of verdicts that so few seeds could not bring."""
    if by_t is None or not too_few_for_t(n, alpha):
        return by_t
    support, refute = (0.0 if fragile else each for each, fragile in zip(by_t, result.fragile, strict=True))
    return support, refute


def _combined(
    results: Sequence[ContextResult], alpha: float, over: str, one: Callable[[ContextResult, float], Chances | None]
) -> Chances | None:
    """Combine the contexts as independent: "every" needs all to support, each at alpha, or one to refute at a part."""
    sure = [one(each, alpha) for each in results]
    shared = sure if len(results) < 2 else [one(each, alpha / len(results)) for each in results]
    full = [each for each in sure if each is not None]
    part = [each for each in shared if each is not None]
    if not results or len(full) < len(results) or len(part) < len(results):
        return None
    if over == "any":
        return max(each[0] for each in part), math.prod(each[1] for each in full)
    return math.prod(each[0] for each in full), max(each[1] for each in part)


def _of_t(claim: Claim, effect: Student, n: int, alpha: float, scale: float) -> Chances:
    estimate = effect.estimate
    se = effect.se * math.sqrt(effect.n / n) * scale
    df = effect.df * (n - 1) / (effect.n - 1)
    if claim.statement.relation == "==":
        above, below = (claim.margin + estimate) / se, (claim.margin - estimate) / se
        inside = tail_power(above, df, alpha / 2) + tail_power(below, df, alpha / 2) - 1
        return max(0.0, inside), tail_power((abs(estimate) - claim.margin) / se, df, alpha / 2)
    distance = (estimate - claim.margin) / se
    return tail_power(distance, df, alpha / 2), tail_power(-distance, df, alpha / 2)


def _of_t_given(claim: Claim, effect: Student, n: int, alpha: float) -> Chances:
    """Return the chances for the estimate after n seeds, which varies by the seeds to come alone."""
    spread = effect.se * math.sqrt(effect.n)
    coming = spread * math.sqrt(max(n - effect.n, 0) / (n * effect.n))
    df = effect.df * (n - 1) / (effect.n - 1)

    def reach(tail: float) -> float:
        return float(scipy.special.stdtrit(df, 1 - tail)) * spread / math.sqrt(n)

    def above(bound: float) -> float:
        if coming == 0:
            return float(effect.estimate >= bound)
        return float(scipy.special.stdtr(effect.df, (effect.estimate - bound) / coming))

    margin = claim.margin
    if claim.statement.relation == "==":
        inside = above(reach(alpha / 2) - margin) - above(margin - reach(alpha / 2))
        outside = above(margin + reach(alpha / 2)) + 1 - above(-margin - reach(alpha / 2))
        return max(0.0, inside), outside
    return above(margin + reach(alpha / 2)), 1 - above(margin - reach(alpha / 2))


def _of_signs(claim: Claim, effect: Sign, n: int, alpha: float, given: bool) -> Chances:
    margin = claim.margin

    def reached(events: int, level: float) -> float:
        return _binomial(events, effect.n, 0.5, n, level, given)

    if claim.statement.relation == "==":
        # Two one-sided tests support it: the chance of both is at least what remains of their sum.
        inside = reached(effect.above(-margin), alpha) + reached(effect.below(margin), alpha) - 1
        return max(0.0, inside), max(reached(effect.above(margin), alpha), reached(effect.below(-margin), alpha))
    return reached(effect.above(margin), alpha), reached(effect.below(margin), alpha)


def _of_rate(claim: Claim, result: ContextResult, n: int, alpha: float, given: bool) -> Chances:
    sign, rate = claim.rate
    more = _binomial(result.fails, result.n, rate, n, alpha, given)
    fewer = _binomial(result.n - result.fails, result.n, 1 - rate, n, alpha, given)
    return (more, fewer) if sign in (">", ">=") else (fewer, more)


def _binomial(events: int, seen: int, rate: float, n: int, alpha: float, given: bool) -> float:
    """Return the chance that n seeds put the exact lower bound at or above `rate`, having seen `events` in `seen`."""
    critical = int(scipy.stats.binom.isf(alpha / 2, n, rate)) + 1
    if critical > n:
        return 0.0
    if not given:
        return float(scipy.stats.binom.sf(critical - 1, n, events / seen))
    coming = max(n - seen, 0)
    return float(scipy.stats.betabinom.sf(critical - 1 - events, coming, events + 0.5, seen - events + 0.5))


def fewest(claim: Claim, results: Sequence[ContextResult], alpha: float) -> int:
    """Return the number of seeds below which no data can decide the claim at level alpha."""
    if claim.statement.relation == "fails":
        return min(seeds_for_rate(claim.rate[1], alpha), seeds_for_rate(1 - claim.rate[1], alpha))
    if any(isinstance(each.effect, Sign) for each in results):
        return seeds_for_rate(0.5, alpha)
    return least_seeds(alpha) if any(all(each.fragile) for each in results) else 2


def forecast(
    claim: Claim,
    results: Sequence[ContextResult],
    n: int,
    alpha: float,
    power: float = 0.8,
    seconds: float | None = None,
    over: str | None = None,
) -> Forecast:
    """Say what n seeds can do at level alpha; `seconds` is what one seed of all the claim's arms takes to train."""

    over = claim.over if over is None else over

    def decided(count: int) -> float | None:
        both = chances(claim, results, count, alpha, over=over)
        return None if both is None else max(both)

    have = min((each.n for each in results), default=0)
    needed = _seeds(decided, power)
    low, high, assured = _uncertain(claim, results, needed, alpha, power, over)
    more = max(0, needed - have) if needed is not None else None
    return Forecast(
        n=n,
        power=decided(n) if n >= 2 else None,
        detectable=_detectable(claim, results, n, alpha, power),
        needed=needed,
        refutes=_refutes(chances(claim, results, n if needed is None else needed, alpha, over=over)),
        needed_low=low,
        needed_high=high,
        assurance=assured,
        fewest=fewest(claim, results, alpha),
        more=more,
        hours=more * seconds / 3600 if more is not None and seconds is not None else None,
    )


def _refutes(both: Chances | None) -> bool:
    return both is not None and both[1] > both[0]


def _uncertain(
    claim: Claim, results: Sequence[ContextResult], seeds: int | None, alpha: float, power: float, over: str
) -> tuple[int | None, int | None, float | None]:
    """Return the range of the seeds needed, and the assurance of `seeds`; None where not all contexts have a t."""
    effects = [each.effect for each in results if isinstance(each.effect, Student) and each.effect.n > 1]
    if not effects or len(effects) < len(results):
        return None, None, None
    draws = assurance.possible(effects)
    drawn = np.sort(np.maximum(assurance.needed(claim, draws, alpha, power, over), fewest(claim, results, alpha)))
    low, high = drawn[len(drawn) // 10], drawn[-len(drawn) // 10 - 1]
    n = None if seeds is None else np.full(len(drawn), float(seeds))
    return (
        int(low) if math.isfinite(low) else None,
        int(high) if math.isfinite(high) else None,
        None if n is None else float(assurance.decided(claim, draws, n, alpha, over).mean()),
    )


def each_context(over: str, contexts: int, alpha: float, power: float) -> tuple[float, float]:
    """Return the level and the power that each of several independent contexts must have for the claim to have them."""
    if over == "any":
        return alpha / contexts, 1 - (1 - power) ** (1 / contexts)
    return alpha, power ** (1 / contexts) if over == "every" else power


def _seeds(decided: Callable[[int], float | None], power: float) -> int | None:
    """Return the number of seeds from which on the chance reaches `power`; None where there is nothing to go by."""
    return None if decided(2) is None else fewest_seeds(lambda n: decided(n) or 0.0, power)


def _detectable(claim: Claim, results: Sequence[ContextResult], n: int, alpha: float, power: float) -> float | None:
    alpha, power = each_context(claim.over, max(1, len(results)), alpha, power)
    sizes = [_smallest(claim, each.effect, n, alpha, power) for each in results if isinstance(each.effect, Student)]
    known = [size for size in sizes if size is not None]
    able = n >= max(2, fewest(claim, results, alpha))
    return max(known) if able and known and len(known) == len(results) else None


def _smallest(claim: Claim, effect: Student, n: int, alpha: float, power: float) -> float | None:
    """Return the smallest distance from the margin, or for "==" the smallest margin; None beyond 1e6 errors."""
    se, df = effect.se * math.sqrt(effect.n / n), effect.df * (n - 1) / (effect.n - 1)
    wanted = (1 + power) / 2 if claim.statement.relation == "==" else power
    size = smallest_effect(lambda distance: tail_power(distance, df, alpha / 2), wanted)
    return None if size is None else size * se
