"""What a search showed, as plain values that are stored with the study: proposals, importance, what was confirmed."""

import math
from typing import Any

import optuna

from orchestrator.search.campaign import Campaign, quietly
from orchestrator.search.proposal import TRAINED, Proposal
from orchestrator.search.source import SearchSource
from reports.results import State

# Fewer arms than this say nothing about which parameter matters.
FEWEST_ARMS = 10
QUESTIONS = {
    "PED-ANOVA": "which choice tells the best tenth of the arms from the rest?",
    "fANOVA": "which choice explains how much the error varies over the whole space?",
}


def learned(source: SearchSource) -> dict[str, Any]:
    """Return the record of a search; arms go by their ids, and shares add up to 1."""
    search = source.campaigns["search"]
    return {
        "settings": source.plan.settings.as_dict(),
        "objectives": list(source.plan.settings.objectives),
        "baseline": source.plan.study.arms[0].arm.name,
        "proposals": {
            role: [_proposal(each, one) for one in each.proposals] for role, each in source.campaigns.items()
        },
        "importance": [
            {"method": method, "question": question, "shares": shares}
            for method, question in QUESTIONS.items()
            if (shares := importance(search, method))
        ],
        "confirmed": list(source.confirmed or ()),
    }


def importance(campaign: Campaign, method: str) -> dict[str, float]:
    """Return each parameter's share by one method, the largest first; nothing where too few arms are told apart.

    Parameters that a condition switches off are left out: the methods need a value in every arm.
    """
    study = campaign.study
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state is optuna.trial.TrialState.COMPLETE]
    at = campaign.settings.objectives.index("val_error")
    values = [trial.values[at] for trial in complete]
    if len(complete) < FEWEST_ARMS or len(set(values)) < 2:
        return {}
    shared = [name for name in campaign.space.distributions() if all(name in trial.params for trial in complete)]
    varied = [name for name in shared if len({str(trial.params[name]) for trial in complete}) > 1]
    if not varied:
        return {}
    evaluator = (
        optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.1, region_quantile=1.0, evaluate_on_local=True)
        if method == "PED-ANOVA"
        else optuna.importance.FanovaImportanceEvaluator(n_trees=64, max_depth=64, seed=campaign.settings.seed)
    )
    with quietly():
        found = optuna.importance.get_param_importances(
            study, evaluator=evaluator, params=varied, target=lambda trial: trial.values[at], normalize=True
        )
    return {name: float(share) for name, share in found.items() if math.isfinite(share)}


def _proposal(campaign: Campaign, proposal: Proposal) -> dict[str, Any]:
    arm = campaign.arms.get(proposal.arm or "")
    score = campaign.scores.get(proposal.arm or "")
    return {
        "number": proposal.number,
        "arm": arm.arm.name if arm else None,
        "origin": proposal.origin,
        "fate": proposal.fate,
        "reason": proposal.reason or (score.reason if score else None),
        "params": dict(proposal.params),
        "state": score.state.value if score and proposal.fate == TRAINED else None,
        "values": list(score.values) if score and score.state is State.COMPLETE else None,
        "generation": next((each for key, each in proposal.attributes.items() if key.endswith(":generation")), None),
    }
