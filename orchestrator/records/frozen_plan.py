"""The whole plan as plain values, and its hash: what a pre-registration fixes, and what every version keeps."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.records.study_plan import StudyPlan
from reports.analysis.analysis_settings import parse_analysis, repeats_from
from reports.trials import Scalar
from search_spaces.arm import canonical_json


def frozen(plan: StudyPlan) -> dict[str, Any]:
    """Return all that a verdict or a table can depend on, free of paths, times and machines.

    The arms by their hash, which covers data, network and training; the content of the data; the seeds and the looks;
    the analysis with every default; margins and claims as the file has them; of a search, its settings.
    """
    start = repeats_from(plan.settings.get("seeds"))
    return {
        "arms": {each.arm.id: dict(each.arm.levels) for each in plan.arms},
        "data": sorted({trial.fingerprint for trial in plan.trials}),
        "seeds": sorted({trial.seed for trial in plan.trials if start is None or trial.seed < start}),
        "repeated": sorted({trial.seed for trial in plan.trials if start is not None and trial.seed >= start}),
        **judged_by(plan.settings, plan.factors, plan.baseline, plan.fail_above),
    }


def judged_by(
    settings: Mapping[str, Any],
    factors: Mapping[str, Sequence[Scalar]],
    baseline: Mapping[str, Scalar],
    fail_above: float | None,
) -> dict[str, Any]:
    """Return the part of a plan that a study's own record holds too: what is compared, and how it is judged."""
    analysis = asdict(parse_analysis(settings.get("analysis"), settings.get("seeds")))
    return {
        "factors": {name: list(levels) for name, levels in factors.items()},
        "baseline": dict(baseline),
        **{name: list(value) if isinstance(value, tuple) else value for name, value in analysis.items()},
        "fail_above": fail_above,
        "claims": [dict(claim) for claim in settings.get("claims") or ()],
        "search": settings.get("search") or None,
    }


def plan_digest(plan: Mapping[str, Any]) -> str:
    """Return the hash of a frozen plan: SHA-256 of its canonical JSON, in hexadecimal digits."""
    return hashlib.sha256(plan_text(plan).encode()).hexdigest()


def plan_text(plan: Mapping[str, Any]) -> str:
    """Return the text that is hashed: canonical JSON, sorted keys and no spaces."""
    return canonical_json(plan)
