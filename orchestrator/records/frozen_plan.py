"""The whole plan as plain values, and its hash: what a pre-registration fixes, and what every version keeps."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orchestrator.records.study_plan import StudyPlan
from reports.analysis.settings import parse_analysis, repeats_from
from search_spaces.arm import canonical_json


def frozen(plan: StudyPlan) -> dict[str, Any]:
    """Return all that a verdict or a table can depend on, free of paths, times and machines.

    The arms by their hash, which covers data, network and training; the content of the data; the seeds and the looks;
    the analysis with every default; margins and claims as the file has them; of a search, its settings.
    """
    settings = plan.settings
    analysis = asdict(parse_analysis(settings.get("analysis"), settings.get("seeds")))
    start = repeats_from(settings.get("seeds"))
    return {
        "arms": {each.arm.id: dict(each.arm.levels) for each in plan.arms},
        "factors": {name: list(levels) for name, levels in plan.factors.items()},
        "baseline": dict(plan.baseline),
        "data": sorted({trial.fingerprint for trial in plan.trials}),
        "seeds": sorted({trial.seed for trial in plan.trials if start is None or trial.seed < start}),
        "repeated": sorted({trial.seed for trial in plan.trials if start is not None and trial.seed >= start}),
        **{name: list(value) if isinstance(value, tuple) else value for name, value in analysis.items()},
        "fail_above": plan.fail_above,
        "claims": [dict(claim) for claim in settings.get("claims", [])],
        "search": settings.get("search") or None,
    }


def plan_digest(plan: Mapping[str, Any]) -> str:
    """Return the hash of a frozen plan: SHA-256 of its canonical JSON, in hexadecimal digits."""
    return hashlib.sha256(plan_text(plan).encode()).hexdigest()


def plan_text(plan: Mapping[str, Any]) -> str:
    """Return the text that is hashed: canonical JSON, sorted keys and no spaces."""
    return canonical_json(plan)
