"""What a claim compares, by today's plan and by earlier ones, and since when its comparisons could be read off."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reports.analysis.claims import Claim, parse_claim
from reports.analysis.evidence import cases
from reports.analysis.readings import compared
from reports.metrics import PRIMARY, probe_of
from reports.results import DeletedOutcome, PlanVersion, Study
from reports.trials import Arm, Trial
from search_spaces.errors import SettingError

Comparison = frozenset[str]
"""The arms of one context of a claim, by their hash."""
Contrast = frozenset[tuple[str, float]]
"""The same arms with their weights in the effect, which say which of them is to be the better one."""
_DEFAULTS: Mapping[str, Any] = {"by": 0, "over": "every", "metric": PRIMARY.name}


def declared_claims(study: Study) -> Sequence[Mapping[str, Any]]:
    """Return the claims of today's study file, as they are written there."""
    return study.settings.get("claims") or ()


def content_of(claim: Mapping[str, Any]) -> str:
    """Return what a claim says, without its name and title, what it leaves at its default, and how it is spaced."""
    said = {key: _spaced(value) if key in ("says", "where") else value for key, value in claim.items()}
    named = {key: value for key, value in said.items() if key not in ("id", "title")}
    return repr(sorted((key, repr(value)) for key, value in named.items() if value != _DEFAULTS.get(key)))


def _spaced(text: object) -> object:
    """Return a sentence with one space between its words, and around its signs."""
    return " ".join(re.sub(r"([<>=!]+)", r" \1 ", text).split()) if isinstance(text, str) else text


def says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two claims have the same sentence about the same metric, wherever and by however much it is to hold."""
    first, second = ((_spaced(each["says"]), each.get("metric") or PRIMARY.name) for each in (one, other))
    return first == second


def declared_as(study: Study, claim: Claim) -> Mapping[str, Any] | None:
    """Return a claim as it is written in today's study file."""
    return next((each for each in declared_claims(study) if str(each["id"]) == claim.id), None)


def same_claim(version: PlanVersion, claim: Claim, raw: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return a version's claim of the same id, else the one that says the same."""
    claims = version.plan.get("claims", [])
    same = [each for each in claims if str(each.get("id")) == claim.id]
    if not same and raw is not None:
        same = [each for each in claims if content_of(each) == content_of(raw)]
    return same[0] if same else None


def comparisons_of(study: Study, claim: Claim, arms: Sequence[Arm], factors: Mapping[str, Any]) -> set[Comparison]:
    """Return the comparisons that a claim makes among these arms: one in each context."""
    return {compared_arms(each) for each in contrasts_of(study, claim, arms, factors)}


def contrasts_of(study: Study, claim: Claim, arms: Sequence[Arm], factors: Mapping[str, Any]) -> set[Contrast]:
    """Return the comparisons that a claim makes among these arms, with their weights."""
    hashes = {arm.name: arm.hash or arm.name for arm in arms}
    contexts = cases(replace(study, arms=tuple(arms), factors=factors), claim)
    return {frozenset((hashes[name], weight) for name, weight in case.weights.items()) for case in contexts}


def compared_arms(contrast: Contrast) -> Comparison:
    """Return the arms of a contrast."""
    return frozenset(arm for arm, _ in contrast)


def turned(contrast: Contrast) -> Contrast:
    """Return the contrast of the opposite direction."""
    return frozenset((arm, -weight) for arm, weight in contrast)


def planned_comparisons(study: Study, version: PlanVersion, raw: Mapping[str, Any]) -> set[Comparison]:
    """Return the comparisons of a claim by the arms and factors that a version planned; none where it has not both."""
    return {compared_arms(each) for each in planned_contrasts(study, version, raw)}


def planned_contrasts(study: Study, version: PlanVersion, raw: Mapping[str, Any]) -> set[Contrast]:
    """Return the same with the weights of the arms."""
    claim = planned_claim(study, version, raw)
    return set() if claim is None else _contrasts_then(study, version, claim)


def planned_claim(study: Study, version: PlanVersion, raw: Mapping[str, Any]) -> Claim | None:
    """Return a claim as it reads by a version's factors; None where the version has none, or they do not fit it."""
    if "arms" not in version.plan or "factors" not in version.plan:
        return None
    try:
        return parse_claim(raw, _factors_then(version), study.metrics)
    except SettingError:
        return None


def _contrasts_then(study: Study, version: PlanVersion, claim: Claim) -> set[Contrast]:
    arms = [Arm(name, levels, {}, hash=name) for name, levels in version.plan["arms"].items()]
    return contrasts_of(study, claim, arms, _factors_then(version))


def _factors_then(version: PlanVersion) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(levels) for name, levels in version.plan["factors"].items()}


