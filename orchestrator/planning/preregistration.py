"""Whether the plans on record are what their hashes say, and whether a hash is that of the plan before any result."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.errors import UserError
from orchestrator.records.frozen_plan import judged_by, plan_digest
from reports.analysis.registration import plan_differences
from reports.results import PlanVersion, Study
from reports.trials import State
from reports.wording import counted
from search_spaces.arm import canonical_json


@dataclass(frozen=True)
class PlanCheck:
    """What a pre-registered hash turned out to be: `lines` say it, `holds` when it is the plan that the report shows.

    It holds for the plan before the first result, as long as no other plan followed.
    """

    holds: bool
    lines: tuple[str, ...]


def altered_plans(study: Study) -> tuple[str, ...]:
    """Return a line for each version of the plan whose content gives another hash than was recorded with it.

    One more line when the study itself, its claims or its analysis for instance, is that of no version.
    Versions that programs before 0.2.0 recorded have no hash.
    """
    versions = [each for each in study.history.versions if each.digest is not None]
    lines = []
    for version in versions:
        if (digest := _digest(version)) != version.digest:
            given = "is not on record" if digest is None else f"gives {digest}"
            lines.append(f"plan, {_title(version)}: recorded with the hash {version.digest}, but its content {given}")
    differing = [_unlike(study, version.plan) for version in versions if _digest(version) is not None]
    if differing and all(differing):
        lines.append(f"plan: the study has other {', '.join(differing[-1])} than {_title(versions[-1])} of its plan")
    return tuple(lines)


def check_plan(study: Study, given: str) -> PlanCheck:
    """Say whether a hash, as freezing a study file printed it, is that of the plan before the study's first result.

    UserError for what is no hash of a plan.
    """
    wanted = given.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", wanted):
        raise UserError(
            f'--plan "{given}": the hash of a plan has 64 hexadecimal digits, as `orchestrate freeze FILE` prints it'
        )
    versions = sorted(study.history.versions, key=lambda each: each.at)  # a merged study's stand in another order
    first = _first_result(study)
    before = [each for each in versions if (first is None or each.at <= first) and not each.known]
    matches = [each for each in versions if _digest(each) == wanted]
    if not matches:
        known = f"; {_before_results(before[-1])}" if before else ""
        return PlanCheck(False, (f"plan: {wanted} is not the hash of any plan of this study{known}",))
    if not before or matches[0].at > before[-1].at:
        return PlanCheck(False, (f"plan: {wanted} is {_title(matches[0])}, {_lateness(matches[0], first)}",))
    reference = before[-1]
    if reference not in matches:
        instead = _replaced(matches[0], reference)
        return PlanCheck(False, (f"plan: {wanted} is {_title(matches[0])}, before any result {instead}",))
    since = "no result is on record yet" if first is None else f"made before the first result, of {_moment(first)}"
    lines = [f"plan: {wanted} is {_title(reference)}, {since}"]
    later = [each for each in versions if each.at > reference.at and _digest(each) != wanted]
    lines += [f"plan: after the first result it was {_replaced(reference, each)}" for each in later]
    return PlanCheck(not later, tuple(lines))


def _digest(version: PlanVersion) -> str | None:
    """Return the hash of a version's content; None where it is not on record in full."""
    return plan_digest(version.plan) if "arms" in version.plan else None


def _unlike(study: Study, plan: Mapping[str, Any]) -> list[str]:
    """Return in what the study as it stands in the results DB is not what a plan fixes."""
    now = judged_by(study.settings, study.factors, study.baseline, study.fail_above)
    unlike = [key for key in now if key in plan and _as_read(now[key]) != _as_read(plan[key])]
    arms = {arm.hash: dict(arm.levels) for arm in study.arms if not arm.orphaned}
    if any(arms.get(arm) != levels for arm, levels in plan["arms"].items()):
        unlike.append("arms")
    if not set(plan.get("seeds", ())) <= {trial.seed for trial in study.trials}:
        unlike.append("seeds")
    return [key.replace("_", " ") for key in unlike]


def _as_read(value: object) -> object:
    """Return a value as JSON gives it back: a whole number is the same as 20 in a file and as 20.0 in a column."""
    return json.loads(canonical_json(value))


def _first_result(study: Study) -> datetime | None:
    """Return when the first result of any arm of the study was on record, whichever study trained it."""
    trials = (*study.trials, *study.history.left_out)
    shown = (each for each in trials if each.state.is_outcome() or each.state is State.PRUNED)
    moments = [*(each.finished_at for each in shown), *(each.finished_at for each in study.history.deleted)]
    return min((each for each in moments if each is not None), default=None)


def _lateness(version: PlanVersion, first: datetime | None) -> str:
    if first is not None and version.at > first:
        return f"made after the first result, of {_moment(first)}"
    were = "was" if version.known == 1 else "were"
    return f"made when {counted(version.known or 0, 'result')} of its arms {were} on record"


def _before_results(version: PlanVersion) -> str:
    digest = _digest(version)
    hash_of_it = f"whose hash is {digest}" if digest else "which was recorded without its hash"
    return f"the plan before the first result is {_title(version)}, {hash_of_it}"


def _replaced(version: PlanVersion, by: PlanVersion) -> str:
    differences = ", ".join(plan_differences(version, by))
    return f"replaced by {_title(by)}" + (f", which differs in {differences}" if differences else "")


def _title(version: PlanVersion) -> str:
    return f"version {version.number} of {_moment(version.at)}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
