"""What was fixed about a claim before its first result, and what was changed, grown or left out since.

A version of the plan counts as made before the results when no comparison of the claim could be read off yet: results
of one of its arms alone favour no verdict, whatever is declared on them, since tests and intervals hold for any margin
and both directions. A claim about what a probe measures can be read off from the first measurements on, by that probe
with any settings.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reports.analysis.claims import Claim, parse_claim
from reports.analysis.comparisons import (
    asks_the_same,
    comparisons_of,
    content_of,
    declared_as,
    declared_claims,
    first_comparison,
    known_at,
    known_since,
    planned_comparisons,
    same_claim,
)
from reports.analysis.evidence import cases
from reports.analysis.readings import compared
from reports.analysis.settings import AnalysisSettings
from reports.metrics import probe_of
from reports.results import PlanVersion, Study
from reports.trials import Trial
from reports.wording import counted
from search_spaces.errors import SettingError

_IN_WORDS = {"repeated": "the seeds of the A/A check", "data": "the data", "family": "the family of claims"}
_JUDGED_BY = {
    "alpha": "alpha",
    "family": "the family",
    "test": "the test",
    "fail_above": "fail_above",
    "data": "the data",
}


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
    its seeds were fixed, else all were trained for other studies since. `as_planned` is there where the claim stands as
    it was declared, and compares other arms than it would have by that plan. `plans` counts the plans with other seeds
    or looks, this one included, by which studies of this DB were to ask the same before the first result: any of them
    could be the one that is shown, so that they share the level.
    """

    version: PlanVersion | None = None
    changes: tuple[str, ...] = ()
    planned: tuple[int, ...] = ()
    looks: tuple[int, ...] = ()
    is_grown: bool = False
    has_other_looks: bool = False
    left_out: Mapping[str, Mapping[int, Trial]] = field(default_factory=dict)
    is_chosen: bool = False
    as_planned: AsPlanned | None = None
    plans: int = 1

    @property
    def seeds_left_out(self) -> tuple[int, ...]:
        """Return the seeds that are left out."""
        return tuple(sorted({seed for trials in self.left_out.values() for seed in trials}))


def register(study: Study, claim: Claim) -> Registration:
    """Compare a claim, and the plan that it is judged by, with the plan before its first result."""
    versions = study.history.versions
    if not versions:
        left_out = _left_out(study, claim)
        return Registration(left_out=left_out, is_chosen=bool(left_out))
    first = first_comparison(study, claim)
    before = [version for version in versions if first is None or version.at <= first]
    # Of a study that was merged from two results DBs the versions may stand in another order than their moments.
    reference = max(before, key=lambda each: (each.at, each.number)) if before else versions[0]
    later = [version for version in versions if version.number > reference.number]
    changes = [] if before else [_known(reference)]
    if first is not None:
        changes += _changes(study, claim, reference, later)
    seen = None if before or first is None else _seen_elsewhere(study, claim, first)
    own = set(_own_seeds(study, claim))
    if seen is not None and own.isdisjoint(_seeds(seen.plan)[0]):
        seen = None  # wholly other seeds than those of another study repeat it; they do not add to it
    planned, looks = _seeds((seen or reference).plan)
    extra = own - set(planned)
    is_grown = bool(planned and extra and first is not None and (seen or later))
    if is_grown:
        changes.append(_grown(planned, extra, later, is_elsewhere=seen is not None))
    now = versions[-1].plan
    has_other_looks = first is not None and "looks" in reference.plan and _seeds(now)[1] != looks
    if has_other_looks:
        # Looks that differ from those of another study are as this one first planned them.
        since = next((each.at for each in later if _seeds(each.plan)[1] == _seeds(now)[1]), reference.at)
        changes.append(f"looks changed from {_listed(looks)} to {_listed(_seeds(now)[1])} {_on(since)}")
    left_out = _left_out(study, claim)
    if is_chosen := _are_chosen(study, claim, left_out):
        changes.append(_omission(left_out))
    gone = _gone(planned, study, claim, left_out, now) if first is not None and not looks and seen is None else set()
    if gone:
        are = "is" if len(gone) == 1 else "are"
        planned_seeds = counted(len(gone), "planned seed")
        changes.append(f"{planned_seeds} {are} no longer asked for, and their results no longer on record")
    if deleted := _deleted(study, claim) - gone:
        changes.append(f"{counted(len(deleted), 'seed')} of these arms had results, now deleted")
    as_planned = _as_planned(study, claim, reference) if first is not None and later else None
    return Registration(
        reference,
        tuple(changes),
        planned,
        looks,
        is_grown,
        has_other_looks,
        left_out,
        is_chosen,
        as_planned,
        _plans(study, claim, reference, first) if before else 1,
    )


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


