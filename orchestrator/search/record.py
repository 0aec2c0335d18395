"""What a search showed, as plain values that are stored with the study: proposals, importance, what was confirmed."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from orchestrator.records.proposal import TRAINED, Proposal
from orchestrator.search.optimization import OptimizationRun, quietly
from orchestrator.search.source import SearchSource
from reports.trials import State

# Fewer arms than this say nothing about which parameter matters.
FEWEST_ARMS = 10
# PED-ANOVA estimates where the best arms lie from these: a tenth of all, and no fewer than its authors ask for.
FEWEST_BEST = 5


def search_record(source: SearchSource) -> dict[str, Any]:
    """Return the record of a search; arms go by their ids, and shares add up to 1."""
    search = source.optimizations["search"]
    return {
        "settings": source.plan.search.as_dict(),
        "objectives": list(source.plan.search.objectives),
        "baseline": source.plan.arms[0].arm.name,
        "proposals": {
            role: [_proposal(each, one) for one in each.proposals] for role, each in source.optimizations.items()
        },
        "importance": importance(search),
        "confirmed": list(source.confirmed or ()),
    }


def importance(optimization: OptimizationRun) -> list[dict[str, Any]]:
    """Return each parameter's share by both methods, the largest first, and over which arms.

    The methods need a value in every arm. So the parameters that every arm has are told over all arms; one that a
    condition switches off is told over the arms where the condition holds, beside all else that varies among them.
    Arms are left out as too few below `FEWEST_ARMS`, or when they all have the same error.
    """
    return [
        {"method": method, "question": question, "where": where, "arms": len(trials), "shares": shares}
        for where, trials in _groups(optimization)
        for method, question in _questions(len(trials)).items()
        if (shares := _shares(optimization, trials, method))
    ]


def _groups(optimization: OptimizationRun) -> Iterator[tuple[str | None, list[FrozenTrial]]]:
    """Return all arms with a result, each once, and those where a condition holds, with the condition in words."""
    space = optimization.space
    once = {each.number for each in optimization.proposals if each.status == TRAINED}
    trials = optimization.study.get_trials(deepcopy=False)
    every = [trial for trial in trials if trial.state is TrialState.COMPLETE and trial.number in once]
    yield None, every
    seen: list[str] = []
    for axis in space.axes:
        if axis.name not in space.conditions or (where := str(space.conditions[axis.name])) in seen:
            continue
        seen.append(where)
        active = [trial for trial in every if axis.distributions().keys() <= trial.params.keys()]
        if len(active) < len(every):
            yield where, active


def _best(arms: int) -> int:
    return max(math.ceil(arms / 10), FEWEST_BEST)


def _questions(arms: int) -> dict[str, str]:
    """Return what each method answers about so many arms."""
    return {
        "PED-ANOVA": f"which choice tells the best {_best(arms)} arms from the rest?",
        "fANOVA": "which choice explains how much the error varies over the whole space?",
    }


def _shares(optimization: OptimizationRun, trials: Sequence[FrozenTrial], method: str) -> dict[str, float]:
    """Return the shares of the parameters that vary over these arms and that all of them have."""
    at = optimization.settings.objectives.index("val_error")
    if len(trials) < FEWEST_ARMS or len({trial.values[at] for trial in trials}) < 2:
        return {}
    shared = [name for name in optimization.space.distributions() if all(name in trial.params for trial in trials)]
    varied = [name for name in shared if len({str(trial.params[name]) for trial in trials}) > 1]
    if not varied:
        return {}
    quantile = (_best(len(trials)) - 0.5) / len(trials)  # which Optuna rounds up to a whole arm
    evaluator = (
        optuna.importance.PedAnovaImportanceEvaluator(
            target_quantile=quantile, region_quantile=1.0, evaluate_on_local=True
        )
        if method == "PED-ANOVA"
        else optuna.importance.FanovaImportanceEvaluator(n_trees=64, max_depth=64, seed=optimization.settings.seed)
    )
    with quietly():
        alone = optuna.create_study(directions=optimization.study.directions)
        alone.add_trials(trials)
        importances = optuna.importance.get_param_importances(
            alone, evaluator=evaluator, params=varied, target=lambda trial: trial.values[at], normalize=True
        )
    return {name: float(share) for name, share in importances.items() if math.isfinite(share)}


def _proposal(optimization: OptimizationRun, proposal: Proposal) -> dict[str, Any]:
    arm = optimization.arms.get(proposal.arm or "")
    score = optimization.scores.get(proposal.arm or "")
    return {
        "number": proposal.number,
        "arm": arm.arm.name if arm else None,
        "origin": proposal.origin,
        "status": proposal.status,
        "reason": proposal.reason or (score.reason if score else None),
        "params": dict(proposal.params),
        "state": score.state.value if score and proposal.status == TRAINED else None,
        "values": list(score.values) if score and score.state is State.COMPLETE else None,
        "generation": next((each for key, each in proposal.attributes.items() if key.endswith(":generation")), None),
    }
