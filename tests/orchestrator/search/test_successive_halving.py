"""Successive halving of our own against Optuna's, and the work that it does in a large search."""

import random

import optuna
import pytest
from optuna.pruners import SuccessiveHalvingPruner

from orchestrator.study_file.search.successive_halving import SuccessiveHalving


def ends(pruner, draw, arms=200, epochs=20):
    """Run arms six at a time with made-up values; return at which epoch each arm stopped."""
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(storage=storage, pruner=pruner)
    running, stopped = {}, {}
    while len(stopped) < arms:
        while len(running) < 6 and len(running) + len(stopped) < arms:
            running[study.ask()._trial_id] = 0
        number = draw.choice(sorted(running))
        running[number] += 1
        # Equal, infinite and missing values are where two rules would differ first.
        value = draw.choice([draw.uniform(0, 9), float(draw.randrange(4)), float("inf"), float("nan")])
        storage.set_trial_intermediate_value(number, running[number], value)
        if pruner.prune(study, storage.get_trial(number)) or running[number] == epochs:
            stopped[number] = running.pop(number)
    return stopped


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("first_rung", "factor"), [(1, 3), (2, 2), (1, 4)])
def test_arms_stop_where_they_stop_by_optunas_rule(seed, first_rung, factor):
    theirs = SuccessiveHalvingPruner(
        min_resource=first_rung, reduction_factor=factor, min_early_stopping_rate=0, bootstrap_count=0
    )
    ours = ends(SuccessiveHalving(first_rung, factor), random.Random(seed))

    assert ours == ends(theirs, random.Random(seed))
    assert len(set(ours.values())) > 1


class OneByOne(optuna.storages.InMemoryStorage):
    """A storage that must not be asked for all its trials."""

    def get_all_trials(self, *_, **__):
        raise AssertionError("a decision looked at every trial")


def test_a_decision_looks_at_no_other_trial():
    pruner, storage = SuccessiveHalving(1, 3), OneByOne()
    study = optuna.create_study(storage=storage, pruner=pruner)

    for value, stops in ((3.0, False), (1.0, False), (2.0, True)):
        trial = storage.create_new_trial(study._study_id)
        storage.set_trial_intermediate_value(trial, 1, value)
        assert pruner.prune(study, storage.get_trial(trial)) is stops