def _seen_elsewhere(study: Study, claim: Claim, first: datetime) -> PlanVersion | None:
    """Return the plan of another study whose results made a comparison of the claim known; None where none is kept."""
    comparisons = comparisons_of(study, claim, study.arms, study.factors)
    before = [
        version
        for version in study.history.elsewhere
        if version.at <= first and any(arms <= version.plan.get("arms", {}).keys() for arms in comparisons)
    ]
    return max(before, key=lambda each: each.at, default=None)


def _plans(study: Study, claim: Claim, reference: PlanVersion, first: datetime | None) -> int:
    """Count the seeds and looks with which this study and others were to ask the same, before the first result."""
    known = {_seeds(reference.plan)}
    for versions in _by_study(study.history.elsewhere):
        before = [each for each in versions if first is None or each.at <= first]
        last = max(before, key=lambda each: (each.at, each.number), default=None)
        if last is not None and last.plan.get("data") == reference.plan.get("data"):
            seeds = _seeds(last.plan)
            if seeds not in known and asks_the_same(study, last, claim):
                known.add(seeds)
    return len(known)


def _by_study(versions: Iterable[PlanVersion]) -> list[list[PlanVersion]]:
    """Return the plans of each study; those of one follow each other and are numbered from 1."""
    studies: list[list[PlanVersion]] = []
    for version in versions:
        if version.number == 1 or not studies:
            studies.append([])
        studies[-1].append(version)
    return studies


def _deleted(study: Study, claim: Claim) -> set[int]:
    """Return the seeds that completed a comparison of the claim, are not asked for, and of which an outcome is gone."""
    names = {arm.hash: arm.name for arm in study.arms}
    left: dict[str, set[int]] = {arm.name: set() for arm in study.arms}
    for trial in (*study.trials, *study.history.left_out):
        left[trial.arm].add(trial.seed)
    known = {arm: set(seeds) for arm, seeds in left.items()}
    for outcome in study.history.deleted:
        if outcome.arm in names:
            known[names[outcome.arm]].add(outcome.seed)
    gone: set[int] = set()
    for case in cases(study, claim):
        seen = set.intersection(*(known[arm] for arm in case.weights))
        whole = set.intersection(*(left[arm] for arm in case.weights))
        gone |= seen - whole
    return gone - {trial.seed for trial in study.trials}


def _own_seeds(study: Study, claim: Claim) -> tuple[int, ...]:
    arms = {name for case in cases(study, claim) for name in case.weights}
    return tuple(sorted({trial.seed for trial in compared(study) if trial.arm in arms}))


