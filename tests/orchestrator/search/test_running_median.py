"""The median rule of our own against Optuna's, and the work that it does in a large search."""

import random
import warnings

import optuna
import pytest
from optuna.pruners import MedianPruner
from optuna.trial import TrialState

from orchestrator.study_file.search.running_median import RunningMedian


def ends(pruner, draw, arms=150, epochs=12):
    """Run arms six at a time with made-up values; return at which epoch each arm stopped, and whether it was stopped.

    Of those that come to their end some fail; some trials are complete without ever reporting a value.
    """
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(storage=storage, pruner=pruner)
    running, stopped = {}, {}
    while len(stopped) < arms:
        while len(running) < 6 and len(running) + len(stopped) < arms:
            running[study.ask()._trial_id] = 0
        number = draw.choice(sorted(running))
        if draw.random() < 0.02:
            storage.set_trial_state_values(number, TrialState.COMPLETE, [1.0])
            stopped[number] = (running.pop(number), "early")
            continue
        running[number] += 1
        # Equal, infinite and missing values are where two rules would differ first.
        value = draw.choice([draw.uniform(0, 9), float(draw.randrange(4)), float("inf"), float("nan")])
        storage.set_trial_intermediate_value(number, running[number], value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's own, of Optuna's median over values that are all missing
            is_pruned = pruner.prune(study, storage.get_trial(number))
        if is_pruned or running[number] == epochs:
            state = TrialState.PRUNED if is_pruned else draw.choice([TrialState.COMPLETE] * 4 + [TrialState.FAIL])
            storage.set_trial_state_values(number, state, [1.0] if state is TrialState.COMPLETE else None)
            stopped[number] = (running.pop(number), state.name)
    return stopped


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("startup", "warmup"), [(5, 1), (0, 0), (1, 3), (20, 6)])
def test_arms_stop_where_they_stop_by_optunas_rule(seed, startup, warmup):
    theirs = MedianPruner(n_startup_trials=startup, n_warmup_steps=warmup, interval_steps=1, n_min_trials=1)
    ours = ends(RunningMedian(startup, warmup), random.Random(seed))

    assert ours == ends(theirs, random.Random(seed))
    assert {how for _, how in ours.values()} >= {"PRUNED", "COMPLETE"}


class Counted(optuna.storages.InMemoryStorage):
    """A storage that must not be asked for all its trials, and counts the single ones that it is asked for."""

    asked = 0

    def get_all_trials(self, *_, **__):
        raise AssertionError("a decision looked at every trial")

    def get_trial(self, trial_id):
        self.asked += 1
        return super().get_trial(trial_id)


def test_a_decision_looks_at_the_trials_in_training_alone():
    pruner, storage = RunningMedian(1, 1), Counted()
    study = optuna.create_study(storage=storage, pruner=pruner)
    for at in range(500):
        trial = storage.create_new_trial(study._study_id)
        storage.set_trial_intermediate_value(trial, 1, float(at))
        assert pruner.prune(study, storage.get_trial(trial)) is (at > 0)
        storage.set_trial_state_values(trial, TrialState.COMPLETE, [1.0])
    # Itself, and once more the trial before, which was finished since.
    assert storage.asked <= 3 * 500
