"""Judge the claims of a study on its results, and say which of them were written after results existed."""

from collections.abc import Mapping
from typing import Any

from orchestrator.storage import Store
from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import Verdict, judge
from reports.results import Study


def judge_study(store: Store, study: Study) -> tuple[Verdict, ...]:
    """Return the verdict on every claim of the study, those edited after its first result marked post hoc."""
    claims = parse_claims(study.settings.get("claims"), study.factors, study.metrics)
    return judge(study, claims, post_hoc=edited_claims(store, study)) if claims else ()


def edited_claims(store: Store, study: Study) -> dict[str, str]:
    """Return, by claim id, the date and the change of every claim that is not as it was before the first result.

    Results that other studies had left in the DB count only where this study trained nothing of its own.
    """
    results = [trial.finished_at for trial in study.trials if trial.finished_at is not None]
    if not results:
        return {}
    versions = store.claim_versions(study.name)
    first_result = min([at for at in results if at > versions[0][0]] or results)
    before = {str(claim["id"]): claim for at, claims in versions if at <= first_result for claim in claims}
    found = {}
    for claim in study.settings.get("claims", []):
        first = before.get(str(claim["id"]))
        if first != claim:
            date = next(at for at, claims in versions if claim in claims and at > first_result)
            was = "added" if first is None else f"changed from {_text(first)}"
            found[str(claim["id"])] = f"{was} on {date:%Y-%m-%d %H:%M} UTC, after the first result"
    return found


def _text(claim: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in claim.items() if key != "id")
