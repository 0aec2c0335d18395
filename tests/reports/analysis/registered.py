"""Invented studies with a history of plans, and the verdicts on their claims."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.results import History, PlanVersion
from tests.reports.analysis.build import study

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
CLAIM = {"id": "better", "says": "preact < original"}
LEVELS = ("original", "preact", "scaled")
ALL = tuple(range(12))


def hours(count: float) -> datetime:
    return START + timedelta(hours=count)


def errors(seeds=ALL, shift=0.0, noise=0.2, seed=1):
    rng = np.random.default_rng(seed)
    drawn = {level: 6 + noise * rng.standard_normal(max(ALL) + 1) for level in LEVELS}
    drawn["preact"] -= shift
    return {level: {each: float(drawn[level][each]) for each in seeds} for level in LEVELS}


def plan(claims=(CLAIM,), seeds=ALL, depths=(8,), **more):
    arms = {f"{level}-{depth}": {"variant": level, "depth": depth} for depth in depths for level in LEVELS}
    factors = {"variant": list(LEVELS), "depth": list(depths)}
    whole = {"alpha": 0.05, "family": "holm", "looks": [], "test": "paired", "fail_above": 20, "data": ["d"], **more}
    return {"arms": arms, "factors": factors, "claims": list(claims), "seeds": list(seeds), **whole}


def made(plans, results, seeds=None, elsewhere=()):
    """The study of the last of `plans`, each (hour, plan); `results` by arm and seed are on record since hour 1."""
    now = plans[-1][1]
    asked = tuple(now["seeds"]) if seeds is None else seeds
    names = {"variant={variant} depth={depth}".format(**levels): each for each, levels in now["arms"].items()}
    shown = [(levels, results.get(arm, {})) for arm, levels in now["arms"].items()]
    whole = study(shown, settings={"claims": now["claims"], "seeds": list(asked)}, fail_above=now["fail_above"])
    trials = tuple(replace(each, finished_at=hours(1)) for each in whole.trials)
    versions = tuple(PlanVersion(at + 1, hours(when), each, str(at)) for at, (when, each) in enumerate(plans))
    return replace(
        whole,
        arms=tuple(replace(arm, hash=names[arm.name]) for arm in whole.arms),
        trials=tuple(each for each in trials if each.seed in asked),
        history=History(versions, tuple(each for each in trials if each.seed not in asked), tuple(elsewhere)),
    )


def by_arm(found, depths=(8,)):
    return {f"{level}-{depth}": found[level] for level in LEVELS for depth in depths}


def judged(whole, **analysis):
    claims = parse_claims(whole.settings["claims"], whole.factors)
    return {each.id: each for each in judge(whole, claims, AnalysisSettings(**analysis))}
