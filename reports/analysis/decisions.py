"""What is decided about each claim, among all the others: the outcome alone, without its numbers and its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.analysis.judged import (
    Conclusion,
    Judged,
    adjusted_p,
    at_its_clearest,
    decided_looks,
    held_against,
    is_withdrawn,
    judge_alone,
    one_of,
    unpaired,
)
from reports.analysis.omissions import LeftOut
from reports.analysis.readings import compared, grid
from reports.analysis.registration import Registration, claims_ever, dropped_claims, register
from reports.analysis.threshold import decides
from reports.results import Study
from reports.trials import Trial

Readings = Mapping[str, Mapping[int, float]]
Trials = Mapping[str, Mapping[int, Trial]]


@dataclass(frozen=True)
class Decision:
    """The outcome for one claim: `p_holm` is its p among the others, None for a claim that is in no family.

    `withdrawn` is a decision of an earlier look that all seeds at hand contradict. `corrected_for` counts the claims
    by which the level of a further look is to be shared, this one among them, times the plans that ask the same.
    """

    judged: Judged
    registration: Registration
    outcome: Conclusion
    p_holm: float | None
    decided: bool
    withdrawn: bool
    decided_at_look: int | None
    corrected_for: int

    def told(self, alpha: float) -> Judged:
        """Return the claim as it is told: as of the look that decides it most clearly, where one does."""
        return at_its_clearest(self.judged, alpha) if self.decided and not self.judged.unplanned else self.judged


@dataclass(frozen=True)
class _Family:
    """Holm's p by claim, of those that have one, how many are undecided, and the look that decided each."""

    p: Mapping[str, float]
    undecided: int
    decided_at: Mapping[str, int | None]


def decide(study: Study, claims: Sequence[Claim], settings: AnalysisSettings) -> tuple[Decision, ...]:
    """Return the outcome for every claim, in the claims' order (see `reports.analysis.verdicts.judge`)."""
    registrations = {claim.id: register(study, claim) for claim in claims}
    grids, trials = live_grids(study, claims), trials_by_arm(study)
    judged = [_judged(study, claim, grids[claim.metric], trials, settings, registrations[claim.id]) for claim in claims]
    family = _family(study, judged, settings, registrations)
    return tuple(_decision(each, family, settings, registrations[each.claim.id]) for each in judged)


def live_grids(study: Study, claims: Sequence[Claim]) -> dict[str, Readings]:
    """Return the readings of the arms that the study asks for, by metric, arm and seed."""
    return {metric: _live(study, metric) for metric in dict.fromkeys(claim.metric for claim in claims)}


def trials_by_arm(study: Study) -> dict[str, dict[int, Trial]]:
    """Return the trials that arms are compared on, by arm and seed."""
    trials: dict[str, dict[int, Trial]] = {arm.name: {} for arm in study.arms}
    for trial in compared(study):
        trials.setdefault(trial.arm, {})[trial.seed] = trial
    return trials


def _decision(judged: Judged, family: _Family, settings: AnalysisSettings, registration: Registration) -> Decision:
    p_holm = family.p.get(judged.claim.id)
    decisive = judged.p if p_holm is None else p_holm
    is_small = decides(decisive, settings.alpha)
    decided = is_small and (bool(judged.looks) or judged.unplanned)
    withdrawn = decided and not judged.unplanned and is_withdrawn(judged)
    others = family.undecided + 1 if is_small else family.undecided
    return Decision(
        judged=judged,
        registration=registration,
        outcome=judged.direction if decided and not withdrawn else Conclusion.INCONCLUSIVE,
        p_holm=p_holm,
        decided=decided,
        withdrawn=withdrawn,
        decided_at_look=family.decided_at[judged.claim.id],
        corrected_for=registration.alternatives * (1 if p_holm is None else max(1, others)),
    )


def _family(
    study: Study, judged: Sequence[Judged], settings: AnalysisSettings, registrations: Mapping[str, Registration]
) -> _Family:
    """Correct the claims for one another: the declared ones among themselves, each changed one among all ever made."""
    declared = [each for each in judged if not registrations[each.claim.id].changes]
    decided_at = {each.claim.id: each.first for each in judged}
    p: dict[str, float] = {}
    if settings.family == "holm":
        dropped = dropped_claims(study, (registrations[each.claim.id] for each in declared))
        p |= adjusted_p(declared, [each.p for each in declared], dropped)
        decided_at |= decided_looks(declared, settings.alpha, dropped)
    undecided = sum(not decides(each, settings.alpha) for each in p.values())
    for each in judged:
        if registrations[each.claim.id].changes:
            others = max(0, claims_ever(study, each.claim) - len(judged) + 1)
            p[each.claim.id] = adjusted_p(judged, [one.p for one in judged], others)[each.claim.id]
            decided_at[each.claim.id] = decided_looks(judged, settings.alpha, others)[each.claim.id]
    return _Family(p, undecided, decided_at)


def _judged(
    study: Study,
    claim: Claim,
    readings: Readings,
    trials: Trials,
    settings: AnalysisSettings,
    registration: Registration,
) -> Judged:
    """Judge one claim; hold it against all seeds on record where the study leaves some out, and against its plan.

    Where results of one arm alone could have chosen the seeds, it is held against all seeds of each arm, unpaired.

    Where several studies planned to ask the same with other seeds, looks or tests, each has its part of the level.
    """
    settings = replace(settings, alpha=settings.alpha / registration.alternatives)
    judged = judge_alone(study, claim, readings, trials, settings, registration)
    if (planned := registration.as_planned) is not None:
        asked = trials_by_arm(planned.study)
        as_asked = judge_alone(
            planned.study, planned.claim, _live(planned.study, claim.metric), asked, settings, registration
        )
        judged = replace(held_against(judged, as_asked.support, as_asked.refute), planned=as_asked.now)
    if registration.left_out:
        every = {arm: {**mine, **registration.left_out.get(arm, {})} for arm, mine in trials.items()}
        complete = _with(study, registration.left_out)
        whole = judge_alone(study, claim, _live(complete, claim.metric), every, settings, registration)
        judged = replace(held_against(judged, whole.support, whole.refute), whole=whole.now)
    if registration.alone and not claim.is_exact:
        complete = _with(study, registration.left_out, registration.alone)
        apart = unpaired(study, claim, _live(complete, claim.metric), settings.alpha)
        judged = replace(held_against(judged, apart.support, apart.refute), apart=apart)
    return one_of(judged, registration.alternatives)


def _with(study: Study, *left_out: LeftOut) -> Study:
    """Return the study with outcomes that it leaves out."""
    trials = tuple(trial for part in left_out for each in part.values() for trial in each.values())
    measurements = (*study.measurements, *study.history.measurements)
    return replace(study, trials=(*compared(study), *trials), measurements=measurements)


def _live(study: Study, metric: str) -> dict[str, dict[int, float]]:
    readings = grid(study, metric)
    return {arm.name: readings[arm.name] for arm in study.arms if not arm.orphaned}
