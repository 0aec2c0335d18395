"""One claim at each of its looks, and when it was decided among the other claims."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reports.analysis import pooled
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.analysis.effects import Grid
from reports.analysis.evidence import Case, ContextResult, Evidence, cases, evaluate
from reports.analysis.looks import EXTRA_SHARE
from reports.analysis.many import holm
from reports.analysis.outliers import worst_reading
from reports.analysis.procedure import Procedure
from reports.analysis.registration import Registration, planned_settings
from reports.analysis.threshold import decides
from reports.results import Study
from reports.trials import Trial

AS_DECLARED = Registration()


class Conclusion(StrEnum):
    """What the evidence says about a claim."""

    SUPPORTED = "Supported"
    REFUTED = "Refuted"
    INCONCLUSIVE = "Inconclusive"


@dataclass(frozen=True)
class Look:
    """One planned look: its number of seeds, the level it may spend, and the evidence on exactly those seeds."""

    n: int
    alpha: float
    evidence: Evidence


@dataclass(frozen=True)
class Judged:
    """One claim before the family of claims is looked at; `now` is the evidence at the last look, `seen` its seeds.

    No p is below `floor`, which is that of all seeds on record where the study leaves some out, and that of the arms
    that were planned where others are compared; `whole` and `planned` are their evidence. `apart` is that of Welch's
    test with all seeds of each arm, where some of one arm alone could have chosen the others.
    """

    claim: Claim
    cases: tuple[Case, ...]
    looks: tuple[Look, ...]
    now: Evidence
    seen: tuple[int, ...]
    level: float
    support: float
    refute: float
    first: int | None
    direction: Conclusion
    waiting: int
    unplanned: bool
    floor: float = 0.0
    whole: Evidence | None = None
    planned: Evidence | None = None
    apart: Evidence | None = None

    @property
    def p(self) -> float:
        """Return p in the claim's direction, on the scale of alpha and adjusted for the looks."""
        return self.support if self.direction is Conclusion.SUPPORTED else self.refute

    def at(self, look: Look, alpha: float) -> float:
        """Return p at one look in the claim's direction, adjusted for the looks."""
        then = look.evidence
        return alpha / look.alpha * (then.support if self.direction is Conclusion.SUPPORTED else then.refute)

    def until(self, look: int, alpha: float) -> float:
        """Return p as it was at a look, counted from 1; at the claim's last one where it has no more."""
        return max(self.floor, min([1.0, *(self.at(each, alpha) for each in self.looks[:look])]))


def judge_alone(
    study: Study,
    claim: Claim,
    readings: Grid,
    trials: Mapping[str, Mapping[int, Trial]],
    settings: AnalysisSettings,
    registration: Registration = AS_DECLARED,
) -> Judged:
    """Judge one claim on the readings by arm and seed, at every look whose trials have all ended.

    Seeds beyond those that `registration` has planned are judged by their e-value, on a share of alpha of their own.
    """
    contexts = cases(study, claim)
    arms = claim_arms(contexts)
    settings = planned_settings(settings, registration)
    question = _Question(claim, contexts, readings, claim.test or settings.test, worst_reading(study, claim))
    none: list[tuple[list[int], float]] = []
    seeds = _in_order({seed for arm in arms for seed in trials[arm]}, registration)
    is_torn = settings.looks and not registration.looks and not set(registration.planned) <= set(seeds)
    if is_torn and (registration.is_grown or registration.has_other_looks):
        complete, waiting, extra = none, 0, True
    else:
        complete, waiting, extra = _complete_looks(arms, seeds, trials, settings)
    looks = tuple(Look(len(part), alpha, question.evidence(part, alpha)) for part, alpha in complete)
    seen = complete[-1][0] if looks else seeds
    alpha = looks[-1].alpha if looks else settings.levels[0]
    now = looks[-1].evidence if looks else question.evidence(None, alpha)
    weights = [settings.alpha / each.alpha for each in looks]
    support = min([1.0, *(w * each.evidence.support for w, each in zip(weights, looks, strict=True))])
    refute = min([1.0, *(w * each.evidence.refute for w, each in zip(weights, looks, strict=True))])
    first, direction = _first(looks, weights, settings.alpha, support, refute)
    unplanned = extra and first is None
    if extra:
        now, seen = question.evidence(None, settings.alpha, unplanned=unplanned), seeds
    if unplanned:
        support = min(support, now.support / EXTRA_SHARE)
        refute = min(refute, now.refute / EXTRA_SHARE)
        direction = Conclusion.SUPPORTED if support <= refute else Conclusion.REFUTED
    return Judged(
        claim, contexts, looks, now, tuple(seen), 1 - alpha, support, refute, first, direction, waiting, unplanned
    )


