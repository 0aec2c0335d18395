"""Studies that share trials: each is one driver's until it has ended, or until that driver is gone."""

import os
import socket
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptLost, AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, Store, reservations
from orchestrator.storage.tables import studies
from reports.trials import Epoch, State
from tests.orchestrator.storage.test_lease import owned_elsewhere


@pytest.fixture
def trial(store, make_plan):
    """Return the id of a trial that two studies need."""
    store.record_plan(make_plan())
    store.record_plan(make_plan(name="second"))
    return make_plan().trials[0].id


@pytest.fixture
def own(store, trial):
    """Return the reservations of the driver of the second study."""
    with store.lease("second"):
        yield store.reservations("second")


def record(store, study, *events):
    with Recorder(store, study) as recorder:
        for event in events:
            recorder.put(event)


def reserve_elsewhere(store, trial, **columns):
    """Let a driver reserve a trial that seems to be the process which the columns say."""
    owned_elsewhere(store, "degradation", **columns)
    assert store.reservations("degradation").take([trial]).mine == {trial}


def test_a_trial_is_reserved_by_one_driver_and_the_other_learns_by_whom(store, trial, own):
    with store.lease("degradation"):
        assert own.take([trial]).mine == {trial}
        reserved = store.reservations("degradation").take([trial, "another"])
    assert reserved.mine == {"another"}
    assert f'the study "second" (process {os.getpid()} on {socket.gethostname()}' in reserved.elsewhere[trial]


def test_a_driver_may_reserve_what_it_has_reserved(trial, own):
    assert own.take([trial]) == own.take([trial])


def test_of_many_drivers_at_once_one_gets_each_trial(store, make_plan, url):
    names = [f"study-{number}" for number in range(6)]
    for name in names:
        store.record_plan(make_plan(name=name))
    wanted, taken = [trial.id for trial in make_plan().trials], []

    def take(name):
        with Store.open(url) as opened, opened.lease(name):
            begin.wait()
            taken.extend(opened.reservations(name).take(wanted).mine)
            end.wait()

    begin, end = threading.Barrier(len(names)), threading.Barrier(len(names))
    threads = [threading.Thread(target=take, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(wanted)


def test_a_reservation_ends_with_the_lease_of_its_driver(store, trial, own):
    with store.lease("degradation"):
        store.reservations("degradation").take([trial])
    assert own.take([trial]).mine == {trial}


def test_a_trial_with_a_result_is_no_longer_to_be_trained(store, trial, own):
    with store.lease("degradation"):
        store.reservations("degradation").take([trial])
        record(store, "degradation", AttemptStarted(trial, "cpu", "here", {}), TrialEnded(trial, State.COMPLETE))
        assert own.take([trial]).ended == {trial}


def test_a_trial_that_failed_elsewhere_can_be_reserved_before_that_driver_ends(store, trial, own):
    with store.lease("degradation"):
        store.reservations("degradation").take([trial])
        record(store, "degradation", AttemptStarted(trial, "cpu", "here", {}), TrialEnded(trial, State.FAILED))
        assert own.take([trial]).mine == {trial}


def test_a_lost_attempt_that_its_driver_repeats_stays_reserved(store, trial, own):
    with store.lease("degradation"):
        store.reservations("degradation").take([trial])
        lost = AttemptLost(trial, "the worker died", Cause.WORKER_LOST)
        record(store, "degradation", AttemptStarted(trial, "cpu", "here", {}), lost)
        assert own.take([trial]).elsewhere.keys() == {trial}


def test_a_reservation_of_a_process_that_is_gone_counts_for_nothing_and_its_attempt_ends(store, trial, own, rows):
    reserve_elsewhere(store, trial, host=socket.gethostname(), pid=2**22 + 1)
    record(store, "degradation", AttemptStarted(trial, "cpu", "here", {}))
    assert own.take([trial]).mine == {trial}
    assert rows("SELECT ending, cause FROM attempts") == [{"ending": "lost", "cause": "interrupted"}]


@pytest.mark.parametrize("clock", [timedelta(0), timedelta(days=-1), timedelta(days=1)], ids=["right", "fast", "slow"])
def test_a_reservation_out_of_sight_holds_while_a_heart_beats_whatever_its_clock(store, trial, own, monkeypatch, clock):
    monkeypatch.setattr(reservations, "SILENT_SECONDS", 0)
    monkeypatch.setattr(reservations, "SUSPECT_SECONDS", 0)
    reserve_elsewhere(store, trial, heartbeat=clock)
    first = studies.c.name == "degradation"
    for _ in range(3):
        with store.database.writing() as connection:
            moment = connection.execute(select(studies.c.lease_heartbeat).where(first)).scalar_one()
            connection.execute(update(studies).where(first).values(lease_heartbeat=moment + timedelta(seconds=10)))
        assert own.take([trial]).elsewhere.keys() == {trial}
    assert own.take([trial]).mine == {trial}


def test_a_paused_driver_keeps_its_attempt_when_its_reservation_is_taken(store, trial, own, rows, monkeypatch):
    monkeypatch.setattr(reservations, "SILENT_SECONDS", 0)
    with store.lease("degradation"):
        store.reservations("degradation").take([trial])
        record(store, "degradation", AttemptStarted(trial, "cpu", "here", {}))
        assert own.take([trial]).elsewhere.keys() == {trial}
        assert own.take([trial]).mine == {trial}
        assert rows("SELECT ending FROM attempts") == [{"ending": None}]


def test_a_locked_database_keeps_nobody_from_training(store, trial, own, monkeypatch, url):
    monkeypatch.setattr(reservations, "BUSY_SECONDS", 0.1)
    with Store.open(url) as other, other.database.writing() as connection:
        connection.execute(update(studies).values(question="locked"))
        if store.database.dialect == "postgresql":
            connection.exec_driver_sql("LOCK TABLE trials IN ACCESS EXCLUSIVE MODE")
        assert own.take([trial]).mine == {trial}
    assert own.take([trial]).mine == {trial}


def test_a_database_that_does_not_answer_keeps_nobody_from_training(trial, own, monkeypatch):
    asked = []

    def never(*arguments):
        asked.append(arguments)
        answered.wait(30)

    answered, before = threading.Event(), set(threading.enumerate())
    monkeypatch.setattr(reservations, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(reservations.Reservations, "_take", never)
    monkeypatch.setattr(reservations, "read_outcomes", never)
    assert own.take([trial]) == own.take([trial]) == reservations.Reserved(frozenset([trial]))
    assert len(asked) == 1  # for a while it is not asked again
    assert own.outcomes([trial]) == {}
    answered.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)  # with its connection, before the store is closed


def test_what_another_driver_trained_is_told_as_if_it_had_been_trained_here(store, trial):
    epoch = Epoch(1, 1.0, 50.0, 1.5, 60.0, 0.1, 2.0)
    end = TrialEnded(trial, State.DIVERGED, "loss", 2.0, 5.0, diverged_at=2, loss_before_divergence=1.0)
    record(store, "degradation", AttemptStarted(trial, "cpu", "here", {}), EpochDone(trial, epoch), end)
    told = store.reservations("second").outcomes([trial, "unknown"])
    assert told == {trial: [EpochDone(trial, epoch, end.at), end]}


def test_trials_without_a_result_tell_nothing(store, trial):
    assert store.reservations("second").outcomes([trial]) == {}
