"""Power before spending: what a study can find out with the seeds it asks for, said before the first trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.analysis.claims import Claim
from reports.analysis.evidence import cases, trend_weights
from reports.analysis.forecast import each_context
from reports.analysis.grammar import Factors
from reports.analysis.intervals import sd_interval
from reports.analysis.judged import claim_arms
from reports.analysis.outliers import least_seeds, too_few_for_t, unseen_share
from reports.analysis.power import seeds_for_rate, seeds_needed, smallest_paired
from reports.analysis.readings import finite, grid
from reports.analysis.settings import AnalysisSettings
from reports.metrics import PRIMARY
from reports.results import Study


@dataclass(frozen=True)
class Spread:
    """How much one arm varies over its seeds, in the metric's units: the SD, its interval, and where it is from."""

    sd: float
    source: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Prospect:
    """What a claim can hope for. `detectable` is the smallest distance of the true effect from the margin that is seen
    with the wanted power if this were the only claim; `in_family` the same in the worst case of Holm's correction.

    For "==" both are the smallest margin that could be supported if there were no difference. `needed` is the number of
    seeds that the declared `within` takes, `fewest` the one below which no data at all decide. `can` is False where
    the study cannot answer its question.
    """

    claim: Claim
    n: int
    spread: Spread | None
    detectable: float | None
    in_family: float | None
    needed: int | None
    fewest: int
    can: bool
    sentence: str


def claim_spreads(study: Study, claims: Sequence[Claim]) -> dict[str, Spread]:
    """Return the spread for each claim, by its id: that of its own arms, else of all that `study` has results of."""
    found = {}
    for claim in claims:
        mine = claim_arms(cases(study, claim))
        if spread := study_spread(study, claim.metric, mine) or study_spread(study, claim.metric):
            found[claim.id] = spread
    return found


def study_spread(study: Study, metric: str = PRIMARY.name, among: Sequence[str] | None = None) -> Spread | None:
    """Return the spread within the arms that have no fail, pooled; None when no arm has two seeds that differ.

    `among` names the arms to look at; all by default.
    """
    squares, df, arms = 0.0, 0, 0
    for arm, values in grid(study, metric).items():
        sound = len(values) > 1 and len(finite(values)) == len(values)
        if sound and (among is None or arm in among):
            squares += (len(values) - 1) * float(np.var(list(values.values()), ddof=1))
            df += len(values) - 1
            arms += 1
    if df == 0 or squares <= 0:
        return None
    sd = math.sqrt(squares / df)
    low, high = sd_interval(sd, df + 1) or (None, None)
    known = f"{arms} arm" if arms == 1 else f"{arms} arms"
    return Spread(sd, f"{known} on record, {df} degrees of freedom", low, high)


def prospects(
    claims: Sequence[Claim],
    factors: Factors,
    n: int,
    settings: AnalysisSettings,
    *,
    arms: int,
    spread: Spread | Mapping[str, Spread] | None = None,
    correlation: float = 0.0,
) -> tuple[Prospect, ...]:
    """Say for every claim what n seeds can decide. `arms` is the number of arms of the study, for the pooled test.

    `spread` is that of one arm over its seeds, for all claims alike or by the claim's id.
    `correlation` is that of two arms over the seeds they share; across architectures it is often near 0. With looks, n
    is the last look and its level counts.
    """
    known = spread if isinstance(spread, Mapping) else dict.fromkeys((claim.id for claim in claims), spread)
    return tuple(
        _prospect(claim, factors, n, settings, arms, known.get(claim.id), correlation, len(claims)) for claim in claims
    )