def decisive(claim: Claim, now: Evidence, direction: Conclusion) -> ContextResult | None:
    """Return the context on which the verdict turns: the weakest support, or for a refuted claim the strongest no.

    Of a claim on any context it is the other way round. Where several have the same p the interval tells.
    """
    if not now.contexts:
        return None
    supports = direction is Conclusion.SUPPORTED

    def weakness(each: ContextResult) -> tuple[float, float]:
        return each.p_support if supports else each.p_refute, -_clearance(claim, each, supports=supports)

    strongest = supports == (claim.over == "any")
    return (min if strongest else max)(now.contexts, key=weakness)


def _clearance(claim: Claim, result: ContextResult, *, supports: bool) -> float:
    """Return how far the whole interval lies on the claimed side of the margin, or on the other one."""
    low = -math.inf if result.low is None else result.low
    high = math.inf if result.high is None else result.high
    above, below = low - claim.margin, claim.margin - high
    if claim.statement.relation == "==":
        return min(below, low + claim.margin) if supports else max(above, -claim.margin - high)
    is_below = claim.statement.relation == "fails" and claim.rate[0] in ("<", "<=")
    return below if supports == is_below else above


def is_withdrawn(judged: Judged) -> bool:
    """Whether all seeds at hand speak against what an earlier look decided."""
    against, towards = judged.now.refute, judged.now.support
    return against < towards if judged.direction is Conclusion.SUPPORTED else towards < against


def held_against(judged: Judged, support: float, refute: float) -> Judged:
    """Return the claim with the larger p of its own seeds and arms and of these: leaving some out wins nothing."""
    larger = max(judged.support, support), max(judged.refute, refute)
    direction = Conclusion.SUPPORTED if larger[0] <= larger[1] else Conclusion.REFUTED
    floor = max(judged.floor, support if direction is Conclusion.SUPPORTED else refute)
    return replace(judged, support=larger[0], refute=larger[1], direction=direction, floor=floor)


def unpaired(study: Study, claim: Claim, readings: Grid, alpha: float) -> Evidence:
    """Return what Welch's test says of all these readings; nothing where an arm fails, or the metric has no noise."""
    evidence = _Question(claim, cases(study, claim), readings, "welch", worst_reading(study, claim)).evidence(
        None, alpha
    )
    is_whole = all(each.test == "welch" for each in evidence.contexts)
    return evidence if is_whole else replace(evidence, support=1.0, refute=1.0)


def one_of(judged: Judged, plans: int) -> Judged:
    """Return a claim that was judged on its part of alpha, one of so many, with its p on the scale of the whole."""
    support, refute, floor = (min(1.0, plans * each) for each in (judged.support, judged.refute, judged.floor))
    return replace(judged, support=support, refute=refute, floor=floor)


def _in_order(seeds: set[int], registration: Registration) -> list[int]:
    """Return the seeds in the order of their use: those of the plan first where others were added to them."""
    if not registration.is_grown:
        return sorted(seeds)
    first = [seed for seed in registration.planned if seed in seeds]
    return [*first, *sorted(seeds - set(first))]


def _first(
    looks: Sequence[Look], weights: Sequence[float], alpha: float, support: float, refute: float
) -> tuple[int | None, Conclusion]:
    """Return the first look that decides by itself, and which way; a later look cannot turn it round."""
    for place, (look, weight) in enumerate(zip(looks, weights, strict=True)):
        if decides(weight * min(look.evidence.support, look.evidence.refute), alpha):
            supported = look.evidence.support <= look.evidence.refute
            return place + 1, Conclusion.SUPPORTED if supported else Conclusion.REFUTED
    return None, Conclusion.SUPPORTED if support <= refute else Conclusion.REFUTED


