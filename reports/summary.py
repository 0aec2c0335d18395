"""The study as data: what `study.json` holds, from which other programs read the numbers of the page."""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reports.analysis.arms import ArmSummary
from reports.analysis.contrasts import Contrast
from reports.analysis.verdicts import Verdict
from reports.findings import Findings
from reports.trials import State

VERSION = 1


def summary_of(findings: Findings) -> dict[str, Any]:
    """Return the study, its arms with their summaries, and the differences to the baseline, as plain JSON values."""
    study = findings.study
    return {
        "version": VERSION,
        "study": study.name,
        "question": study.question,
        "settings": study.settings,
        "factors": {name: list(levels) for name, levels in study.factors.items()},
        "baseline": dict(study.baseline),
        "fail_above": study.fail_above,
        "plan_hash": study.plan_hash,
        "git": study.git,
        "last_result": _moment(findings.last_result()),
        "trials": {state.value: findings.count(state) for state in State} | {"fails": findings.fails()},
        "seeds": list(findings.seeds),
        "arms": [_arm(findings.summaries[arm.name]) for arm in findings.arms],
        "differences": [_difference(each) for each in findings.contrasts.values()],
        "verdicts": [verdict_row(each) for each in findings.verdicts],
        "environments": [{"id": each.id, "host": each.host, "facts": each.facts} for each in study.environments],
        "notes": [*study.notes, *study.user_notes],
        "plans": [
            {"number": each.number, "at": _moment(each.at), "digest": each.digest, "known": each.known}
            for each in study.history.versions
        ],
        "search": dict(study.search),
    }


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain values: the columns of the view `verdict_results`, and what they rest on.

    `p` is the one that decides, adjusted for looks and for the other claims; `p_raw` is the test's own.
    """
    return {
        "claim": verdict.id,
        "says": verdict.says,
        "verdict": verdict.verdict.value,
        "estimate": verdict.estimate,
        "low": verdict.low,
        "high": verdict.high,
        "margin": verdict.margin,
        "n": verdict.n,
        "p": verdict.p_holm if verdict.p_holm is not None else verdict.p_look,
        "level": verdict.level,
        "fails": verdict.fails,
        "p_raw": verdict.p,
        "p_look": verdict.p_look,
        "p_holm": verdict.p_holm,
        "decided_at_look": verdict.decided_at_look,
        "badges": list(verdict.badges),
        "post_hoc": verdict.post_hoc,
        "changes": list(verdict.changes),
        "plan_version": verdict.registration.version.number if verdict.registration.version else None,
        "plan_digest": verdict.registration.version.digest if verdict.registration.version else None,
        "seeds_left_out": list(verdict.registration.seeds_left_out),
        "sentence": verdict.sentence,
        "other_tests": {name: outcome.value for name, outcome in verdict.other_tests.items()},
        "trials": list(verdict.trials),
    }


def canonical(value: Mapping[str, Any]) -> str:
    """Return the one JSON text of `value`: sorted keys, two spaces, numbers that are not finite as null."""
    return json.dumps(_plain(value), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)


def _arm(summary: ArmSummary) -> dict[str, Any]:
    arm = summary.arm
    return {
        "name": arm.name,
        "levels": dict(arm.levels),
        "settings": arm.settings,
        "params": arm.params,
        "flops": arm.flops,
        "n": summary.n,
        "n_ok": summary.n_ok,
        "n_fail": summary.n_fail,
        "n_missing": summary.n_missing,
        "values": {str(seed): value for seed, value in summary.values.items()},
        "mean": summary.mean,
        "sd": summary.sd,
        "low": summary.low,
        "high": summary.high,
        "text": summary.text,
    }


def _difference(contrast: Contrast) -> dict[str, Any]:
    return {
        "arm": contrast.arm.name,
        "baseline": contrast.baseline.name,
        "n": contrast.n,
        "fails": contrast.fails,
        "test": contrast.test,
        "estimate": contrast.estimate,
        "low": contrast.low,
        "high": contrast.high,
        "p": contrast.p,
        "p_holm": contrast.p_holm,
    }


def _moment(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
