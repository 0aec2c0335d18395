"""Verdicts and costs come back as they were saved."""

import time
from enum import StrEnum

import numpy as np
import pytest

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import ArmCost, Recorder, StorageError
from reports.trials import Epoch, State

VERDICT = {
    "claim": "plain-degrades",
    "says": "plain fails",
    "verdict": "Supported",
    "estimate": 1.5,
    "low": 0.5,
    "high": 2.5,
    "margin": 0.5,
    "n": 6,
    "p": 0.01,
    "context": {"depth": 110},
}


@pytest.fixture
def plan(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    return plan


def test_verdicts_come_back_with_all_their_evidence(store, plan):
    store.save_verdicts(plan.name, [VERDICT])
    loaded = store.load_verdicts(plan.name)[0]
    assert {name: loaded[name] for name in VERDICT} == VERDICT
    assert loaded["plan_hash"] == plan.plan_hash


def test_a_verdict_may_be_an_enum_and_its_numbers_numpy(store, plan, rows):
    class Word(StrEnum):
        REFUTED = "Refuted"

    store.save_verdicts(plan.name, [{**VERDICT, "verdict": Word.REFUTED, "n": np.int64(3), "p": np.float64("nan")}])
    assert rows("SELECT verdict, n, p FROM verdict_results") == [{"verdict": "Refuted", "n": 3, "p": None}]


def test_verdicts_keep_their_order(store, plan):
    claims = ["z", "a", "m"]
    store.save_verdicts(plan.name, [{**VERDICT, "claim": claim} for claim in claims])
    assert [each["claim"] for each in store.load_verdicts(plan.name)] == claims


def test_verdicts_show_in_their_view(store, plan, rows):
    store.save_verdicts(plan.name, [VERDICT])
    row = rows("SELECT * FROM verdict_results")[0]
    assert (row["study"], row["claim"], row["verdict"], row["estimate"], row["n"]) == (
        plan.name,
        "plain-degrades",
        "Supported",
        1.5,
        6,
    )


def test_the_same_verdict_again_keeps_its_moment(store, plan):
    store.save_verdicts(plan.name, [VERDICT])
    before = store.load_verdicts(plan.name)
    store.save_verdicts(plan.name, [VERDICT])
    assert store.load_verdicts(plan.name) == before


def test_another_verdict_gets_a_new_moment(store, plan):
    store.save_verdicts(plan.name, [VERDICT])
    before = store.load_verdicts(plan.name)[0]["decided_at"]
    time.sleep(0.001)
    store.save_verdicts(plan.name, [{**VERDICT, "verdict": "Refuted"}])
    assert store.load_verdicts(plan.name)[0]["decided_at"] > before


def test_a_claim_that_is_gone_takes_its_verdict_along(store, plan):
    store.save_verdicts(plan.name, [VERDICT])
    store.save_verdicts(plan.name, [])
    assert store.load_verdicts(plan.name) == ()


def test_verdicts_need_a_study(store):
    with pytest.raises(StorageError, match='there is no study "unknown"'):
        store.save_verdicts("unknown", [VERDICT])


def test_costs_are_mean_seconds_of_an_epoch_by_arm_and_device(store, plan):
    trial = plan.trials[0]
    with Recorder(store, plan.name) as recorder:
        recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
        for epoch, seconds in ((1, 3.0), (2, 1.0)):
            recorder.put(EpochDone(trial.id, Epoch(epoch, 1.0, 1.0, 1.0, 1.0, 0.1, seconds)))
    assert store.arm_costs() == (ArmCost(trial.arm.id, "graph 20", 2000, "cpu", 2.0, 2),)


def test_costs_of_finished_and_unfinished_trials_of_one_arm_are_weighed_by_their_epochs(store, plan):
    finished, unfinished = [each for each in plan.trials if each.arm == plan.trials[0].arm][:2]
    with Recorder(store, plan.name) as recorder:
        for trial, seconds in ((finished, (3.0, 1.0)), (unfinished, (8.0,))):
            recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
            for epoch, each in enumerate(seconds, start=1):
                recorder.put(EpochDone(trial.id, Epoch(epoch, 1.0, 1.0, 1.0, 1.0, 0.1, each)))
        recorder.put(TrialEnded(finished.id, State.COMPLETE, seconds=4.0))
    assert store.arm_costs() == (ArmCost(finished.arm.id, "graph 20", 2000, "cpu", 4.0, 3),)


def test_the_costs_of_finished_trials_do_not_read_their_epochs(store, plan):
    trial = plan.trials[0]
    with Recorder(store, plan.name) as recorder:
        recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
        recorder.put(EpochDone(trial.id, Epoch(50, 1.0, 1.0, 1.0, 1.0, 0.1, None)))
        recorder.put(TrialEnded(trial.id, State.COMPLETE, seconds=100.0))
    assert store.arm_costs() == (ArmCost(trial.arm.id, "graph 20", 2000, "cpu", 2.0, 50),)
