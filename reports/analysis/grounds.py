"""What a verdict rests on beside its numbers: the trials, other tests and readings, the seeds ahead, the badges."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from reports.analysis import pooled
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.badges import (
    DEPENDS,
    FEW,
    FURTHER,
    KNOWN_ARM,
    LEFT_OUT,
    MISSING,
    ONE_SEED,
    OPEN,
    OUTLIERS,
    POST_HOC,
    SHARED,
    SKEWED,
    UNMEASURED,
    UNPLANNED,
    WITHDRAWN,
)
from reports.analysis.claims import OVER, Claim
from reports.analysis.decisions import Decision
from reports.analysis.effects import Grid, Student
from reports.analysis.evidence import ContextResult, Evidence, alternatives, evaluate
from reports.analysis.forecast import Forecast, forecast
from reports.analysis.influence import deciding_seeds
from reports.analysis.judged import Conclusion, Judged, claim_arms, decisive, restricted
from reports.analysis.measurements import needs_partner
from reports.analysis.outliers import worst_reading
from reports.analysis.power import seeds_for_rate
from reports.analysis.procedure import Procedure
from reports.analysis.skewness import is_skewed_sample
from reports.analysis.threshold import decides
from reports.metrics import probe_of
from reports.results import Study
from reports.trials import State, Trial


@dataclass(frozen=True)
class Grounds:
    """A decision, and what its words, its marks and its numbers rest on together.

    `by_arm` has the trials of each arm by seed.
    """

    study: Study
    decision: Decision
    readings: Grid
    by_arm: Mapping[str, Mapping[int, Trial]]
    settings: AnalysisSettings

    @cached_property
    def judged(self) -> Judged:
        """The claim as it is told: as of the look that decides it most clearly."""
        return self.decision.told(self.settings.alpha)

    @property
    def claim(self) -> Claim:
        """The claim."""
        return self.judged.claim

    @property
    def alpha(self) -> float:
        """The level that it is judged at."""
        return 1 - self.judged.level

    @property
    def is_decided(self) -> bool:
        """Whether it is Supported or Refuted."""
        return self.decision.outcome is not Conclusion.INCONCLUSIVE

    @property
    def is_pending(self) -> bool:
        """Whether it waits for the trials of its first look."""
        return bool(self.judged.waiting) and not self.judged.looks and not self.is_decided

    @property
    def arms(self) -> Collection[str]:
        """The arms that it compares."""
        return claim_arms(self.judged.cases)

    @cached_property
    def shown(self) -> ContextResult | None:
        """The context on which the verdict turns, before there is one of those with a result; None without arms."""
        now = self.judged.now
        known = tuple(each for each in now.contexts if each.n)
        if self.is_pending and known:
            now = replace(now, contexts=known)
        return decisive(self.claim, now, self.judged.direction)

    @cached_property
    def later(self) -> ContextResult | None:
        """What all seeds give, where the verdict is told as of fewer."""
        at_last = self.decision.judged
        whole = decisive(self.claim, at_last.now, at_last.direction)
        return whole if self.shown and whole and whole.n > self.shown.n else None

    @cached_property
    def part(self) -> Grid:
        """The readings of the seeds that the verdict rests on."""
        return restricted(self.readings, self.judged.seen)

    @cached_property
    def procedure(self) -> Procedure:
        """The test, its level, and what it knows of all arms."""
        test, worst = self.claim.test or self.settings.test, worst_reading(self.study, self.claim)
        return Procedure(test, self.judged.level, pooled.fit(self.part), worst)

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that the verdict rests on: those that have ended."""
        every = (self.by_arm[arm].get(seed) for arm in self.arms for seed in self.judged.seen)
        return tuple(each for each in every if each is not None and each.state.is_finished())

    @cached_property
    def lost(self) -> tuple[Trial, ...]:
        """Those of the trials that ended without an outcome."""
        return tuple(each for each in self.trials if each.state in (State.FAILED, State.PRUNED))

    @cached_property
    def unmeasured(self) -> tuple[str, ...]:
        """The trained networks that the claim's probe has not seen, although it has seen others."""
        return _unmeasured(self.study, self.claim, self.trials)

    @cached_property
    def deciding(self) -> Mapping[int, float]:
        """The p without each seed that decides by itself."""
        if not self.is_decided:
            return {}
        return _deciding(self.judged, self.part, self.procedure, self.decision.p_holm)

    @cached_property
    def is_fragile(self) -> bool:
        """Whether outliers that so few seeds would not show could undo the verdict."""
        return self.is_decided and _is_fragile(self.judged, self.decision.outcome)

    @cached_property
    def other_tests(self) -> dict[str, Conclusion]:
        """The outcome by each other test of the same seeds."""
        tests = alternatives(self.claim, self.judged.cases, self.part, self.procedure)
        return {name: _outcome(each, self.alpha) for name, each in tests.items()}

    @cached_property
    def other_readings(self) -> dict[str, Conclusion]:
        """The outcome in each meaning of `over`, where there are several contexts."""
        return _other_readings(self.judged, self.part, self.procedure)

    @cached_property
    def ahead(self) -> Forecast:
        """What further seeds could decide."""
        settings = self.settings
        seeds = {seed for arm in self.arms for seed in self.by_arm[arm]}
        asked = settings.looks[-1] if settings.looks else len(seeds)
        level = settings.levels[-1] / self.decision.corrected_for
        seconds = _seconds(self.by_arm, self.arms)
        return forecast(self.claim, self.judged.now.contexts, asked, level, settings.power, seconds)


