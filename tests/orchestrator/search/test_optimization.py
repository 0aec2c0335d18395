"""A sampler never sees an arm twice, a number that is not finite, or a different past after an interruption."""

import math

import optuna
import pytest

from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.proposal import ANSWERED, REJECTED, TRAINED
from orchestrator.search.samplers import SAMPLERS
from orchestrator.search.source import SearchSource
from tests.orchestrator.search.conftest import made_up_error, plan_of, train

SMALL = {"shortcut": ["identity", "none"], "width": [1, 2, 3]}


def source_of(planned_arms, ledger=None, **changes):
    return SearchSource(plan_of(**changes), ledger or MemoryLedger(), planned_arms=planned_arms)


def proposed(source, role="search"):
    return [(each.number, each.origin, each.fate, dict(each.params)) for each in source.campaigns[role].proposals]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_trains_every_arm_of_a_small_space_once(sampler, planned_arms):
    source = source_of(planned_arms, factors=SMALL, search={"arms": 50, "sampler": sampler})
    packs = list(train(source))
    searched = [pack.id for pack in packs if pack.settings["data"]["validation"]]
    assert len(searched) == len(set(searched)) == 6
    assert source.exhausted()


def test_a_repeated_arm_is_answered_with_the_value_that_is_known(planned_arms):
    source = source_of(planned_arms, factors=SMALL, search={"arms": 6, "sampler": "random"})
    list(train(source))
    campaign = source.campaigns["search"]
    repeats = [each for each in campaign.proposals if each.fate == ANSWERED]
    assert repeats
    for each in repeats:
        assert campaign.study.trials[each.number].values == list(campaign.scores[each.arm].values)


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2", "random"])
def test_a_search_that_is_taken_up_again_proposes_what_an_undisturbed_one_does(sampler, planned_arms):
    settings = {"arms": 14, "sampler": {"name": sampler}, "seed": 5}
    if sampler == "nsga2":
        settings["sampler"]["population_size"] = 4
    if sampler in ("tpe", "gp"):
        settings["sampler"]["n_startup_trials"] = 4
    whole = source_of(planned_arms, search=settings)
    list(train(whole))
    results = dict(whole.campaigns["search"].scores)
    ledger = MemoryLedger()
    for done in (1, 3, 4, 6, 14):
        again = source_of(planned_arms, ledger, search=settings)
        campaign = again.campaigns["search"]
        for arm in [planned.arm.id for planned in campaign.open]:
            campaign.tell(arm, results[arm])
        again._waiting.clear()
        while campaign.trained < done:
            again._propose(campaign)
            campaign.tell(campaign.open[0].arm.id, results[campaign.open[0].arm.id])
        again._waiting.clear()
    stored = ledger.proposals(whole.plan.campaign("search"))
    assert [(each.number, each.fate, dict(each.params)) for each in stored] == [
        (each.number, each.fate, dict(each.params)) for each in whole.campaigns["search"].proposals
    ]


def test_an_arm_in_training_when_the_search_stopped_is_trained_again_and_not_proposed_twice(planned_arms):
    ledger = MemoryLedger()
    source = source_of(planned_arms, ledger, search={"arms": 6})
    first = [source.next(), source.next()]
    again = source_of(planned_arms, ledger, search={"arms": 6})
    assert [again.next().trials for _ in range(2)] == [pack.trials for pack in first]


def test_several_arms_are_proposed_before_the_first_result(planned_arms):
    source = source_of(planned_arms, search={"arms": 6})
    packs = [source.next() for _ in range(6)]
    assert len({pack.id for pack in packs}) == 6
    assert source.next() is None
    assert not source.exhausted()


def test_a_diverged_arm_counts_as_the_penalty(planned_arms):
    source = source_of(planned_arms, search={"arms": 6, "penalty": 90})
    list(train(source, diverging=lambda pack: pack.settings["network"]["shortcut"] == {"op": "none"}))
    campaign = source.campaigns["search"]
    values = {score.values for key, score in campaign.scores.items() if "none" in campaign.arms[key].arm.name}
    assert values == {(90.0,)}
    assert all(math.isfinite(value) for trial in campaign.study.trials for value in trial.values or ())


def test_an_arm_above_a_bound_is_not_trained(planned_arms):
    source = source_of(planned_arms, search={"arms": 6, "constraints": ["params <= 700"]})
    packs = list(train(source))
    rejected = [each for each in source.campaigns["search"].proposals if each.fate == REJECTED]
    assert {each.reason for each in rejected} == {"not params <= 700"}
    assert all(pack.settings["network"]["width"] <= 2 for pack in packs)


def test_no_optuna_trial_is_left_running(planned_arms):
    source = source_of(planned_arms, search={"arms": 8, "scheduler": "median", "control": True})
    list(train(source))
    for campaign in source.campaigns.values():
        assert all(trial.state.is_finished() for trial in campaign.study.trials)


def test_arms_that_are_stopped_early_are_pruned_and_never_confirmed(planned_arms):
    source = source_of(
        planned_arms, search={"arms": 12, "scheduler": {"name": "asha", "factor": 2}, "sampler": "random"}
    )
    packs = list(train(source))
    campaign = source.campaigns["search"]
    pruned = [each for each in campaign.study.trials if each.state is optuna.trial.TrialState.PRUNED]
    assert 0 < len(pruned) < 12
    confirmed = [pack for pack in packs if not pack.settings["data"]["validation"]]
    best = min(made_up_error(pack) for pack in packs)
    assert best in [made_up_error(pack) for pack in confirmed]


def test_the_confirmation_trains_the_best_arms_and_the_baseline_with_fresh_seeds(planned_arms):
    source = source_of(planned_arms, search={"arms": 8})
    packs = list(train(source))
    confirmed = [pack for pack in packs if not pack.settings["data"]["validation"]]
    assert {seed for pack in confirmed for seed in pack.trials} == {1000, 1001}
    assert len(confirmed) == 3
    assert packs[-3:] == confirmed


def test_the_control_draws_as_many_arms_at_random(planned_arms):
    source = source_of(planned_arms, search={"arms": 5, "control": True})
    list(train(source))
    control = source.campaigns["control"]
    assert sum(each.fate == TRAINED for each in control.proposals) == 5
    assert control.proposals[0].origin == "baseline"


def test_the_control_draws_other_arms_than_a_random_search(planned_arms):
    source = source_of(planned_arms, search={"arms": 4, "control": True, "sampler": "random"})
    list(train(source))
    assert [each[3] for each in proposed(source)] != [each[3] for each in proposed(source, "control")]


def test_an_arm_of_both_campaigns_is_trained_once(planned_arms):
    source = source_of(planned_arms, factors=SMALL, search={"arms": 6, "control": True})
    searched = [pack.id for pack in train(source) if pack.settings["data"]["validation"]]
    assert len(searched) == len(set(searched)) == 6
    assert len(source.campaigns["control"].scores) == 6


def test_several_objectives_confirm_the_pareto_front_first(planned_arms):
    source = source_of(
        planned_arms,
        search={"arms": 10, "sampler": "nsga2", "objectives": ["val_error", "params"], "confirm": {"best": 2}},
    )
    list(train(source))
    campaign = source.campaigns["search"]
    by_values = {score.values: campaign.arms[key].arm.name for key, score in campaign.scores.items()}
    front = {by_values[tuple(trial.values)].replace("search", "confirm", 1) for trial in campaign.study.best_trials}
    front -= {source.confirmed[0]}
    assert front <= set(source.confirmed) or set(source.confirmed[1:]) <= front