def _complete_looks(
    arms: Sequence[str],
    seeds: Sequence[int],
    trials: Mapping[str, Mapping[int, Trial]],
    settings: AnalysisSettings,
) -> tuple[list[tuple[list[int], float]], int, bool]:
    """Return the seeds and the level of each complete look, the trials that the next one waits for, and whether seeds
    beyond the last look exist."""
    sizes = settings.looks or (len(seeds),)
    complete: list[tuple[list[int], float]] = []
    for size, alpha in zip(sizes, settings.levels, strict=True):
        part = list(seeds[:size])
        pairs = [trials[arm].get(seed) for arm in arms for seed in part]
        waiting = sum(trial is not None and not trial.state.is_finished() for trial in pairs)
        lacking = len(arms) * (size - len(part)) + sum(trial is None for trial in pairs) if settings.looks else 0
        if waiting or lacking or not part:
            done = set(complete[-1][0]) if complete else set()
            begun = all(any(seed in trials[arm] for seed in part if seed not in done) for arm in arms)
            # Where no arm has a seed of this look yet, nothing is to come: no more seeds are spent on the claim.
            return complete, waiting + lacking if begun or not complete else 0, False
        complete.append((part, alpha))
    return complete, 0, bool(settings.looks) and len(seeds) > sizes[-1]


@dataclass(frozen=True)
class _Question:
    """A claim, the readings that it is judged on, and what stays the same at all its looks."""

    claim: Claim
    contexts: tuple[Case, ...]
    readings: Grid
    test: str
    worst: float

    def evidence(self, seeds: Sequence[int] | None, alpha: float, *, unplanned: bool = False) -> Evidence:
        """Judge the claim on these seeds, or on all where there are none given."""
        part = restricted(self.readings, seeds)
        model = pooled.fit(part) if self.test == "pooled" else None
        procedure = Procedure(self.test, 1 - alpha, model, self.worst, unplanned)
        return evaluate(self.claim, self.contexts, part, procedure)


def claim_arms(contexts: Iterable[Case]) -> tuple[str, ...]:
    """Return the arms that a claim compares, in the order of its contexts."""
    return tuple(dict.fromkeys(arm for case in contexts for arm in case.weights))


def restricted(readings: Grid, seeds: Iterable[int] | None) -> dict[str, Mapping[int, float]]:
    """Return the readings of some seeds only; all when `seeds` is None."""
    if seeds is None:
        return dict(readings)
    kept = set(seeds)
    return {arm: {seed: value for seed, value in each.items() if seed in kept} for arm, each in readings.items()}


def at_its_clearest(judged: Judged, alpha: float) -> Judged:
    """Return the claim as of the look with the smallest p: repeated intervals hold at every look."""
    look = min(judged.looks, key=lambda each: judged.at(each, alpha))
    return replace(judged, now=look.evidence, seen=judged.seen[: look.n], level=1 - look.alpha)


def adjusted_p(family: Sequence[Judged], p: Sequence[float], others: int = 0) -> dict[str, float]:
    """Return Holm's p of each claim of the family, by its id; `others` are claims of it that are no longer made."""
    adjusted = holm([*p, *[1.0] * others])[: len(family)]
    return {each.claim.id: p_holm for each, p_holm in zip(family, adjusted, strict=True)}


def decided_looks(family: Sequence[Judged], alpha: float, others: int = 0) -> dict[str, int | None]:
    """Return the look, from 1, at which each claim was first decided among the others; None for those that are not."""
    decided: dict[str, int | None] = {each.claim.id: None for each in family}
    for look in range(max((len(each.looks) for each in family), default=0), 0, -1):
        then = adjusted_p(family, [each.until(look, alpha) for each in family], others)
        decided |= {each.claim.id: min(look, len(each.looks)) for each in family if decides(then[each.claim.id], alpha)}
    return decided
