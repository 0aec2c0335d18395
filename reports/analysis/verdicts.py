"""The verdict on every claim: Supported, Refuted or Inconclusive, with all that it rests on."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.analysis import pooled
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.badges import (
    DEPENDS,
    FURTHER,
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
        _verdict(study, each, grids[each.judged.claim.metric], trials, settings, each.judged.claim.metric in skewed)
        for each in decide(study, claims, settings)
    )


def judge_study(study: Study) -> tuple[Verdict, ...]:
    """Return the verdict on every claim of the study; what was fixed after its first result is marked post hoc."""
    return judge(study, study.claims) if study.claims else ()


def _verdict(
    study: Study,
    decision: Decision,
    readings: Grid,
    trials: Mapping[str, Mapping[int, Trial]],
    settings: AnalysisSettings,
    skewed: bool,
) -> Verdict:
    judged, registration, verdict, withdrawn = (
        decision.judged,
        decision.registration,
        decision.outcome,
        decision.withdrawn,
    )
    claim, p_holm = judged.claim, decision.p_holm
    last = decisive(claim, judged.now, judged.direction)
    judged = decision.told(settings.alpha)
    now, used = judged.now, judged.seen
    shown = decisive(claim, now, judged.direction)
    later = last if shown and last and last.n > shown.n else None
    seeds = {seed for arm in claim_arms(judged.cases) for seed in trials[arm]}
    part = restricted(readings, used)
    alpha = 1 - judged.level
    test, worst = claim.test or settings.test, worst_reading(study, claim)
    procedure = Procedure(test, judged.level, pooled.fit(part), worst)
    tests = alternatives(claim, judged.cases, part, procedure)
    other_tests = {name: _outcome(each, alpha) for name, each in tests.items()}
    asked = settings.looks[-1] if settings.looks else len(seeds)
    level = settings.levels[-1] / decision.corrected_for
    seconds = _seconds(trials, claim_arms(judged.cases))
    ahead = forecast(claim, now.contexts, asked, level, settings.power, seconds)
    fragile = verdict is not Conclusion.INCONCLUSIVE and _is_fragile(judged, verdict)
    mine = [trials[arm][seed] for arm in claim_arms(judged.cases) for seed in used if seed in trials[arm]]
    unmeasured = _unmeasured(study, claim, mine)
    lost = [each for each in mine if each.state in (State.FAILED, State.PRUNED)]
    deciding = _deciding(judged, part, procedure, p_holm) if verdict is not Conclusion.INCONCLUSIVE else {}
    return Verdict(
        claim=claim,
        verdict=verdict,
        estimate=shown.estimate if shown else None,
        low=shown.low if shown else None,
        high=shown.high if shown else None,
        level=shown.level if shown else judged.level,
        margin=claim.margin,
        n=shown.n if shown else 0,
        fails=shown.fails if shown else 0,
        p=now.support if judged.direction is Conclusion.SUPPORTED else now.refute,
        p_look=judged.p,
        p_holm=p_holm,
        contexts=now.contexts,
        looks=judged.looks,
        decided_at_look=decision.decided_at_look if verdict is not Conclusion.INCONCLUSIVE else None,
        waiting=judged.waiting,
        missing={
            **{each.id: each.reason or each.state for each in lost},
            **dict.fromkeys(unmeasured, "not measured"),
        },
        forecast=ahead,
        other_tests=other_tests,
        other_readings=_other_readings(judged, part, procedure),
        badges=(
            *_badges(judged, other_tests, registration, alpha, skewed),
            *([WITHDRAWN] if withdrawn else []),
            *([MISSING] if lost else []),
            *([UNMEASURED] if unmeasured else []),
            *([ONE_SEED] if deciding else []),
            *([OUTLIERS] if fragile else []),
        ),
        changes=registration.changes,
        registration=registration,
        sentence=sentence(
            Account(
                claim=claim,
                verdict=str(verdict),
                shown=shown,
                contexts=now.contexts,
                waiting=judged.waiting,
                ahead=ahead,
                p_look=judged.p,
                p_holm=p_holm,
                settings=settings,
                later=later,
                whole=decisive(claim, judged.whole, judged.direction) if judged.whole else None,
                planned=decisive(claim, judged.planned, judged.direction) if judged.planned else None,
                apart=decisive(claim, judged.apart, judged.direction) if judged.apart else None,
                alone={arm: len(each) for arm, each in registration.alone.items()},
                changes=registration.changes,
                withdrawn=str(judged.direction) if withdrawn else None,
                fragile=fragile,
                deciding=deciding,
                plans=registration.plans,
                lost=len(lost),
            )
        ),
        trials=tuple(each.id for each in mine),
        decided_at=max((each.finished_at for each in mine if each.finished_at is not None), default=None),
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


def _badges(
    judged: Judged, other_tests: Mapping[str, Conclusion], registration: Registration, alpha: float, skewed: bool
) -> tuple[str, ...]:
    """A rank test counts as a dissenting voice only where its smallest p could have decided at all."""
    by_itself = _outcome(judged.now, alpha)
    able = all(each.n >= seeds_for_rate(0.5, alpha) for each in judged.now.contexts)
    voices = [outcome for name, outcome in other_tests.items() if name != "sign" or able]
    badges = [badge for each in judged.now.contexts for badge in each.badges]
    by_t = [each for each in judged.now.contexts if isinstance(each.effect, Student)]
    if by_t and (skewed or any(is_skewed_sample(each.differences) for each in by_t)):
        badges.append(SKEWED)
    if judged.unplanned:
        badges.append(UNPLANNED)
    if not judged.unplanned and any(outcome is not by_itself for outcome in voices):
        badges.append(DEPENDS)
    if registration.changes:
        badges.append(POST_HOC)
    if registration.left_out:
        badges.append(LEFT_OUT if registration.is_chosen else FURTHER)
    if registration.alone and LEFT_OUT not in badges:
        badges.append(LEFT_OUT)
    if registration.plans > 1:
        badges.append(SHARED)
    if judged.waiting:
        badges.append(OPEN)
    return tuple(dict.fromkeys(badges))


def _seconds(trials: Mapping[str, Mapping[int, Trial]], arms: Iterable[str]) -> float | None:
    """Return what one seed of all these arms takes to train, by the means of the trials so far; None when unknown."""
    total = 0.0
    for arm in arms:
        known = [each.seconds for each in trials[arm].values() if each.seconds is not None]
        if not known:
            return None
        total += math.fsum(known) / len(known)
    return total
