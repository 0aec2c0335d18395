"""What was changed about a claim and its plan after its first result, in a sentence each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reports.analysis.claims import Claim
from reports.analysis.comparisons import (
    compared_arms,
    content_of,
    contrasts_of,
    declared_as,
    planned_contrasts,
    same_claim,
    turned,
)
from reports.analysis.omissions import LeftOut
from reports.analysis.seeds import seeds_of
from reports.results import PlanVersion, Study
from reports.wording import counted

_JUDGED_BY = {
    "alpha": "alpha",
    "family": "the family",
    "test": "the test",
    "fail_above": "fail_above",
    "data": "the data",
}


def changes_since(study: Study, claim: Claim, reference: PlanVersion, later: Sequence[PlanVersion]) -> list[str]:
    """Return what differs between the plan before the first result and the one that judges, in a sentence each."""
    raw = declared_as(study, claim)
    then = same_claim(reference, claim, raw)
    changes = []
    if raw is not None and (then is None or content_of(then) != content_of(raw)):
        since = next((each.at for each in later if raw in each.plan.get("claims", [])), reference.at)
        was = "added" if then is None else f"changed from {_text(then)}"
        changes.append(f"{was} {_on(since)}")
    now = later[-1].plan if later else reference.plan
    for key, name in _JUDGED_BY.items():
        before, after = reference.plan.get(key), now.get(key)
        known = key in reference.plan and key in now
        if known and before != after and not (key == "test" and claim.test is not None):
            since = next(each.at for each in later if each.plan.get(key) == after)
            what = "" if key == "data" else f" from {_shown(before)} to {_shown(after)}"
            changes.append(f"{name} changed{what} {_on(since)}")
    if then is not None and "arms" in reference.plan and "arms" in now:
        changes += _contexts(study, claim, reference, then, later)
    return changes


def _contexts(
    study: Study, claim: Claim, reference: PlanVersion, then: Mapping[str, Any], later: Sequence[PlanVersion]
) -> list[str]:
    before = planned_contrasts(study, reference, then)
    after = contrasts_of(study, claim, study.arms, study.factors)
    if not later or before == after:
        return []
    arms_before, arms_after = ({compared_arms(each) for each in made} for made in (before, after))
    raw = declared_as(study, claim)
    is_as_worded = raw is not None and content_of(then) == content_of(raw)
    other = {each for each in after - before if compared_arms(each) in arms_before} if is_as_worded else set()
    is_turned = {turned(each) for each in other} <= before
    given = (
        (arms_before - arms_after, "dropped"),
        (arms_after - arms_before, "added"),
        (other, "turned round by what its levels now stand for" if is_turned else "of levels that were renamed"),
    )
    moment = _on(later[-1].at)
    return [f"{counted(len(each), 'comparison')} {what} {moment}" for each, what in given if each]


def planned_late(version: PlanVersion) -> str:
    """Say that the first plan of a claim came after its results."""
    return f"first planned {_on(version.at).removesuffix(', after the first result')}, when its results were on record"


def seeds_added(planned: Sequence[int], added: set[int], later: Sequence[PlanVersion], *, is_elsewhere: bool) -> str:
    """Say that seeds were added to the planned ones, or to those of another study (`is_elsewhere`)."""
    if is_elsewhere:
        return (
            f"{counted(len(added), 'seed')} added to the {len(planned)} of another study whose results were on record"
        )
    since = next((each.at for each in later if added & set(seeds_of(each.plan)[0])), later[-1].at)
    return f"{counted(len(added), 'seed')} added to the {len(planned)} planned {_on(since)}"


def looks_changed(looks: Sequence[int], reference: PlanVersion, later: Sequence[PlanVersion]) -> str:
    """Say that the looks are no longer these; those that differ from another study's are as the first plan had them."""
    now = seeds_of((later or [reference])[-1].plan)
    since = next((each.at for each in later if seeds_of(each.plan)[1] == now[1]), reference.at)
    return f"looks changed from {_listed(looks)} to {_listed(now[1])} {_on(since)}"


def seeds_left_out(left_out: LeftOut) -> str:
    """Say how many seeds with results are left out."""
    seeds = {seed for trials in left_out.values() for seed in trials}
    return f"{counted(len(seeds), 'seed')} of these arms exist and are left out"


def seeds_vanished(count: int) -> str:
    """Say that planned seeds and their results are gone."""
    are = "is" if count == 1 else "are"
    return f"{counted(count, 'planned seed')} {are} no longer asked for, and their results no longer on record"


def seeds_deleted(count: int) -> str:
    """Say that seeds were deleted."""
    return f"{counted(count, 'seed')} of these arms had results, now deleted"


def seeds_chosen(kept: int, seen: int, choices: int, is_limit: bool) -> str:
    """Say how many choices of seeds the level is shared among; there may be more where that is the limit."""
    ways, shared = ("at least ", "so many") if is_limit else ("", "these")
    kept_in = f"{kept} of {seen} seeds with results can be kept in {ways}{choices:,} ways"
    return f"{kept_in}, and the level is shared among {shared}"


def _on(moment: datetime) -> str:
    return f"on {moment:%Y-%m-%d %H:%M} UTC, after the first result"


def _listed(looks: Sequence[int]) -> str:
    return ", ".join(map(str, looks)) or "none"


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _text(claim: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in claim.items() if key not in ("id", "title"))
