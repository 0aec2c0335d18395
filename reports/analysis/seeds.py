"""The seeds of a claim: those that a plan has, with its looks, and those on record."""

from collections.abc import Mapping
from typing import Any

from reports.analysis.claims import Claim
from reports.analysis.evidence import cases
from reports.analysis.readings import compared
from reports.results import Study


def seeds_of(plan: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the seeds of a plan, in the order of their use, and its looks."""
    looks = tuple(plan.get("looks") or ())
    return (tuple(range(looks[-1])) if looks else tuple(plan.get("seeds") or ())), looks


def own_seeds(study: Study, claim: Claim) -> set[int]:
    """Return the seeds that the study has of the arms of a claim."""
    arms = {name for case in cases(study, claim) for name in case.weights}
    return {trial.seed for trial in compared(study) if trial.arm in arms}