def same_questions(study: Study, version: PlanVersion, claim: Claim) -> list[Mapping[str, Any]]:
    """Return the claims of a plan that are of the same kind about the same metric of a comparison that this one makes.

    Neither its margin, its direction nor its name matters: who declares a claim again with another one asks the same
    question, since either answer to it is a verdict.
    """
    return [raw for raw in version.plan.get("claims", []) if is_about_the_same(study, version, raw, claim)]


def is_about_the_same(study: Study, version: PlanVersion, raw: Mapping[str, Any], claim: Claim) -> bool:
    """Whether a claim of a plan is of the same kind about the same metric of a comparison that this one makes."""
    theirs = planned_claim(study, version, raw)
    if theirs is None or theirs.metric != claim.metric or _kind(theirs) != _kind(claim):
        return False
    mine = comparisons_of(study, claim, study.arms, study.factors)
    return any(compared_arms(each) in mine for each in _contrasts_then(study, version, theirs))


def _kind(claim: Claim) -> str:
    """Return the relation of a claim, that of its opposite being the same: a < b says what b > a does."""
    relation = claim.statement.relation
    return {">": "<", "decreases": "increases"}.get(relation, relation)


def first_comparison(study: Study, claim: Claim) -> datetime | None:
    """Return when a comparison of the claim, as it is or as an earlier version had it, could first be read off."""
    raw = declared_as(study, claim)
    comparisons = {claim.metric: comparisons_of(study, claim, study.arms, study.factors)}
    for version in study.history.versions:
        if (then := same_claim(version, claim, raw)) is not None:
            metric = str(then.get("metric") or PRIMARY.name)
            comparisons[metric] = comparisons.get(metric, set()) | planned_comparisons(study, version, then)
    moments = []
    for metric, each in comparisons.items():
        known = known_since(study, metric)
        moments += [max(known[arm] for arm in arms) for arms in each if arms <= known.keys()]
    return min(moments, default=None)


def known_since(study: Study, metric: str) -> dict[str, datetime]:
    """Return when each arm, by its hash, had its first reading of a metric on record."""
    hashes = {arm.name: arm.hash or arm.name for arm in study.arms}
    known: dict[str, datetime] = {}
    for trial in (*compared(study), *study.history.left_out):
        moment = known_at(study, trial, metric)
        if trial.state.is_outcome() and moment is not None:
            arm = hashes[trial.arm]
            known[arm] = min(known.get(arm, moment), moment)
    for outcome in study.history.deleted:
        moment = gone_at(outcome, metric)
        if moment is not None:
            known[outcome.arm] = min(known.get(outcome.arm, moment), moment)
    return known


def gone_at(outcome: DeletedOutcome, metric: str) -> datetime | None:
    """Return when an outcome that was deleted since first had a reading of a metric."""
    probe = probe_of(metric)
    return outcome.finished_at if probe is None else outcome.measured.get(probe)


def known_at(study: Study, trial: Trial, metric: str) -> datetime | None:
    """Return when a trial first had a reading of a metric: at its end, or when the probe measured it."""
    probe = probe_of(metric)
    return trial.finished_at if probe is None else study.history.measured.get(probe, {}).get(trial.id)
