"""What was fixed about a claim before its first result, and what was changed, grown or left out since.

A version of the plan counts as made before the results when no comparison of the claim could be read off yet: results
of one of its arms alone favour no verdict, whatever is declared on them, since tests and intervals hold for any margin
and both directions. They could have chosen the seeds, so that all seeds of such an arm are held against the claim.
They could also have chosen the arm, which is told as an assumption. A claim about what a probe measures can be read off
from the first measurements on, by that probe with any settings.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.analysis.comparisons import (
    compared_arms,
    comparisons_of,
    content_of,
    contrasts_of,
    declared_as,
    declared_claims,
    first_comparison,
    is_about_the_same,
    known_since,
    planned_claim,
    planned_comparisons,
    same_claim,
    same_questions,
    says_the_same,
    turned,
)
from reports.analysis.grammar import opposite
from reports.analysis.omissions import (
    LeftOut,
    are_chosen,
    deleted_alone,
    deleted_seeds,
    known_when_fixed,
    left_out_outcomes,
    seen_alone,
    vanished_seeds,
)
from reports.analysis.plan_changes import (
    changes_since,
    looks_changed,
    planned_late,
    seeds_added,
    seeds_chosen,
    seeds_deleted,
    seeds_left_out,
    seeds_vanished,
)
from reports.analysis.seeds import own_seeds, seeds_of
from reports.results import PlanVersion, Study

_IN_WORDS = {"repeated": "the seeds of the A/A check", "data": "the data", "family": "the family of claims"}

MOST_CHOICES = 10**12
"""Among more of them no level is shared: 1 - level would be 1, for which no quantile is finite."""


@dataclass(frozen=True)
class AsPlanned:
    """The claim, and the study with the arms and factors that it was planned with: those with results, asked or not."""

    study: Study
    claim: Claim


@dataclass(frozen=True)
class Registration:
    """How a claim stands to the plan that was made before its first result.

    `version` is that plan, None where nothing is on record; of a study whose every plan came after results, its first.
    `changes` says in a sentence each what differs from it, empty for a claim that is judged as it was declared.
    `planned` are the seeds of that plan, in the order of their use, and `looks` its looks. `is_grown` says that the
    claim's arms have further seeds, added when results existed, `has_other_looks` that the looks were changed then:
    either way the looks of the plan judge. `left_out` holds, by arm, the outcomes on record that the study does not ask
    for, where a comparison of the claim is complete among them; `is_chosen` says that it could know some of them when
    its seeds were fixed, else all were trained for other studies since. `alone` holds those of single arms that it
    could know then, beside seeds that it has. `as_planned` is there where the claim stands as
    it was declared, and compares other arms than it would have by that plan. `plans` counts the plans with other seeds,
    looks or tests, this one included, by which studies of this DB were to ask the same before the first result: any of
    them could be the one that is shown, so that they share the level. `choices` counts the ways to choose the seeds at
    hand from those that had results and these, where some were deleted since: any of them could have been kept.
    `is_of_known_arms` says that one of the arms had results when the claim was declared: it could have been chosen by
    them, of several.
    """

    version: PlanVersion | None = None
    changes: tuple[str, ...] = ()
    planned: tuple[int, ...] = ()
    looks: tuple[int, ...] = ()
    is_grown: bool = False
    has_other_looks: bool = False
    left_out: LeftOut = field(default_factory=dict)
    is_chosen: bool = False
    alone: LeftOut = field(default_factory=dict)
    as_planned: AsPlanned | None = None
    plans: int = 1
    choices: int = 1
    is_of_known_arms: bool = False

    @property
    def alternatives(self) -> int:
        """Return among how many equal questions the level is shared: the plans, times the choices of seeds."""
        return self.plans * self.choices

    @property
    def seeds_left_out(self) -> tuple[int, ...]:
        """Return the seeds that are left out."""
        left_out = (*self.left_out.values(), *self.alone.values())
        return tuple(sorted({seed for trials in left_out for seed in trials}))


def register(study: Study, claim: Claim) -> Registration:
    """Compare a claim, and the plan that it is judged by, with the plan before its first result."""
    versions = study.history.versions
    left_out = left_out_outcomes(study, claim)
    is_chosen = are_chosen(study, claim, left_out)
    if not versions:
        return Registration(left_out=left_out, is_chosen=is_chosen)
    first = first_comparison(study, claim)
    before = [version for version in versions if first is None or version.at <= first]
    # Of a study that was merged from two results DBs the versions may stand in another order than their moments.
    reference = max(before, key=lambda each: (each.at, each.number)) if before else versions[0]
    later = [version for version in versions if version.number > reference.number]
    has_results = first is not None
    own = own_seeds(study, claim)
    elsewhere = None if before or first is None else _added_to(study, claim, first, own)
    planned, looks = seeds_of((elsewhere or reference).plan)
    added = own - set(planned) if has_results and planned and (elsewhere or later) else set()
    has_other_looks = has_results and "looks" in reference.plan and seeds_of(versions[-1].plan)[1] != looks
    is_fixed = has_results and not looks and elsewhere is None
    vanished = vanished_seeds(study, claim, planned, left_out) if is_fixed else set()
    known = known_when_fixed(study, claim)
    seen = deleted_seeds(study, claim) | deleted_alone(study, claim, known)
    deleted = seen - vanished
    choices = min(math.comb(len(own | seen), len(own)), MOST_CHOICES) if has_results and own else 1
    changes = (
        *([] if before else [planned_late(reference)]),
        *(changes_since(study, claim, reference, later) if has_results else []),
        *([seeds_added(planned, added, later, is_elsewhere=elsewhere is not None)] if added else []),
        *([looks_changed(looks, reference, later)] if has_other_looks else []),
        *([seeds_left_out(left_out)] if is_chosen else []),
        *([seeds_vanished(len(vanished))] if vanished else []),
        *([seeds_deleted(len(deleted))] if deleted else []),
        *([seeds_chosen(len(own), len(own | seen), choices, choices == MOST_CHOICES)] if choices > 1 else []),
    )
    return Registration(
        version=reference,
        changes=changes,
        planned=planned,
        looks=looks,
        is_grown=bool(added),
        has_other_looks=has_other_looks,
        left_out=left_out,
        is_chosen=is_chosen,
        alone=seen_alone(study, claim, left_out, known),
        as_planned=_as_planned(study, claim, reference) if has_results and later else None,
        plans=_plans(study, claim, reference, first) if before else 1,
        choices=choices,
        is_of_known_arms=bool(before) and _has_known_arm(study, claim, reference),
    )


def _has_known_arm(study: Study, claim: Claim, reference: PlanVersion) -> bool:
    """Whether an arm that the claim compares had a result when it was declared as it stands, or its plan was made."""
    raw = declared_as(study, claim)
    plans = [each for each in study.history.versions if raw is not None and raw in each.plan.get("claims", [])]
    declared = min(each.at for each in (*plans, reference))
    known = known_since(study, claim.metric)
    arms = frozenset().union(*comparisons_of(study, claim, study.arms, study.factors))
    return any(arm in known and known[arm] <= declared for arm in arms)


def plan_differences(first: PlanVersion, last: PlanVersion) -> tuple[str, ...]:
    """Return what two versions of a plan fix differently, as far as both are known."""
    shared = [key for key in first.plan if key in last.plan]
    return tuple(_IN_WORDS.get(key, key.replace("_", " ")) for key in shared if first.plan[key] != last.plan[key])


def claims_ever(study: Study, claim: Claim) -> int:
    """Return how many other claims were ever made on the trials of this one, by any version of any study.

    They are told apart by what they say, not by their id.
    """
    mine = {content_of(raw)} if (raw := declared_as(study, claim)) is not None else set()
    arms = frozenset().union(*comparisons_of(study, claim, study.arms, study.factors))
    contents = {content_of(each) for version in study.history.versions for each in version.plan.get("claims", [])}
    contents |= {content_of(each) for each in declared_claims(study)}
    for version in study.history.elsewhere:
        contents |= {
            content_of(each) for each in version.plan.get("claims", []) if _is_about(study, version, each, arms)
        }
    return len(contents - mine)


def dropped_claims(study: Study, registrations: Iterable[Registration]) -> int:
    """Return how many claims of the plans before the first results the study no longer makes."""
    now = {content_of(each) for each in declared_claims(study)}
    plans = [each.version.plan for each in registrations if each.version is not None]
    return len({content_of(each) for plan in plans for each in plan.get("claims", [])} - now)


def _is_about(study: Study, version: PlanVersion, raw: Mapping[str, Any], arms: frozenset[str]) -> bool:
    """Whether a claim of another study compares trials that the claim on these arms rests on."""
    if "arms" not in version.plan:
        return True  # an older program recorded the claims alone
    shared = frozenset().union(*planned_comparisons(study, version, raw)) & arms
    return len(shared) >= min(2, len(arms))


def _added_to(study: Study, claim: Claim, first: datetime, own: set[int]) -> PlanVersion | None:
    """Return the plan of another study whose results made a comparison of the claim known, where these seeds add to it.

    None also where all of them are others: they repeat what that study found.
    """
    comparisons = comparisons_of(study, claim, study.arms, study.factors)
    before = [
        version
        for version in study.history.elsewhere
        if version.at <= first and any(arms <= version.plan.get("arms", {}).keys() for arms in comparisons)
    ]
    last = max(before, key=lambda each: each.at, default=None)
    return None if last is None or own.isdisjoint(seeds_of(last.plan)[0]) else last


def _plans(study: Study, claim: Claim, reference: PlanVersion, first: datetime | None) -> int:
    """Count the seeds, looks and tests with which this study and others were to ask the same, before the first result.

    A plan of an older program does not say by which test: it is taken to be the same.
    """
    usual = reference.plan.get("test")
    ways = {(seeds_of(reference.plan), claim.test or usual)}
    for versions in _by_study(study.history.elsewhere):
        before = [each for each in versions if first is None or each.at <= first]
        last = max(before, key=lambda each: (each.at, each.number), default=None)
        if last is not None and last.plan.get("data") == reference.plan.get("data"):
            tests = {raw.get("test") or last.plan.get("test", usual) for raw in same_questions(study, last, claim)}
            ways |= {(seeds_of(last.plan), test) for test in tests}
    return len(ways)


def _by_study(versions: Iterable[PlanVersion]) -> list[list[PlanVersion]]:
    """Return the plans of each study; those of one follow each other and are numbered from 1."""
    studies: list[list[PlanVersion]] = []
    for version in versions:
        if version.number == 1 or not studies:
            studies.append([])
        studies[-1].append(version)
    return studies


def _as_planned(study: Study, claim: Claim, reference: PlanVersion) -> AsPlanned | None:
    """Return the claim with the comparisons of its plan that have a result; None where they are those of today.

    The margin and the direction are today's, the sentence and where it is to hold are the plan's: however a sentence
    was edited since, it is held against all contexts of the one that was planned.
    """
    plan, raw = reference.plan, declared_as(study, claim)
    if raw is None or not {"arms", "factors"} <= plan.keys():
        return None
    same = same_claim(reference, claim, raw)
    candidates = [*([same] if same is not None else []), *plan.get("claims", [])]
    then = next(
        (each for each in candidates if says_the_same(each, raw) or is_about_the_same(study, reference, each, claim)),
        None,
    )
    planned = None if then is None else planned_claim(study, reference, then)
    if planned is None:
        return None
    known = known_since(study, claim.metric)
    arms = tuple(
        replace(arm, levels=dict(plan["arms"][arm.hash]), orphaned=False)
        if arm.hash in plan["arms"] and arm.hash in known
        else replace(arm, orphaned=True)
        for arm in study.arms
    )
    factors = {name: tuple(levels) for name, levels in plan["factors"].items()}
    view = replace(study, arms=arms, factors=factors)
    now = contrasts_of(study, claim, [arm for arm in study.arms if not arm.orphaned], study.factors)
    declared = _with_sentence_of(claim, planned)
    before = contrasts_of(view, declared, arms, factors)
    if now & {turned(each) for each in before}:
        declared = replace(declared, statement=opposite(declared.statement))
        before = contrasts_of(view, declared, arms, factors)
    known_now = {each for each in now if compared_arms(each) <= known.keys()}
    return AsPlanned(view, declared) if before and before != known_now else None


def _with_sentence_of(claim: Claim, planned: Claim) -> Claim:
    """Return a claim of today with the sentence and the contexts of the planned one."""
    statement = replace(planned.statement, value=claim.statement.value)
    return replace(claim, statement=statement, where=planned.where, conditions=planned.conditions)


def planned_settings(settings: AnalysisSettings, registration: Registration) -> AnalysisSettings:
    """Return the analysis with the looks of the plan, so that grown seeds count as what they are: beyond the last."""
    if not (registration.is_grown or registration.has_other_looks):
        return settings
    return replace(settings, looks=registration.looks or (len(registration.planned),))