def _seeds(plan: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    looks = tuple(plan.get("looks") or ())
    return (tuple(range(looks[-1])) if looks else tuple(plan.get("seeds") or ())), looks


def _left_out(study: Study, claim: Claim) -> dict[str, dict[int, Trial]]:
    """Return, by arm, the outcomes that are left out, of seeds that complete a comparison of the claim."""
    every: dict[str, dict[int, Trial]] = {}
    extra: dict[str, dict[int, Trial]] = {}
    for trial in compared(study):
        every.setdefault(trial.arm, {})[trial.seed] = trial
    for trial in study.history.left_out:
        if probe_of(claim.metric) is None or known_at(study, trial, claim.metric) is not None:
            extra.setdefault(trial.arm, {})[trial.seed] = trial
    left_out: dict[str, dict[int, Trial]] = {}
    for case in cases(study, claim):
        known = [{**every.get(arm, {}), **extra.get(arm, {})} for arm in case.weights]
        for seed in set.intersection(*(set(each) for each in known)):
            for arm in case.weights:
                if seed in extra.get(arm, {}):
                    left_out.setdefault(arm, {})[seed] = extra[arm][seed]
    return left_out


def _are_chosen(study: Study, claim: Claim, left_out: Mapping[str, Mapping[int, Trial]]) -> bool:
    """Whether the seeds of the study could have been chosen by results: it had planned some of those that are left out,
    or they had results before its seeds were fixed. What other studies train later is no choice of this one."""
    versions = study.history.versions
    now = _seeds(versions[-1].plan)
    fixed, dropped = versions[-1].at, set[int]()
    for version in reversed(versions):
        if _seeds(version.plan) != now:
            break
        fixed = min(fixed, version.at)
    for version in versions:
        dropped |= set(_seeds(version.plan)[0]) - set(now[0])
    for trials in left_out.values():
        for seed, trial in trials.items():
            moment = known_at(study, trial, claim.metric)
            if seed in dropped or moment is None or moment <= fixed:
                return True
    return False


def _changes(study: Study, claim: Claim, reference: PlanVersion, later: Sequence[PlanVersion]) -> list[str]:
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
    before = planned_comparisons(study, reference, then)
    after = comparisons_of(study, claim, study.arms, study.factors)
    if not later or before == after:
        return []
    parts = []
    for gone, word in ((before - after, "dropped"), (after - before, "added")):
        if gone:
            count = f"{len(gone)} comparison{'' if len(gone) == 1 else 's'}"
            parts.append(f"{count} {word} {_on(later[-1].at)}")
    return parts


def _as_planned(study: Study, claim: Claim, reference: PlanVersion) -> AsPlanned | None:
    """Return the claim with the comparisons of its plan that have a result; None where they are those of today."""
    plan, raw = reference.plan, declared_as(study, claim)
    then = same_claim(reference, claim, raw)
    if raw is None or then is None or content_of(then) != content_of(raw) or not {"arms", "factors"} <= plan.keys():
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
    try:
        declared = parse_claim(raw, factors, study.metrics)
    except SettingError:
        return None
    before = comparisons_of(view, declared, [arm for arm in arms if not arm.orphaned], factors)
    now = comparisons_of(study, claim, [arm for arm in study.arms if not arm.orphaned], study.factors)
    return AsPlanned(view, declared) if before and before != {each for each in now if each <= known.keys()} else None


def _known(version: PlanVersion) -> str:
    return f"first planned {_on(version.at).removesuffix(', after the first result')}, when its results were on record"


def _grown(planned: Sequence[int], extra: set[int], later: Sequence[PlanVersion], *, is_elsewhere: bool) -> str:
    if is_elsewhere:
        return (
            f"{counted(len(extra), 'seed')} added to the {len(planned)} of another study whose results were on record"
        )
    since = next((each.at for each in later if extra & set(_seeds(each.plan)[0])), later[-1].at)
    return f"{counted(len(extra), 'seed')} added to the {len(planned)} planned {_on(since)}"


def _omission(left_out: Mapping[str, Mapping[int, Trial]]) -> str:
    seeds = {seed for trials in left_out.values() for seed in trials}
    return f"{len(seeds)} seed{'' if len(seeds) == 1 else 's'} of these arms exist and are left out"


def _gone(
    planned: Sequence[int],
    study: Study,
    claim: Claim,
    left_out: Mapping[str, Mapping[int, Trial]],
    now: Mapping[str, Any],
) -> set[int]:
    """Return the planned seeds that were dropped, and of which nothing is on record any more."""
    known = {*_own_seeds(study, claim), *_seeds(now)[0]}
    return set(planned) - known.union(*(set(trials) for trials in left_out.values()))


def _on(moment: datetime) -> str:
    return f"on {moment:%Y-%m-%d %H:%M} UTC, after the first result"


def _listed(looks: Sequence[int]) -> str:
    return ", ".join(map(str, looks)) or "none"


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _text(claim: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in claim.items() if key not in ("id", "title"))


def planned_settings(settings: AnalysisSettings, registration: Registration) -> AnalysisSettings:
    """Return the analysis with the looks of the plan, so that grown seeds count as what they are: beyond the last."""
    if not (registration.is_grown or registration.has_other_looks):
        return settings
    return replace(settings, looks=registration.looks or (len(registration.planned),))
