"""A sampler never sees an arm twice, a number that is not finite, or a different past after an interruption."""

import math

import optuna
import pytest

from orchestrator.records.proposal import ANSWERED, REJECTED, TRAINED
from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.source import SearchSource
from orchestrator.study_file.search.samplers import SAMPLERS
from tests.orchestrator.search.conftest import made_up_error, plan_of, train

SMALL = {"shortcut": ["identity", "none"], "width": [1, 2, 3]}


def source_of(planned_arms, ledger=None, **changes):
    return SearchSource(plan_of(**changes), ledger or MemoryLedger(), planned_arms=planned_arms)


def proposed(source, role="search"):
    return [(each.number, each.origin, each.status, dict(each.params)) for each in source.optimizations[role].proposals]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_trains_every_arm_of_a_small_space_once(sampler, planned_arms):
    source = source_of(planned_arms, factors=SMALL, search={"arms": 50, "sampler": sampler})
    packs = list(train(source))
    searched = [pack.id for pack in packs if pack.settings["data"]["validation"]]
    assert len(searched) == len(set(searched)) == 6
    assert source.next() is None


def test_a_grid_takes_its_points_in_order(planned_arms):
    source = source_of(planned_arms, factors=SMALL, search={"arms": 6, "sampler": "grid"})
    list(train(source))
    made = proposed(source)
    assert [origin for _, origin, _, _ in made[1:]] == ["grid"] * 5
    points = [dict(point) for point in source.plan.space.points(10)]
    assert [params for _, _, _, params in made[1:]] == [point for point in points if point != made[0][3]]


def test_a_repeated_arm_is_answered_with_the_value_that_is_known(planned_arms):
    source = source_of(planned_arms, factors=SMALL, search={"arms": 6, "sampler": "random"})
    list(train(source))
    optimization = source.optimizations["search"]
    repeats = [each for each in optimization.proposals if each.status == ANSWERED]
    assert repeats
    for each in repeats:
        assert optimization.study.trials[each.number].values == list(optimization.scores[each.arm].values)


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2", "random"])
def test_a_search_that_is_taken_up_again_proposes_what_an_undisturbed_one_does(sampler, planned_arms):
    settings = {"arms": 14, "sampler": {"name": sampler}, "seed": 5}
    if sampler == "nsga2":
        settings["sampler"]["population_size"] = 4
    if sampler in ("tpe", "gp"):
        settings["sampler"]["n_startup_trials"] = 4
    whole = source_of(planned_arms, search=settings)
    list(train(whole))
    results = dict(whole.optimizations["search"].scores)
    ledger = MemoryLedger()
    for done in (1, 3, 4, 6, 14):
        again = source_of(planned_arms, ledger, search=settings)
        optimization = again.optimizations["search"]
        for arm in [planned.arm.id for planned in optimization.open]:
            optimization.tell(arm, results[arm])
        again._waiting.clear()
        while optimization.trained < done:
            again._propose(optimization)
            optimization.tell(optimization.open[0].arm.id, results[optimization.open[0].arm.id])
        again._waiting.clear()
    stored = ledger.proposals(whole.plan.optimization("search"))
    assert [(each.number, each.status, dict(each.params)) for each in stored] == [
        (each.number, each.status, dict(each.params)) for each in whole.optimizations["search"].proposals
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


def test_a_diverged_arm_counts_as_the_penalty(planned_arms):
    source = source_of(planned_arms, search={"arms": 6, "penalty": 90})
    list(train(source, diverging=lambda pack: pack.settings["network"]["shortcut"] == {"op": "none"}))
    optimization = source.optimizations["search"]
    values = {score.values for key, score in optimization.scores.items() if "none" in optimization.arms[key].arm.name}
    assert values == {(90.0,)}
    assert all(math.isfinite(value) for trial in optimization.study.trials for value in trial.values or ())


def test_an_arm_above_a_bound_is_not_trained(planned_arms):
    source = source_of(planned_arms, search={"arms": 6, "constraints": ["params <= 700"]})
    packs = list(train(source))
    rejected = [each for each in source.optimizations["search"].proposals if each.status == REJECTED]
    assert {each.reason for each in rejected} == {"not params <= 700"}
    assert all(pack.settings["network"]["width"] <= 2 for pack in packs)


def test_no_optuna_trial_is_left_running(planned_arms):
    source = source_of(planned_arms, search={"arms": 8, "scheduler": "median", "control": True})
    list(train(source))
    for optimization in source.optimizations.values():
        assert all(trial.state.is_finished() for trial in optimization.study.trials)


def test_arms_that_are_stopped_early_are_pruned_and_never_confirmed(planned_arms):
    source = source_of(
        planned_arms, search={"arms": 12, "scheduler": {"name": "asha", "factor": 2}, "sampler": "random"}
    )
    packs = list(train(source))
    optimization = source.optimizations["search"]
    pruned = [each for each in optimization.study.trials if each.state is optuna.trial.TrialState.PRUNED]
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
    control = source.optimizations["control"]
    assert sum(each.status == TRAINED for each in control.proposals) == 5
    assert control.proposals[0].origin == "baseline"


def test_the_control_draws_other_arms_than_a_random_search(planned_arms):
    source = source_of(planned_arms, search={"arms": 4, "control": True, "sampler": "random"})
    list(train(source))
    assert [each[3] for each in proposed(source)] != [each[3] for each in proposed(source, "control")]


def test_an_arm_of_both_optimizations_is_trained_once(planned_arms):
    source = source_of(planned_arms, factors=SMALL, search={"arms": 6, "control": True})
    searched = [pack.id for pack in train(source) if pack.settings["data"]["validation"]]
    assert len(searched) == len(set(searched)) == 6
    assert len(source.optimizations["control"].scores) == 6


def test_several_objectives_confirm_the_pareto_front_first(planned_arms):
    source = source_of(
        planned_arms,
        search={"arms": 10, "sampler": "nsga2", "objectives": ["val_error", "params"], "confirm": {"best": 2}},
    )
    list(train(source))
    optimization = source.optimizations["search"]
    by_values = {score.values: optimization.arms[key].arm.name for key, score in optimization.scores.items()}
    front = {by_values[tuple(trial.values)].replace("search", "confirm", 1) for trial in optimization.study.best_trials}
    front -= {source.confirmed[0]}
    assert front <= set(source.confirmed) or set(source.confirmed[1:]) <= front


def test_where_records_alone_count_an_arm_without_one_is_rejected_with_that_reason(planned_arms):
    plan = plan_of(factors=SMALL, search={"arms": 3, "sampler": "random", "control": False})
    source = SearchSource(plan, MemoryLedger(), on_record=lambda trials: False, planned_arms=planned_arms)
    source.next()
    proposals = source.optimizations["search"].proposals
    assert len(proposals) > 1
    assert {(each.status, each.reason, each.arm) for each in proposals} == {(REJECTED, "not on record", None)}
