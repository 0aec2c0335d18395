"""The verdict on every claim: Supported, Refuted or Inconclusive, with all that it rests on."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.analysis import pooled
from reports.analysis.claims import OVER, Claim
from reports.analysis.evidence import ContextResult, Evidence, alternatives, evaluate
from reports.analysis.forecast import Forecast, forecast
from reports.analysis.judged import (
    Judged,
    Look,
    Outcome,
    adjusted_p,
    at_its_clearest,
    claim_arms,
    decided_looks,
    judge_alone,
    restricted,
)
from reports.analysis.power import seeds_for_rate
from reports.analysis.readings import compared, grid
from reports.analysis.settings import AnalysisSettings, parse_analysis
from reports.analysis.wording import sentence
from reports.results import State, Study, Trial

DEPENDS = "depends on the analysis"
POST_HOC = "post hoc"
UNPLANNED = "unplanned look, judged by e-value"
OPEN = "still running"


@dataclass(frozen=True)
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
    without an outcome, with their reasons.
    """

    claim: Claim
    verdict: Outcome
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
    other_tests: Mapping[str, Outcome]
    other_readings: Mapping[str, Outcome]
    badges: tuple[str, ...]
    post_hoc: str | None
    sentence: str
    trials: tuple[str, ...]
    decided_at: datetime | None

    @property
    def id(self) -> str:
        """Return the claim's id."""
        return self.claim.id

    @property
    def says(self) -> str:
        """Return the claim's sentence as the study file has it."""
        return self.claim.says


def judge(
    study: Study,
    claims: Sequence[Claim],
    settings: AnalysisSettings | None = None,
    post_hoc: Mapping[str, str] | None = None,
) -> tuple[Verdict, ...]:
    """Judge every claim on the study as it stands, in the claims' order.

    A claim is judged at complete looks only: all trials of its arms with the look's seeds have ended. Without declared
    looks the one look is at all seeds of its arms; until then it is Inconclusive, and its numbers are provisional.
    `settings` default to those of the study file. `post_hoc` maps the ids of claims that were edited after results
    existed to a sentence with the date and the change; such claims are judged by themselves.
    """
    if settings is None:
        settings = parse_analysis(study.settings.get("analysis"), study.settings.get("seeds"))
    late = post_hoc or {}
    grids = {metric: _live(study, metric) for metric in dict.fromkeys(claim.metric for claim in claims)}
    trials = _by_arm(study)
    judged = [judge_alone(study, claim, grids[claim.metric], trials, settings) for claim in claims]
    family = [each for each in judged if each.claim.id not in late] if settings.family == "holm" else []
    p_holm = adjusted_p(family, [each.p for each in family])
    undecided = sum(p > settings.alpha for p in p_holm.values())
    decided_at = {each.claim.id: each.first for each in judged} | decided_looks(family, settings.alpha)
    return tuple(
        _verdict(study, each, grids[each.claim.metric], trials, settings, p_holm, late, undecided, decided_at)
        for each in judged
    )


def _live(study: Study, metric: str) -> dict[str, dict[int, float]]:
    found = grid(study, metric)
    return {arm.name: found[arm.name] for arm in study.arms if not arm.orphaned}


def _by_arm(study: Study) -> dict[str, dict[int, Trial]]:
    found: dict[str, dict[int, Trial]] = {arm.name: {} for arm in study.arms}
    for trial in compared(study):
        found.setdefault(trial.arm, {})[trial.seed] = trial
    return found


