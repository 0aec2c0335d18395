"""The verdict on every claim: Supported, Refuted or Inconclusive, with all that it rests on."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from reports.analysis import pooled
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.badges import (
    DEPENDS,
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
from reports.analysis.decisions import Decision, decide, live_grids, trials_by_arm
from reports.analysis.effects import Grid, Student
from reports.analysis.evidence import ContextResult, Evidence, alternatives, evaluate
from reports.analysis.forecast import Forecast, forecast
from reports.analysis.influence import deciding_seeds
from reports.analysis.judged import (
    Conclusion,
    Judged,
    Look,
    claim_arms,
    decisive,
    restricted,
)
from reports.analysis.measurements import needs_partner
from reports.analysis.outliers import worst_reading
from reports.analysis.power import seeds_for_rate
from reports.analysis.procedure import Procedure
from reports.analysis.registration import Registration
from reports.analysis.skewness import are_skewed, is_skewed_sample
from reports.analysis.threshold import decides
from reports.analysis.wording import Account, sentence
from reports.metrics import probe_of
from reports.notebook import html_table
from reports.results import Study
from reports.trials import State, Trial

NOT_JUDGED = "Not judged yet"


@dataclass(frozen=True, repr=False)
class Verdict:
    """The judgement of one claim.

    `estimate`, `low`, `high`, `level`, `n` and `fails` are those of the context that decides (the weakest one for
    "every"), `contexts` has them all. They rest on the seeds of the last look that is complete, or on all seeds when
    none is; for a claim that is decided, on those of the look that says it most clearly, since other claims may have
    added seeds since. `p` is that look's, on the scale of alpha; `p_look` is adjusted for the looks, `p_holm` for the
    other claims too (None for a claim that is in no family). `decided_at_look`, from 1, is the first look at which the
    claim was decided among the other claims. `waiting` trials
    stand between the claim and its next look. `other_tests` and `other_readings` are the verdicts by other tests and
    by the other meanings of `over`, neither corrected for the family of claims. `missing` names trials that ended
    without an outcome, with their reasons. `changes` says what was fixed after the first result, in a sentence each,
    against the version of the plan in `registration`.
    """

    claim: Claim
    verdict: Conclusion
    estimate: float | None
    low: float | None
    high: float | None
    level: float
    margin: float
    n: int
    fails: int
    p: float
    p_look: float
    p_holm: float | None
    contexts: tuple[ContextResult, ...]
    looks: tuple[Look, ...]
    decided_at_look: int | None
    waiting: int
    missing: Mapping[str, str]
    forecast: Forecast
    other_tests: Mapping[str, Conclusion]
    other_readings: Mapping[str, Conclusion]
    badges: tuple[str, ...]
    changes: tuple[str, ...]
    registration: Registration
    sentence: str
    trials: tuple[str, ...]
    decided_at: datetime | None

    def __repr__(self) -> str:
        """Return the claim's id and its verdict."""
        return f"<Verdict {self.id}: {self.word}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the verdict and what it rests on."""
        return html_table(["claim", "verdict", "evidence"], [[self.id, self.word, self.sentence]])

    @property
    def id(self) -> str:
        """Return the claim's id."""
        return self.claim.id

    @property
    def is_pending(self) -> bool:
        """Whether it waits for the trials of its first look, so that nothing is decided nor left open by them."""
        return bool(self.waiting) and not self.looks and self.verdict is Conclusion.INCONCLUSIVE

    @property
    def word(self) -> str:
        """Return the verdict as a reader is told it: a claim whose first look is incomplete is not judged yet."""
        return NOT_JUDGED if self.is_pending else self.verdict.value

    @property
    def post_hoc(self) -> str | None:
        """Return in words what was fixed after the first result; None for a claim that stands as declared."""
        return "; ".join(self.changes) or None

    @property
    def says(self) -> str:
        """Return the claim's sentence as the study file has it."""
        return self.claim.says