def _unmeasured(study: Study, claim: Claim, trials: Iterable[Trial]) -> tuple[str, ...]:
    """Return the trained networks that the claim's probe has not seen, although it has seen others of the study.

    A probe that measures two seeds together leaves one of each arm without a measurement, as it should.
    """
    probe = probe_of(claim.metric)
    if probe is None:
        return ()
    measured = [each for each in study.measurements if each.kind == probe]
    if not measured or needs_partner(measured[-1]):
        return ()
    seen = {each.trial for each in measured}
    return tuple(each.id for each in trials if each.state is State.COMPLETE and each.id not in seen)


def _deciding(judged: Judged, part: Grid, procedure: Procedure, p_holm: float | None) -> Mapping[int, float]:
    """Return the seeds that decide the verdict by themselves, at the level that the looks and the family leave it."""
    if judged.unplanned:
        return {}
    shared_with = p_holm / judged.p if p_holm and judged.p else 1.0
    supported = judged.direction is Conclusion.SUPPORTED
    alpha = (1 - judged.level) / max(1.0, shared_with)
    return deciding_seeds(judged.claim, judged.cases, part, procedure, alpha, supported=supported)


def _is_fragile(judged: Judged, verdict: Conclusion) -> bool:
    """Whether outliers that so few seeds would not show could undo the verdict in a context that it turns on."""
    supported = verdict is Conclusion.SUPPORTED
    turning_point = decisive(judged.claim, judged.now, judged.direction)
    every = supported == (judged.claim.over != "any")
    turning = judged.now.contexts if every else (turning_point,) if turning_point else ()
    return any(each.fragile[0 if supported else 1] for each in turning)


def _other_readings(judged: Judged, part: Grid, procedure: Procedure) -> dict[str, Conclusion]:
    """Judge the sentence in each meaning of `over`, where it has several contexts."""
    claim = judged.claim
    if len(judged.cases) < 2:
        return {}
    known = [over for over in OVER if claim.statement.relation != "fails" or over != "average"]
    readings = {over: evaluate(claim, judged.cases, part, procedure, over=over) for over in known}
    return {over: _outcome(each, 1 - judged.level) for over, each in readings.items()}


def _outcome(evidence: Evidence, alpha: float) -> Conclusion:
    if not decides(min(evidence.support, evidence.refute), alpha):
        return Conclusion.INCONCLUSIVE
    return Conclusion.SUPPORTED if evidence.support <= evidence.refute else Conclusion.REFUTED


def badges_of(grounds: Grounds, skewed: bool) -> tuple[str, ...]:
    """Return what qualifies the verdict; `skewed` where the metric is, over all arms.

    A rank test counts as a dissenting voice only where its smallest p could have decided at all.
    """
    judged, registration, alpha = grounds.judged, grounds.decision.registration, grounds.alpha
    by_itself = _outcome(judged.now, alpha)
    able = all(each.n >= seeds_for_rate(0.5, alpha) for each in judged.now.contexts)
    voices = [outcome for name, outcome in grounds.other_tests.items() if name != "sign" or able]
    by_t = [each for each in judged.now.contexts if isinstance(each.effect, Student)]
    is_skewed = bool(by_t) and (skewed or any(is_skewed_sample(each.differences) for each in by_t))
    marks = {
        SKEWED: is_skewed,
        UNPLANNED: judged.unplanned,
        DEPENDS: not judged.unplanned and any(outcome is not by_itself for outcome in voices),
        POST_HOC: registration.changes,
        LEFT_OUT: (registration.left_out and registration.is_chosen) or registration.alone,
        FURTHER: registration.left_out and not registration.is_chosen,
        SHARED: registration.plans > 1,
        OPEN: judged.waiting,
        WITHDRAWN: grounds.decision.withdrawn,
        MISSING: grounds.lost,
        UNMEASURED: grounds.unmeasured,
        ONE_SEED: grounds.deciding,
        OUTLIERS: grounds.is_fragile,
        KNOWN_ARM: grounds.is_decided and registration.is_of_known_arms,
    }
    of_verdict = {FEW, DEPENDS} if grounds.is_pending else set()
    of_contexts = [badge for each in judged.now.contexts for badge in each.badges]
    found = dict.fromkeys([*of_contexts, *(mark for mark, holds in marks.items() if holds)])
    return tuple(mark for mark in found if mark not in of_verdict)


def _seconds(trials: Mapping[str, Mapping[int, Trial]], arms: Iterable[str]) -> float | None:
    """Return what one seed of all these arms takes to train, by the means of the trials so far; None when unknown."""
    total = 0.0
    for arm in arms:
        known = [each.seconds for each in trials[arm].values() if each.seconds is not None]
        if not known:
            return None
        total += math.fsum(known) / len(known)
    return total