def _verdict(
    study: Study,
    judged: Judged,
    found: Mapping[str, Mapping[int, float]],
    trials: Mapping[str, Mapping[int, Trial]],
    settings: AnalysisSettings,
    adjusted: Mapping[str, float],
    post_hoc: Mapping[str, str],
    undecided: int,
    decided_at: Mapping[str, int | None],
) -> Verdict:
    claim, p_holm = judged.claim, adjusted.get(judged.claim.id)
    decisive = judged.p if p_holm is None else p_holm
    decided = decisive <= settings.alpha and (bool(judged.looks) or judged.unplanned)
    verdict = judged.direction if decided else Outcome.INCONCLUSIVE
    last = _decisive(claim, judged.now, judged.direction)
    if decided and not judged.unplanned:
        judged = at_its_clearest(judged, settings.alpha)
    now, used = judged.now, judged.seen
    shown = _decisive(claim, now, judged.direction)
    later = last if shown and last and last.n > shown.n else None
    seeds = {seed for arm in claim_arms(judged.cases) for seed in trials[arm]}
    part = restricted(found, used)
    alpha = 1 - judged.level
    model = pooled.fit(part)
    tests = alternatives(claim, judged.cases, part, judged.level, model)
    other_tests = {name: _outcome(each, alpha) for name, each in tests.items()}
    asked = settings.looks[-1] if settings.looks else len(seeds)
    level = settings.levels[-1] / (1 if p_holm is None else _rivals(decisive, undecided, settings.alpha))
    seconds = _seconds(trials, claim_arms(judged.cases))
    ahead = forecast(claim, now.contexts, asked, level, settings.power, seconds)
    mine = [trials[arm][seed] for arm in claim_arms(judged.cases) for seed in used if seed in trials[arm]]
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
        p=now.support if judged.direction is Outcome.SUPPORTED else now.refute,
        p_look=judged.p,
        p_holm=p_holm,
        contexts=now.contexts,
        looks=judged.looks,
        decided_at_look=decided_at[claim.id] if verdict is not Outcome.INCONCLUSIVE else None,
        waiting=judged.waiting,
        missing={each.id: each.reason or each.state for each in mine if each.state in (State.FAILED, State.PRUNED)},
        forecast=ahead,
        other_tests=other_tests,
        other_readings=_other_readings(judged, part, settings, model),
        badges=_badges(judged, other_tests, claim.id in post_hoc, alpha),
        post_hoc=post_hoc.get(claim.id),
        sentence=sentence(
            claim, str(verdict), shown, now.contexts, judged.waiting, ahead, judged.p, p_holm, settings, later
        ),
        trials=tuple(each.id for each in mine),
        decided_at=max((each.finished_at for each in mine if each.finished_at is not None), default=None),
    )


def _rivals(p: float, undecided: int, alpha: float) -> int:
    """Return by how many claims the level is to be shared: those undecided, this one among them."""
    return max(1, undecided if p > alpha else undecided + 1)


def _other_readings(
    judged: Judged,
    part: Mapping[str, Mapping[int, float]],
    settings: AnalysisSettings,
    model: pooled.Pooled | None,
) -> dict[str, Outcome]:
    """Judge the sentence in each meaning of `over`, where it has several contexts."""
    claim = judged.claim
    if len(judged.cases) < 2:
        return {}
    test, level = claim.test or settings.test, judged.level
    known = [over for over in OVER if claim.statement.relation != "fails" or over != "average"]
    found = {
        over: evaluate(claim, judged.cases, part, test=test, level=level, over=over, model=model) for over in known
    }
    return {over: _outcome(each, 1 - level) for over, each in found.items()}


def _outcome(evidence: Evidence, alpha: float) -> Outcome:
    if min(evidence.support, evidence.refute) > alpha * (1 + 1e-12):
        return Outcome.INCONCLUSIVE
    return Outcome.SUPPORTED if evidence.support <= evidence.refute else Outcome.REFUTED


def context_outcome(claim: Claim, result: ContextResult, alpha: float) -> Outcome:
    """Return the verdict of one context by itself at level alpha."""
    doubled = 1 if claim.statement.relation == "==" else 2
    return _outcome(Evidence((), doubled * result.p_support, 2 * result.p_refute), alpha)


def _decisive(claim: Claim, now: Evidence, direction: Outcome) -> ContextResult | None:
    """Return the context on which the verdict turns: the weakest support, or for a refuted claim the strongest no."""
    if not now.contexts:
        return None
    if claim.over == "any":
        supported = direction is Outcome.SUPPORTED
        return (
            min(now.contexts, key=lambda each: each.p_support)
            if supported
            else max(now.contexts, key=lambda each: each.p_refute)
        )
    if direction is Outcome.REFUTED:
        return min(now.contexts, key=lambda each: each.p_refute)
    return max(now.contexts, key=lambda each: each.p_support)


def _badges(judged: Judged, other_tests: Mapping[str, Outcome], late: bool, alpha: float) -> tuple[str, ...]:
    """A rank test counts as a dissenting voice only where its smallest p could have decided at all."""
    by_itself = _outcome(judged.now, alpha)
    able = all(each.n >= seeds_for_rate(0.5, alpha) for each in judged.now.contexts)
    voices = [outcome for name, outcome in other_tests.items() if name != "sign" or able]
    badges = [badge for each in judged.now.contexts for badge in each.badges]
    if judged.unplanned:
        badges.append(UNPLANNED)
    if not judged.unplanned and any(outcome is not by_itself for outcome in voices):
        badges.append(DEPENDS)
    if late:
        badges.append(POST_HOC)
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
