"""One process a study: leases, and what a dead one left behind."""

import os
import socket
from datetime import timedelta
from threading import Event as Flag
from threading import enumerate as enumerate_threads

import psutil
import pytest
from sqlalchemy import select, update

from orchestrator.records.events import AttemptStarted, TrialEnded, now
from orchestrator.storage import Recorder, StorageError, Store, StudyBusy
from orchestrator.storage.tables import studies
from reports.trials import State


def pretend(store, study, **columns):
    """Write into a study's row what another process would have written."""
    with store.database.writing() as connection:
        connection.execute(update(studies).where(studies.c.name == study).values(**columns))


def owned_elsewhere(store, study, *, heartbeat=timedelta(0), host="far-away", pid=4242, identity=None):
    moment = now() - heartbeat
    pretend(
        store,
        study,
        lease_owner="other",
        lease_host=host,
        lease_pid=pid,
        lease_process_started=1.0,
        lease_process=identity,
        lease_since=moment,
        lease_heartbeat=moment,
    )


@pytest.fixture
def plan(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    return plan


def start(store, plan, *trials):
    with Recorder(store, plan.name) as recorder:
        for trial in trials:
            recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))


def is_held(store, lease):
    """Whether the study is that lease's driver's in the database."""
    return store.driver_of(lease.study)[1] == lease.token


def test_a_second_lease_is_refused_and_says_who_has_the_first(store, plan, url):
    with store.lease(plan.name), Store.open(url) as second, pytest.raises(StudyBusy) as busy, second.lease(plan.name):
        pass
    message = str(busy.value)
    assert f'the study "degradation" is being run by process {os.getpid()} on {socket.gethostname()} since ' in message
    assert f"stop it with: kill {os.getpid()}" in message
    assert isinstance(busy.value, StorageError)


def test_a_lease_can_be_taken_again_after_it_was_given_back(store, plan):
    for _ in range(2):
        with store.lease(plan.name) as lease:
            assert is_held(store, lease)
        assert not is_held(store, lease)


def test_a_lease_is_given_back_when_the_study_raises(store, plan):
    with pytest.raises(ZeroDivisionError), store.lease(plan.name):
        raise ZeroDivisionError
    with store.lease(plan.name):
        pass


@pytest.mark.parametrize("raised", [None, ZeroDivisionError])
def test_a_database_that_does_not_answer_does_not_hold_up_the_end(store, plan, monkeypatch, raised):
    answered, before = Flag(), set(enumerate_threads())
    monkeypatch.setattr("orchestrator.storage.lease._ANSWER_SECONDS", 0.05)
    monkeypatch.setattr("orchestrator.storage.lease._give_back", lambda *arguments: answered.wait(30))

    def run() -> None:
        with store.lease(plan.name):
            if raised is not None:
                raise raised

    with pytest.raises(raised or StorageError, match=None if raised else "is not on record: no answer"):
        run()
    answered.set()
    for thread in set(enumerate_threads()) - before:
        thread.join(30)  # with its connection, before the store is closed


def test_two_studies_may_run_side_by_side(store, plan, make_plan):
    with store.lease(plan.name), store.lease("another"):
        pass


def test_a_lease_comes_before_the_first_plan(store, make_plan):
    with store.lease("degradation"):
        assert store.studies() == []
        store.record_plan(make_plan())
    assert [study.name for study in store.studies()] == ["degradation"]


def test_a_study_that_was_never_planned_leaves_no_trace(store, rows):
    with store.lease("degradation"):
        pass
    assert rows("SELECT name FROM studies") == rows("SELECT kind FROM events") == []


def test_a_lease_of_a_process_that_is_gone_is_taken_over(store, plan):
    owned_elsewhere(store, plan.name, host=socket.gethostname(), pid=2**22 + 1)
    with store.lease(plan.name) as lease:
        assert is_held(store, lease)


def test_a_lease_of_a_process_whose_number_was_given_out_again_is_taken_over(store, plan):
    owned_elsewhere(store, plan.name, host=socket.gethostname(), pid=os.getpid())
    with store.lease(plan.name) as lease:
        assert is_held(store, lease)


def test_a_lease_of_another_host_is_respected_while_its_heart_beats(store, plan):
    owned_elsewhere(store, plan.name, heartbeat=timedelta(seconds=80))
    remedy = r"process 4242 on far-away since .*if that host or container is gone, try again 90 seconds"
    with pytest.raises(StudyBusy, match=remedy):
        store.lease(plan.name).__enter__()


@pytest.fixture
def quick_watch(monkeypatch):
    monkeypatch.setattr("orchestrator.storage.process.WATCH_SECONDS", 0.1)
    monkeypatch.setattr("orchestrator.storage.lease._LOOK_SECONDS", 0.02)


@pytest.mark.parametrize("age", [timedelta(seconds=91), timedelta(days=-1)], ids=["old", "of tomorrow"])
def test_a_lease_of_another_host_is_taken_over_when_its_heart_stopped(store, plan, age, quick_watch):
    owned_elsewhere(store, plan.name, heartbeat=age)
    with store.lease(plan.name) as lease:
        assert is_held(store, lease)


def test_a_heart_that_beats_by_a_wrong_clock_is_respected(store, plan, monkeypatch, quick_watch):
    owned_elsewhere(store, plan.name, heartbeat=timedelta(seconds=500))
    beats = iter(range(1, 100))

    def look(seconds):
        pretend(store, plan.name, lease_heartbeat=now() - timedelta(seconds=500 - next(beats)))

    monkeypatch.setattr("orchestrator.storage.lease.time.sleep", look)
    with pytest.raises(StudyBusy):
        store.lease(plan.name).__enter__()


