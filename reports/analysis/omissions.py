"""The outcomes of a claim's arms that a study leaves out or has no more, and whether results could have chosen them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import takewhile

from reports.analysis.claims import Claim
from reports.analysis.comparisons import gone_at, known_at
from reports.analysis.evidence import cases
from reports.analysis.readings import compared
from reports.analysis.seeds import own_seeds, seeds_of
from reports.metrics import probe_of
from reports.results import Study
from reports.trials import Trial

LeftOut = Mapping[str, Mapping[int, Trial]]
"""Outcomes that a study does not ask for, by arm and seed."""


def left_out_outcomes(study: Study, claim: Claim) -> LeftOut:
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


def are_chosen(study: Study, claim: Claim, left_out: LeftOut) -> bool:
    """Whether the seeds of the study could have been chosen by results.

    It had planned some of those that are left out, or they had results before its seeds were fixed. What other studies
    train later is no choice of this one.
    """
    versions = study.history.versions
    if not versions:
        return bool(left_out)
    now = seeds_of(versions[-1].plan)
    dropped = {seed for version in versions for seed in seeds_of(version.plan)[0]} - set(now[0])
    fixed = _seeds_fixed(study)
    for trials in left_out.values():
        for seed, trial in trials.items():
            moment = known_at(study, trial, claim.metric)
            if seed in dropped or moment is None or moment <= fixed:
                return True
    return False


def seen_alone(study: Study, claim: Claim, left_out: LeftOut, seen: Mapping[str, set[int]]) -> LeftOut:
    """Return, by arm, further outcomes that were known when the seeds were fixed, and complete no comparison.

    `seen` is what `known_when_fixed` returns.

    Those of an arm of which the study's own seeds were known then, too: whoever takes the seeds at which one arm did
    well, and trains the others with these, has chosen a result.
    """
    own = own_seeds(study, claim)
    alone: dict[str, dict[int, Trial]] = {}
    for trial in study.history.left_out:
        known = seen.get(trial.arm, set())
        if trial.seed in known and known & own and trial.seed not in left_out.get(trial.arm, {}):
            alone.setdefault(trial.arm, {})[trial.seed] = trial
    return alone


def deleted_alone(study: Study, claim: Claim, seen: Mapping[str, set[int]]) -> set[int]:
    """Return the seeds of such outcomes that are no longer on record."""
    own = own_seeds(study, claim)
    on_record = {(trial.arm, trial.seed) for trial in (*study.trials, *study.history.left_out)}
    return {seed for arm, known in seen.items() if known & own for seed in known - own if (arm, seed) not in on_record}


def known_when_fixed(study: Study, claim: Claim) -> dict[str, set[int]]:
    """Return the seeds of each arm of a claim of which a reading was on record when the seeds were fixed."""
    fixed, names = _seeds_fixed(study), {arm.hash: arm.name for arm in study.arms}
    arms = {arm for case in cases(study, claim) for arm in case.weights}
    moments = [
        *(
            (each.arm, each.seed, known_at(study, each, claim.metric))
            for each in (*compared(study), *study.history.left_out)
        ),
        *((names.get(each.arm), each.seed, gone_at(each, claim.metric)) for each in study.history.deleted),
    ]
    known: dict[str, set[int]] = {}
    for arm, seed, moment in moments:
        if arm in arms and moment is not None and moment <= fixed:
            known.setdefault(arm, set()).add(seed)
    return known


def _seeds_fixed(study: Study) -> datetime:
    """Return since when the study has had the seeds and looks that it has now."""
    versions = study.history.versions
    now = seeds_of(versions[-1].plan)
    return min(version.at for version in takewhile(lambda each: seeds_of(each.plan) == now, reversed(versions)))


def deleted_seeds(study: Study, claim: Claim) -> set[int]:
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


def vanished_seeds(study: Study, claim: Claim, planned: Sequence[int], left_out: LeftOut) -> set[int]:
    """Return the planned seeds that the study no longer asks for, and of which nothing is on record any more."""
    asked = seeds_of(study.history.versions[-1].plan)[0]
    return set(planned) - own_seeds(study, claim).union(asked, *left_out.values())
