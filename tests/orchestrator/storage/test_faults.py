"""A driver that dies at any moment, and readers beside a writer."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, Store, StudyBusy
from reports.trials import Epoch, State

ROOT = Path(__file__).parents[3]
# Records without end, and prints each trial once it is safely COMPLETE.
DRIVER = """
import sys
from tests.orchestrator.storage.conftest import plan_of
from orchestrator.records.events import *
from orchestrator.storage import *
from reports.results import *

plan = plan_of(seeds=range(2000))

def tell(event):
    if isinstance(event, TrialEnded):
        print(event.trial, flush=True)

with Store.open(sys.argv[1]) as store, store.lease(plan.name):
    store.record_plan(plan)
    print("ready", flush=True)
    with Recorder(store, plan.name, [tell]) as recorder:
        for trial in plan.trials:
            recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
            for epoch in (1, 2, 3):
                recorder.put(EpochDone(trial.id, Epoch(epoch, 1.0, 1.0, 1.0, float(epoch), 0.1, 1.0)))
                recorder.flush()
            recorder.put(TrialEnded(trial.id, State.COMPLETE))
"""


def killed_driver(path, after):
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert driver.stdout.readline() == "ready\n"
    time.sleep(after)
    os.kill(driver.pid, signal.SIGKILL)
    told = driver.stdout.read().split()
    driver.wait()
    driver.stdout.close()
    return told


@pytest.mark.fault
@pytest.mark.parametrize("after", [0.05, 0.2, 0.4])
def test_a_killed_driver_loses_nothing_that_was_finished(after, tmp_path, make_plan):
    path = tmp_path / "results.db"
    told = killed_driver(path, after)
    plan = make_plan(seeds=range(2000))
    with Store.open(path) as store, store.lease(plan.name):
        lost = store.recover(plan.name)
        states = store.states(trial.id for trial in plan.trials)
        study = store.load_study(plan.name)
    assert {states[trial] for trial in told} <= {State.COMPLETE}
    assert len(lost) <= 1
    assert State.RUNNING not in states.values()
    complete = [trial for trial in study.trials if trial.state is State.COMPLETE]
    assert all([epoch.epoch for epoch in trial.curve] == [1, 2, 3] for trial in complete)
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.fault
def test_while_the_driver_lives_nobody_else_may_run_its_study(tmp_path):
    path = tmp_path / "results.db"
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert driver.stdout.readline() == "ready\n"
        with Store.open(path) as store, pytest.raises(StudyBusy, match=f"kill {driver.pid}"):
            store.lease("degradation").__enter__()
    finally:
        driver.kill()
        driver.wait()
        driver.stdout.close()


def test_readers_see_whole_studies_while_events_are_recorded(store, url, make_plan):
    plan = make_plan(seeds=range(20))
    store.record_plan(plan)
    done = threading.Event()
    seen = []

    def read():
        with Store.open(url, read_only=True) as reader:
            while not done.is_set():
                study = reader.load_study(plan.name)
                assert all(len(trial.curve) == 3 for trial in study.trials if trial.state is State.COMPLETE)
                seen.append(sum(trial.state is State.COMPLETE for trial in study.trials))

    thread = threading.Thread(target=read)
    thread.start()
    with Recorder(store, plan.name) as recorder:
        for trial in plan.trials:
            recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
            for epoch in (1, 2, 3):
                recorder.put(EpochDone(trial.id, Epoch(epoch, 1.0, 1.0, 1.0, 1.0, 0.1, 1.0)))
            recorder.put(TrialEnded(trial.id, State.COMPLETE))
            recorder.flush()
    done.set()
    thread.join()
    assert seen == sorted(seen)
    assert len(seen) > 1


def test_two_drivers_with_a_common_trial_record_one_result(store, make_plan, rows):
    first, second = make_plan(), make_plan(name="second")
    store.record_plan(first)
    store.record_plan(second)
    trial = first.trials[0].id
    with (
        store.lease(first.name),
        store.lease(second.name),
        Recorder(store, first.name) as fast,
        Recorder(store, second.name) as slow,
    ):
        for recorder, error in ((fast, 10.0), (slow, 20.0)):
            recorder.put(AttemptStarted(trial, "cpu", "here", {}))
            recorder.put(EpochDone(trial, Epoch(1, 1.0, 1.0, 1.0, error, 0.1, 1.0)))
            recorder.flush()
        fast.put(EpochDone(trial, Epoch(2, 1.0, 1.0, 1.0, 5.0, 0.1, 1.0)))
        fast.put(TrialEnded(trial, State.COMPLETE))
        fast.flush()
        slow.put(TrialEnded(trial, State.COMPLETE))
    assert [row["ending"] for row in rows("SELECT ending FROM attempts ORDER BY number")] == ["COMPLETE", "late"]
    assert store.states([trial]) == {trial: State.COMPLETE}
    assert rows("SELECT epochs FROM trials WHERE epochs > 0") == [{"epochs": 2}]