def _prospect(
    claim: Claim,
    factors: Factors,
    n: int,
    settings: AnalysisSettings,
    arms: int,
    spread: Spread | None,
    correlation: float,
    count: int,
) -> Prospect:
    alpha = settings.levels[-1]
    family = alpha / count if settings.family == "holm" else alpha
    if claim.statement.relation == "fails":
        fewest = min(seeds_for_rate(claim.rate[1], family), seeds_for_rate(1 - claim.rate[1], family))
        return Prospect(claim, n, None, None, None, None, fewest, n >= fewest, _about_rate(claim, n, fewest))
    test = claim.test or settings.test
    same = claim.statement.relation == "=="
    fewest = seeds_for_rate(0.5, family) if test == "sign" else least_seeds(family) if same else 2
    few = test != "sign" and too_few_for_t(n, family)
    sd = _scale(claim, factors, correlation) * spread.sd if spread else None
    contexts = sum(1 for _ in claim.contexts(factors)) if claim.over != "average" else 1

    def smallest(level: float) -> float | None:
        if few:
            return None
        level, power = each_context(claim.over, max(1, contexts), level, settings.power)
        power = (1 + power) / 2 if same else power  # both one-sided tests of an equivalence must pass
        size = smallest_paired(n, level, power)  # the pooled test may turn out to be refused
        return size * sd if size is not None and sd is not None else None

    alone, in_family = smallest(alpha), smallest(family)
    relative = None
    if spread is None and not few:
        level, power = each_context(claim.over, max(1, contexts), alpha, settings.power)
        relative = smallest_paired(n, level, (1 + power) / 2 if same else power)
    needed = None
    if same and sd:
        level, power = each_context(claim.over, max(1, contexts), family, settings.power)
        wanted = seeds_needed(claim.margin / sd, level, (1 + power) / 2)
        needed = wanted and max(wanted, fewest)
    can = n >= fewest and not (same and in_family is not None and in_family > claim.margin)
    text = (
        _about_few(n, family)
        if few and n >= fewest
        else _about_effect(claim, n, spread, alone, in_family, needed, fewest, count, settings, relative, contexts)
    )
    return Prospect(claim, n, spread, alone, in_family, needed, fewest, can, text)


def _scale(claim: Claim, factors: Factors, correlation: float) -> float:
    """Return the SD of one seed's effect in SDs of one arm."""
    said = claim.statement
    squares = 1.0 if said.value is not None else 2.0
    if said.along is not None:
        squares *= sum(weight**2 for weight in trend_weights(claim.levels(said.along, factors)))
    if claim.over == "average":
        squares /= max(1, sum(1 for _ in claim.contexts(factors)))
    shared = 0.0 if said.value is not None else correlation
    return math.sqrt(squares * (1 - shared))


def _seeds(n: int) -> str:
    return f"{n} seed" if n == 1 else f"{n} seeds"


def _about_rate(claim: Claim, n: int, fewest: int) -> str:
    what = f"a fail rate {claim.rate[0]} {claim.rate[1]:g}"
    if n < fewest:
        return f"{_seeds(n)} cannot decide {what}: it takes {fewest}, even if they all agree."
    return f"{_seeds(n)} can decide {what} if they all agree, from {fewest} on."


def _about_few(n: int, alpha: float) -> str:
    return (
        f"{_seeds(n)} decide only what rare outliers could not undo, and they leave room for some in "
        f"{100 * unseen_share(n):.0f} % of all seeds: any smaller effect takes {_seeds(least_seeds(alpha))}."
    )


def _about_effect(
    claim: Claim,
    n: int,
    spread: Spread | None,
    alone: float | None,
    in_family: float | None,
    needed: int | None,
    fewest: int,
    count: int,
    settings: AnalysisSettings,
    relative: float | None,
    contexts: int,
) -> str:
    if n < fewest:
        return f"{_seeds(n)} {'decides' if n == 1 else 'decide'} nothing: it takes at least {fewest}."
    if spread is None or alone is None or in_family is None:
        unknown = "how much the arms vary over their seeds is not known yet: a pilot of three seeds would tell."
        if relative is None:
            return f"{_seeds(n)}; {unknown}"
        sees = "support a margin" if claim.statement.relation == "==" else "see an effect"
        return f"{_seeds(n)} {sees} of {relative:.2f} SDs of the differences by seed or more; {unknown}"
    basis = f"{settings.power:.0%} power, SD {spread.sd:.2g} from {spread.source}"
    many = f" ({in_family:.2g} among {count} claims)" if count > 1 and settings.family == "holm" else ""
    if claim.statement.relation == "==":
        more = f" It takes about {_seeds(needed)}." if needed is not None and needed > n else ""
        cannot = "cannot support" if in_family > claim.margin else "can support"
        return f"{_seeds(n)} {cannot} within {claim.margin:g}: they reach {alone:.2g}{many}; {basis}.{more}"
    beyond = f" beyond the {claim.margin:g} claimed" if claim.margin else ""
    beyond += f" in each of {contexts} contexts" if contexts > 1 and claim.over == "every" else ""
    return f"{_seeds(n)} see an effect of {alone:.2g}{many}{beyond} or more; {basis}. Smaller ones stay open."