def word_counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Count the verdicts by their word in a sentence, in the order of the outcomes; those not judged yet come last."""
    words = [each.word.lower() for each in verdicts]
    known = [*(outcome.value.lower() for outcome in Conclusion), NOT_JUDGED.lower()]
    return {word: words.count(word) for word in known if word in words}


def judge(
    study: Study,
    claims: Sequence[Claim],
    settings: AnalysisSettings | None = None,
) -> tuple[Verdict, ...]:
    """Judge every claim on the study as it stands, in the claims' order.

    A claim is judged at complete looks only: all trials of its arms with the look's seeds have ended. Without declared
    looks the one look is at all seeds of its arms; until then it is Inconclusive, and its numbers are provisional.
    `settings` default to those of the study file.

    Claims that stand as they did before their first result form one family, with those of the plan that are no longer
    made. A claim of which anything was changed since is judged among all claims that were ever made on its trials.
    """
    if settings is None:
        settings = study.analysis
    grids = live_grids(study, claims)
    skewed = {metric for metric, readings in grids.items() if are_skewed(readings)}
    trials = trials_by_arm(study)
    return tuple(
        _verdict(_Judgement(study, each, grids[metric], trials, settings), metric in skewed)
        for each in decide(study, claims, settings)
        for metric in [each.judged.claim.metric]
    )


def judge_study(study: Study) -> tuple[Verdict, ...]:
    """Return the verdict on every claim of the study; what was fixed after its first result is marked post hoc."""
    return judge(study, study.claims) if study.claims else ()


@dataclass(frozen=True)
class _Judgement:
    """A decision, and what its words, its marks and its numbers rest on together."""

    study: Study
    decision: Decision
    readings: Grid
    by_arm: Mapping[str, Mapping[int, Trial]]
    settings: AnalysisSettings

    @cached_property
    def judged(self) -> Judged:
        return self.decision.told(self.settings.alpha)

    @property
    def claim(self) -> Claim:
        return self.judged.claim

    @property
    def alpha(self) -> float:
        return 1 - self.judged.level

    @property
    def is_decided(self) -> bool:
        return self.decision.outcome is not Conclusion.INCONCLUSIVE

    @property
    def arms(self) -> Collection[str]:
        return claim_arms(self.judged.cases)

    @cached_property
    def shown(self) -> ContextResult | None:
        return decisive(self.claim, self.judged.now, self.judged.direction)

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
        test, worst = self.claim.test or self.settings.test, worst_reading(self.study, self.claim)
        return Procedure(test, self.judged.level, pooled.fit(self.part), worst)

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that the verdict rests on."""
        return tuple(
            self.by_arm[arm][seed] for arm in self.arms for seed in self.judged.seen if seed in self.by_arm[arm]
        )

    @cached_property
    def lost(self) -> tuple[Trial, ...]:
        """Those of the trials that ended without an outcome."""
        return tuple(each for each in self.trials if each.state in (State.FAILED, State.PRUNED))

    @cached_property
    def unmeasured(self) -> tuple[str, ...]:
        return _unmeasured(self.study, self.claim, self.trials)

    @cached_property
    def deciding(self) -> Mapping[int, float]:
        if not self.is_decided:
            return {}
        return _deciding(self.judged, self.part, self.procedure, self.decision.p_holm)

    @cached_property
    def is_fragile(self) -> bool:
        return self.is_decided and _is_fragile(self.judged, self.decision.outcome)

    @cached_property
    def other_tests(self) -> dict[str, Conclusion]:
        tests = alternatives(self.claim, self.judged.cases, self.part, self.procedure)
        return {name: _outcome(each, self.alpha) for name, each in tests.items()}

    @cached_property
    def ahead(self) -> Forecast:
        settings = self.settings
        seeds = {seed for arm in self.arms for seed in self.by_arm[arm]}
        asked = settings.looks[-1] if settings.looks else len(seeds)
        level = settings.levels[-1] / self.decision.corrected_for
        seconds = _seconds(self.by_arm, self.arms)
        return forecast(self.claim, self.judged.now.contexts, asked, level, settings.power, seconds)


