"""The verdict on every claim: Supported, Refuted or Inconclusive, with all that it rests on."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reports.analysis import pooled
from reports.analysis.claims import OVER, Claim
from reports.analysis.evidence import Case, ContextResult, Evidence, alternatives, cases, evaluate
from reports.analysis.forecast import Forecast, forecast
from reports.analysis.many import holm
from reports.analysis.power import seeds_for_rate
from reports.analysis.readings import compared, grid
from reports.analysis.settings import AnalysisSettings, parse_analysis
from reports.analysis.wording import sentence
from reports.results import State, Study, Trial

DEPENDS = "depends on the analysis"
POST_HOC = "post hoc"
UNPLANNED = "unplanned look, judged by e-value"
OPEN = "still running"


class Outcome(StrEnum):
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


@dataclass(frozen=True)
class _Judged:
    """One claim before the family of claims is looked at; `now` is the evidence at the last look, `seen` its seeds."""

    claim: Claim
    cases: tuple[Case, ...]
    looks: tuple[Look, ...]
    now: Evidence
    seen: tuple[int, ...]
    level: float
    support: float
    refute: float
    first: int | None
    direction: Outcome
    waiting: int
    unplanned: bool

    @property
    def p(self) -> float:
        return self.support if self.direction is Outcome.SUPPORTED else self.refute

    def at(self, look: Look, alpha: float) -> float:
        """Return p at one look in the claim's direction, adjusted for the looks."""
        found = look.evidence
        return alpha / look.alpha * (found.support if self.direction is Outcome.SUPPORTED else found.refute)

    def until(self, look: int, alpha: float) -> float:
        """Return p as it was at a look, counted from 1; at the claim's last one where it has no more."""
        return min([1.0, *(self.at(each, alpha) for each in self.looks[:look])])


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
    judged = [_judge(study, claim, grids[claim.metric], trials, settings) for claim in claims]
    family = [each for each in judged if each.claim.id not in late] if settings.family == "holm" else []
    p_holm = _adjusted(family, [each.p for each in family])
    undecided = sum(p > settings.alpha for p in p_holm.values())
    decided_at = {each.claim.id: each.first for each in judged} | _decided_at(family, settings.alpha)
    return tuple(
        _verdict(study, each, grids[each.claim.metric], trials, settings, p_holm, late, undecided, decided_at)
        for each in judged
    )


def _adjusted(family: Sequence[_Judged], p: Sequence[float]) -> dict[str, float]:
    return {each.claim.id: found for each, found in zip(family, holm(p), strict=True)}


def _decided_at(family: Sequence[_Judged], alpha: float) -> dict[str, int | None]:
    """Return the look, from 1, at which each claim was first decided among the others; None for those that are not."""
    found: dict[str, int | None] = {each.claim.id: None for each in family}
    for look in range(max((len(each.looks) for each in family), default=0), 0, -1):
        then = _adjusted(family, [each.until(look, alpha) for each in family])
        found |= {each.claim.id: min(look, len(each.looks)) for each in family if then[each.claim.id] <= alpha}
    return found


def _live(study: Study, metric: str) -> dict[str, dict[int, float]]:
    found = grid(study, metric)
    return {arm.name: found[arm.name] for arm in study.arms if not arm.orphaned}


def _by_arm(study: Study) -> dict[str, dict[int, Trial]]:
    found: dict[str, dict[int, Trial]] = {arm.name: {} for arm in study.arms}
    for trial in compared(study):
        found.setdefault(trial.arm, {})[trial.seed] = trial
    return found


def claim_arms(found: Iterable[Case]) -> tuple[str, ...]:
    """Return the arms that a claim compares, in the order of its contexts."""
    return tuple(dict.fromkeys(arm for case in found for arm in case.weights))


def restricted(found: Mapping[str, Mapping[int, float]], seeds: Iterable[int] | None) -> dict[str, Mapping[int, float]]:
    """Return the readings of some seeds only; all when `seeds` is None."""
    if seeds is None:
        return dict(found)
    kept = set(seeds)
    return {arm: {seed: value for seed, value in each.items() if seed in kept} for arm, each in found.items()}


def _judge(
    study: Study,
    claim: Claim,
    found: Mapping[str, Mapping[int, float]],
    trials: Mapping[str, Mapping[int, Trial]],
    settings: AnalysisSettings,
) -> _Judged:
    contexts = cases(study, claim)
    arms = claim_arms(contexts)
    seeds = sorted({seed for arm in arms for seed in trials[arm]})
    complete, waiting, extra = _complete_looks(arms, seeds, trials, settings)
    looks = tuple(
        Look(len(part), alpha, _at(claim, contexts, found, part, settings, alpha)) for part, alpha in complete
    )
    seen = complete[-1][0] if looks else seeds
    alpha = looks[-1].alpha if looks else settings.levels[0]
    now = looks[-1].evidence if looks else _at(claim, contexts, found, None, settings, alpha)
    weights = [settings.alpha / each.alpha for each in looks]
    support = min([1.0, *(w * each.evidence.support for w, each in zip(weights, looks, strict=True))])
    refute = min([1.0, *(w * each.evidence.refute for w, each in zip(weights, looks, strict=True))])
    first, direction = _first(looks, weights, settings.alpha, support, refute)
    if extra and first is None:
        now, seen = _at(claim, contexts, found, None, settings, settings.alpha, unplanned=True), seeds
        support, refute = min(support, now.support), min(refute, now.refute)
        direction = Outcome.SUPPORTED if support <= refute else Outcome.REFUTED
    unplanned = extra and first is None
    return _Judged(
        claim, contexts, looks, now, tuple(seen), 1 - alpha, support, refute, first, direction, waiting, unplanned
    )


def _first(
    looks: Sequence[Look], weights: Sequence[float], alpha: float, support: float, refute: float
) -> tuple[int | None, Outcome]:
    """Return the first look that decides by itself, and which way; a later look cannot turn it round."""
    for place, (look, weight) in enumerate(zip(looks, weights, strict=True)):
        if weight * min(look.evidence.support, look.evidence.refute) <= alpha:
            supported = look.evidence.support <= look.evidence.refute
            return place + 1, Outcome.SUPPORTED if supported else Outcome.REFUTED
    return None, Outcome.SUPPORTED if support <= refute else Outcome.REFUTED


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


def _at(
    claim: Claim,
    contexts: Sequence[Case],
    found: Mapping[str, Mapping[int, float]],
    seeds: Sequence[int] | None,
    settings: AnalysisSettings,
    alpha: float,
    unplanned: bool = False,
) -> Evidence:
    part = restricted(found, seeds)
    test = claim.test or settings.test
    model = pooled.fit(part) if test == "pooled" else None
    return evaluate(claim, contexts, part, test=test, level=1 - alpha, model=model, unplanned=unplanned)


def _verdict(
    study: Study,
    judged: _Judged,
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
        judged = _at_its_clearest(judged, settings.alpha)
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


def _at_its_clearest(judged: _Judged, alpha: float) -> _Judged:
    """Return the claim as of the look with the smallest p: repeated intervals hold at every look."""
    look = min(judged.looks, key=lambda each: judged.at(each, alpha))
    return replace(judged, now=look.evidence, seen=judged.seen[: look.n], level=1 - look.alpha)


def _rivals(p: float, undecided: int, alpha: float) -> int:
    """Return by how many claims the level is to be shared: those undecided, this one among them."""
    return max(1, undecided if p > alpha else undecided + 1)


def _other_readings(
    judged: _Judged,
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


def _badges(judged: _Judged, other_tests: Mapping[str, Outcome], late: bool, alpha: float) -> tuple[str, ...]:
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
