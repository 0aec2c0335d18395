"""The outcomes of a claim's arms that a study leaves out or has no more, and whether results could have chosen them."""

from collections.abc import Mapping, Sequence
from itertools import takewhile

from reports.analysis.claims import Claim
from reports.analysis.comparisons import known_at
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
    unchanged = takewhile(lambda version: seeds_of(version.plan) == now, reversed(versions))
    fixed = min(version.at for version in unchanged)
    for trials in left_out.values():
        for seed, trial in trials.items():
            moment = known_at(study, trial, claim.metric)
            if seed in dropped or moment is None or moment <= fixed:
                return True
    return False


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