def _verdict(judgement: _Judgement, skewed: bool) -> Verdict:
    judged, shown, decision = judgement.judged, judgement.shown, judgement.decision
    claim, now, registration = judged.claim, judged.now, decision.registration
    reasons = {each.id: each.reason or each.state for each in judgement.lost}
    ends = [each.finished_at for each in judgement.trials if each.finished_at is not None]
    return Verdict(
        claim=claim,
        verdict=decision.outcome,
        estimate=shown.estimate if shown else None,
        low=shown.low if shown else None,
        high=shown.high if shown else None,
        level=shown.level if shown else judged.level,
        margin=claim.margin,
        n=shown.n if shown else 0,
        fails=shown.fails if shown else 0,
        p=now.support if judged.direction is Conclusion.SUPPORTED else now.refute,
        p_look=judged.p,
        p_holm=decision.p_holm,
        contexts=now.contexts,
        looks=judged.looks,
        decided_at_look=decision.decided_at_look if judgement.is_decided else None,
        waiting=judged.waiting,
        missing={**reasons, **dict.fromkeys(judgement.unmeasured, "not measured")},
        forecast=judgement.ahead,
        other_tests=judgement.other_tests,
        other_readings=_other_readings(judged, judgement.part, judgement.procedure),
        badges=_badges(judgement, skewed),
        changes=registration.changes,
        registration=registration,
        sentence=sentence(_account(judgement)),
        trials=tuple(each.id for each in judgement.trials),
        decided_at=max(ends, default=None),
    )


def _account(judgement: _Judgement) -> Account:
    judged, decision = judgement.judged, judgement.decision
    return Account(
        claim=judged.claim,
        verdict=str(decision.outcome),
        shown=judgement.shown,
        contexts=judged.now.contexts,
        waiting=judged.waiting,
        ahead=judgement.ahead,
        p_look=judged.p,
        p_holm=decision.p_holm,
        settings=judgement.settings,
        later=judgement.later,
        whole=decisive(judged.claim, judged.whole, judged.direction) if judged.whole else None,
        planned=decisive(judged.claim, judged.planned, judged.direction) if judged.planned else None,
        apart=decisive(judged.claim, judged.apart, judged.direction) if judged.apart else None,
        alone={arm: len(each) for arm, each in decision.registration.alone.items()},
        changes=decision.registration.changes,
        withdrawn=str(judged.direction) if decision.withdrawn else None,
        fragile=judgement.is_fragile,
        deciding=judgement.deciding,
        plans=decision.registration.plans,
        lost=len(judgement.lost),
    )


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


def _badges(judgement: _Judgement, skewed: bool) -> tuple[str, ...]:
    """A rank test counts as a dissenting voice only where its smallest p could have decided at all."""
    judged, registration, alpha = judgement.judged, judgement.decision.registration, judgement.alpha
    by_itself = _outcome(judged.now, alpha)
    able = all(each.n >= seeds_for_rate(0.5, alpha) for each in judged.now.contexts)
    voices = [outcome for name, outcome in judgement.other_tests.items() if name != "sign" or able]
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
        WITHDRAWN: judgement.decision.withdrawn,
        MISSING: judgement.lost,
        UNMEASURED: judgement.unmeasured,
        ONE_SEED: judgement.deciding,
        OUTLIERS: judgement.is_fragile,
        KNOWN_ARM: judgement.is_decided and registration.is_of_known_arms,
    }
    of_contexts = [badge for each in judged.now.contexts for badge in each.badges]
    return tuple(dict.fromkeys([*of_contexts, *(mark for mark, holds in marks.items() if holds)]))


def _seconds(trials: Mapping[str, Mapping[int, Trial]], arms: Iterable[str]) -> float | None:
    """Return what one seed of all these arms takes to train, by the means of the trials so far; None when unknown."""
    total = 0.0
    for arm in arms:
        known = [each.seconds for each in trials[arm].values() if each.seconds is not None]
        if not known:
            return None
        total += math.fsum(known) / len(known)
    return total