def test_a_process_of_another_container_with_this_name_is_not_taken_for_dead(store, plan):
    elsewhere = "some-boot pid:[4026532000] 1234"
    owned_elsewhere(store, plan.name, host=socket.gethostname(), pid=2**22 + 1, identity=elsewhere)
    with pytest.raises(StudyBusy, match="stop it there"):  # its number is that of another process here
        store.lease(plan.name).__enter__()


def test_a_clock_that_is_set_changes_nothing_for_a_process_in_sight(store, plan, url):
    with store.lease(plan.name):
        pretend(store, plan.name, lease_process_started=psutil.Process().create_time() + 3600)
        with Store.open(url) as second, pytest.raises(StudyBusy):
            second.lease(plan.name).__enter__()


def test_a_study_can_be_taken_from_whoever_has_it_and_the_old_owner_learns_of_it(store, plan, url, monkeypatch):
    monkeypatch.setattr("orchestrator.storage.lease._HEARTBEAT_SECONDS", 0.02)
    with store.lease(plan.name) as first, Store.open(url) as other, other.lease(plan.name, take_over=True) as second:
        assert is_held(store, second)
        for _ in range(200):
            if first.is_lost():
                break
            psutil.time.sleep(0.01)
        assert first.is_lost()
        assert not second.is_lost()


def test_the_heart_beats(store, plan, monkeypatch):
    monkeypatch.setattr("orchestrator.storage.lease._HEARTBEAT_SECONDS", 0.02)
    with store.lease(plan.name):
        moments = set()
        for _ in range(200):
            with store.database.reading() as connection:
                moments.add(connection.execute(select(studies.c.lease_heartbeat)).scalar_one())
            if len(moments) > 2:
                break
            psutil.time.sleep(0.01)
    assert len(moments) > 2


def test_a_taken_over_lease_is_not_given_back_by_its_old_owner(store, plan):
    with store.lease(plan.name) as lease:
        owned_elsewhere(store, plan.name)
        assert not is_held(store, lease)
    with pytest.raises(StudyBusy):
        store.lease(plan.name).__enter__()


def test_trials_of_a_dead_driver_wait_again(store, plan, rows):
    start(store, plan, *plan.trials[:2])
    with store.lease(plan.name):
        lost = store.recover(plan.name)
    assert set(lost) == {trial.id for trial in plan.trials[:2]}
    assert set(store.states(lost).values()) == {State.WAITING}
    assert {(row["ending"], row["reason"]) for row in rows("SELECT ending, reason FROM attempts")} == {
        ("lost", "the process that trained it is gone")
    }


def test_recovering_twice_finds_nothing(store, plan):
    start(store, plan, plan.trials[0])
    with store.lease(plan.name):
        store.recover(plan.name)
        assert store.recover(plan.name) == ()


def test_recovering_leaves_results_alone(store, plan):
    with Recorder(store, plan.name) as recorder:
        recorder.put(TrialEnded(plan.trials[0].id, State.COMPLETE))
    assert store.recover(plan.name) == ()


def test_an_interrupted_study_lets_its_own_trials_wait_again(store, plan):
    with store.lease(plan.name):
        start(store, plan, plan.trials[0])
        assert store.recover(plan.name) == (plan.trials[0].id,)


def test_trials_that_another_living_study_trains_are_left_alone(store, plan, make_plan, url):
    store.record_plan(make_plan(name="second"))
    with store.lease("second"):
        with Recorder(store, "second") as recorder:
            recorder.put(AttemptStarted(plan.trials[0].id, "cpu", "here", {}))
        assert store.recover(plan.name) == ()
    assert store.recover(plan.name) == (plan.trials[0].id,)


def test_an_attempt_of_a_dead_driver_ends_where_another_has_finished_the_trial(store, plan, make_plan, rows):
    store.record_plan(make_plan(name="second"))
    trial = plan.trials[0].id
    with store.lease(plan.name):
        start(store, plan, plan.trials[0])
    with store.lease("second"), Recorder(store, "second") as recorder:
        recorder.put(AttemptStarted(trial, "cpu", "here", {}))
        recorder.put(TrialEnded(trial, State.COMPLETE))
    assert store.recover(plan.name) == ()
    assert [row["ending"] for row in rows("SELECT ending FROM attempts ORDER BY number")] == ["late", "COMPLETE"]
    assert store.states([trial]) == {trial: State.COMPLETE}


def test_trials_of_a_driver_whose_clock_is_wrong_are_left_alone(store, plan, make_plan):
    store.record_plan(make_plan(name="second"))
    owned_elsewhere(store, "second", heartbeat=timedelta(days=1))
    with Recorder(store, "second") as recorder:
        recorder.put(AttemptStarted(plan.trials[0].id, "cpu", "here", {}))
    assert store.recover(plan.name) == ()


def test_an_unknown_study_has_nothing_to_recover(store):
    assert store.recover("unknown") == ()


def test_the_list_of_studies_says_which_one_runs(store, plan, make_plan):
    store.record_plan(make_plan(name="second"))
    with store.lease("second"):
        summaries = {summary.name: summary for summary in store.studies()}
    assert summaries["second"].running
    assert f"process {os.getpid()}" in summaries["second"].process
    assert not summaries["degradation"].running
    assert summaries["degradation"].process is None


def test_the_list_of_studies_counts_arms_and_states(store, plan, make_plan):
    with Recorder(store, plan.name) as recorder:
        recorder.put(TrialEnded(plan.trials[-1].id, State.COMPLETE))
    store.record_plan(make_plan(depths=(56, 110)))
    summary = store.studies()[0]
    assert (summary.arms, summary.orphaned) == (2, 1)
    assert summary.states == {State.WAITING: 3, State.COMPLETE: 1}
