"""The single writer: order, lateness, errors, listeners."""

import threading
import time

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptLost, AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, StorageError, Store
from orchestrator.storage.spool import read_spool
from reports.trials import Epoch, State


def epoch(number, test_error=60.0):
    return Epoch(number, 1.0, 50.0, 1.5, test_error, 0.1, 2.0)


def started(trial):
    return AttemptStarted(trial, "cpu", "here", {"torch": "2.9"})


@pytest.fixture
def plan(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    return plan


@pytest.fixture
def record(store, plan):
    def record(*events):
        with Recorder(store, plan.name) as recorder:
            for event in events:
                recorder.put(event)

    return record


@pytest.fixture
def trial(plan):
    return plan.trials[0].id


@pytest.fixture
def load(store, plan, trial):
    return lambda: next(each for each in store.load_study(plan.name).trials if each.id == trial)


def test_a_trial_is_recorded_from_its_start_to_its_end(record, trial, load):
    first, last = started(trial), TrialEnded(trial, State.COMPLETE, seconds=4.0, images_per_second=500.0)
    record(first, EpochDone(trial, epoch(1)), EpochDone(trial, epoch(2, 55.0)), last)
    stored = load()
    assert (stored.state, stored.test_error, stored.seconds, stored.images_per_second) == (
        State.COMPLETE,
        55.0,
        4.0,
        500.0,
    )
    assert (stored.device, stored.host, stored.attempts) == ("cpu", "here", 1)
    assert (stored.started_at, stored.finished_at) == (first.at, last.at)
    assert stored.curve == (epoch(1), epoch(2, 55.0))


def test_a_trial_runs_once_its_attempt_starts(record, trial, load):
    record(started(trial), EpochDone(trial, epoch(1)))
    assert (load().state, load().test_error) == (State.RUNNING, 60.0)


def test_divergence_is_kept_with_its_epoch_and_loss_before_divergence(record, trial, load):
    record(started(trial), TrialEnded(trial, State.DIVERGED, "loss 1e13", diverged_at=3, loss_before_divergence=2.5))
    assert (load().state, load().reason, load().diverged_at, load().loss_before_divergence) == (
        State.DIVERGED,
        "loss 1e13",
        3,
        2.5,
    )


def test_numbers_that_are_not_finite_survive(record, trial, load):
    nan, infinity = float("nan"), float("inf")
    record(started(trial), EpochDone(trial, Epoch(1, nan, 90.0, infinity, nan, 0.1, 1.0)))
    curve = load().curve[0]
    assert np.isnan(curve.train_loss)
    assert (curve.test_loss, curve.test_error) == (infinity, None)


def test_values_from_numpy_and_tuples_are_stored_as_plain_json(record, trial, rows):
    telemetry = {"a": np.float32(0.5), "b": np.arange(2), "c": (1, {"d": float("nan")}), "e": None}
    record(started(trial), TrialEnded(trial, State.COMPLETE, telemetry=telemetry))
    stored = rows(f"SELECT CAST(telemetry AS TEXT) AS t FROM trials WHERE id = '{trial}'")[0]["t"]
    assert stored == '{"a": 0.5, "b": [0, 1], "c": [1, {"d": null}], "e": null}'


def test_text_that_no_database_holds_is_mended(record, trial, load):
    record(TrialEnded(trial, State.FAILED, "half \udce9 and nul \0 end"))
    assert load().reason == "half ? and nul ? end"


def test_an_epoch_again_replaces_its_row(record, trial, load):
    record(started(trial), EpochDone(trial, epoch(1)), EpochDone(trial, epoch(1, 10.0)))
    assert load().curve == (epoch(1, 10.0),)


def test_epochs_of_a_lost_attempt_beyond_the_end_are_dropped(record, trial, load):
    record(started(trial), *(EpochDone(trial, epoch(number)) for number in (1, 2, 3)), AttemptLost(trial, "killed"))
    record(started(trial), EpochDone(trial, epoch(1, 40.0)), TrialEnded(trial, State.DIVERGED))
    assert load().curve == (epoch(1, 40.0),)
    assert load().test_error == 40.0


def test_an_attempt_that_had_nothing_left_to_train_keeps_the_curve(record, trial, load):
    record(started(trial), EpochDone(trial, epoch(1)), EpochDone(trial, epoch(2)), AttemptLost(trial, "killed"))
    record(started(trial), TrialEnded(trial, State.COMPLETE))
    assert load().curve == (epoch(1), epoch(2))


def test_a_lost_attempt_lets_the_trial_wait(record, trial, load, rows):
    record(started(trial), AttemptLost(trial, "worker died"))
    assert (load().state, load().attempts) == (State.WAITING, 1)
    assert rows("SELECT number, ending, reason FROM attempts") == [
        {"number": 1, "ending": "lost", "reason": "worker died"}
    ]


def test_lost_attempts_are_part_of_the_study_also_when_the_trial_ends_well(record, trial, store, plan):
    lost = AttemptLost(trial, "its node is gone", Cause.NODE_LOST, log="the last line")
    untold = AttemptLost(trial, "a fault", Cause.DISK, traceback="Traceback")
    record(started(trial), lost, started(trial), untold, started(trial), TrialEnded(trial, State.COMPLETE))
    read = store.load_study(plan.name).lost
    assert [(each.trial, each.cause, each.reason, each.log) for each in read] == [
        (trial, "node_lost", "its node is gone", "the last line"),
        (trial, "disk", "a fault", "Traceback"),
    ]


@pytest.mark.parametrize("state", [State.COMPLETE, State.DIVERGED])
def test_a_result_never_changes(record, trial, load, rows, state):
    record(started(trial), EpochDone(trial, epoch(1)), TrialEnded(trial, state, seconds=1.0))
    before = load()
    record(
        started(trial),
        EpochDone(trial, epoch(1, 0.0)),
        EpochDone(trial, epoch(2, 0.0)),
        TrialEnded(trial, State.FAILED, "late", seconds=9.0),
        AttemptLost(trial, "late"),
    )
    assert load() == before
    late = rows("SELECT kind FROM events WHERE NOT applied ORDER BY id")
    assert [row["kind"] for row in late] == ["AttemptStarted", "EpochDone", "EpochDone", "TrialEnded", "AttemptLost"]


def test_what_a_driver_stops_early_it_does_not_begin_again(record, trial, load):
    stopped = TrialEnded(trial, State.PRUNED, "at a rung", seconds=1.0)
    record(started(trial), EpochDone(trial, epoch(1)), stopped, started(trial), EpochDone(trial, epoch(2)))
    assert (load().state, load().attempts, load().curve) == (State.PRUNED, 1, (epoch(1),))


def test_what_one_driver_stopped_early_another_trains_to_its_end(record, trial, load, rows):
    record(started(trial), EpochDone(trial, epoch(1)), TrialEnded(trial, State.PRUNED, "at a rung", seconds=1.0))
    both = epoch(1, 50.0), epoch(2, 40.0)
    record(started(trial), *(EpochDone(trial, each) for each in both), TrialEnded(trial, State.COMPLETE, seconds=2.0))
    assert (load().state, load().reason, load().seconds, load().curve) == (State.COMPLETE, None, 2.0, both)
    assert [row["ending"] for row in rows("SELECT ending FROM attempts ORDER BY number")] == ["PRUNED", "COMPLETE"]


def test_a_search_stops_no_trial_that_another_study_is_training(store, make_plan, plan, trial, load):
    store.record_plan(make_plan(name="search"))
    with Recorder(store, plan.name) as mine, Recorder(store, "search") as other:
        for recorder in (mine, other):
            recorder.put(started(trial))
            assert recorder.flush(timeout=10)
        mine.put(EpochDone(trial, epoch(1)))
        assert mine.flush(timeout=10)
        other.put(TrialEnded(trial, State.PRUNED, "at a rung"))
        assert other.flush(timeout=10)
        assert load().state is State.RUNNING
        mine.put(EpochDone(trial, epoch(2)))
        mine.put(TrialEnded(trial, State.COMPLETE))
    assert (load().state, load().curve) == (State.COMPLETE, (epoch(1), epoch(2)))


def test_a_failed_trial_may_be_tried_again(record, trial, load):
    record(started(trial), TrialEnded(trial, State.FAILED, "out of memory"))
    record(started(trial), EpochDone(trial, epoch(1)), TrialEnded(trial, State.COMPLETE))
    assert (load().state, load().reason, load().attempts) == (State.COMPLETE, None, 2)


def test_each_trial_has_one_finished_attempt(record, trial, rows):
    record(started(trial), AttemptLost(trial, "killed"), started(trial), started(trial))
    record(TrialEnded(trial, State.COMPLETE))
    record(started(trial), TrialEnded(trial, State.COMPLETE), TrialEnded(trial, State.COMPLETE))
    endings = [row["ending"] for row in rows("SELECT ending FROM attempts ORDER BY number")]
    assert endings[:2] == ["lost", "lost"]
    assert endings.count("COMPLETE") <= 1


def test_the_environment_is_kept_once(record, plan, store):
    record(*(started(trial.id) for trial in plan.trials))
    study = store.load_study(plan.name)
    assert [(each.host, each.facts) for each in study.environments] == [("here", {"torch": "2.9"})]
    assert {trial.environment for trial in study.trials} == {study.environments[0].id}


def test_listeners_hear_of_events_that_are_already_in_the_database(store, plan, trial):
    seen = []
    with Recorder(store, plan.name, [lambda event: seen.append(store.states([trial])[trial])]) as recorder:
        recorder.put(started(trial))
        assert recorder.flush(timeout=10)
    assert seen == [State.RUNNING]


def test_listeners_hear_nothing_of_late_events(store, plan, trial):
    heard = []
    with Recorder(store, plan.name, [heard.append]) as recorder:
        recorder.put(TrialEnded(trial, State.COMPLETE))
        recorder.put(TrialEnded(trial, State.FAILED))
    assert [event.state for event in heard] == [State.COMPLETE]


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, KeyboardInterrupt])
def test_a_listener_that_raises_anything_is_told_no_more_and_stops_no_recorder(store, plan, trial, caplog, error):
    calls, heard = [], []

    def broken(event):
        calls.append(event)
        raise error

    with Recorder(store, plan.name, [broken, heard.append]) as recorder:
        recorder.put(started(trial))
        assert recorder.flush(timeout=20)
        recorder.put(TrialEnded(trial, State.COMPLETE))
    assert store.states([trial]) == {trial: State.COMPLETE}
    assert (len(calls), len(heard)) == (1, 2)
    assert "a listener failed" in caplog.text


def test_a_listener_that_never_returns_does_not_hold_up_the_end(store, plan, trial, load):
    let_go, told = threading.Event(), threading.Event()
    recorder = Recorder(store, plan.name, listeners=[lambda _: told.set() or let_go.wait()], patience=0.1)
    recorder.put(started(trial))
    try:
        with pytest.raises(StorageError, match=r"recording did not end: .* did not answer for 0.2 s"), recorder:
            assert told.wait(20)  # so that the event is on record, however slow the machine is
        assert load().attempts == 1
    finally:
        let_go.set()


def test_a_listener_that_takes_its_time_is_waited_for(store, plan, trial):
    told = []

    def slow(event):
        time.sleep(0.6)
        told.append(event)

    with Recorder(store, plan.name, listeners=[slow], patience=1) as recorder:
        for number in range(1, 5):
            recorder.put(EpochDone(trial, epoch(number)))
    assert len(told) == 4


def test_a_recorder_whose_thread_ends_says_so_to_whoever_waits(store, plan, trial, monkeypatch, caplog):
    def end(*_):
        raise SystemExit("out of luck")

    monkeypatch.setattr("orchestrator.storage.recorder.record", end)
    recorder = Recorder(store, plan.name).__enter__()
    recorder.put(started(trial))
    began = time.monotonic()
    assert recorder.flush() is False
    assert recorder.flush(timeout=30) is False
    assert time.monotonic() - began < 25
    assert "SystemExit: out of luck" in str(recorder.problem)
    with pytest.raises(StorageError, match="recording ended"):
        recorder.close()


def test_a_wrong_event_spoils_no_other_and_is_raised_at_the_end(store, plan, trial):
    recorder = Recorder(store, plan.name).__enter__()
    recorder.put(started(trial))
    recorder.put(EpochDone("stranger", epoch(1)))
    recorder.put(TrialEnded(trial, State.RUNNING))
    recorder.put(TrialEnded(trial, State.COMPLETE, telemetry={"x": object()}))
    recorder.put(TrialEnded(trial, State.COMPLETE))
    with pytest.raises(StorageError, match="there is no trial stranger in the plan of any study"):
        recorder.close()
    assert store.states([trial]) == {trial: State.COMPLETE}


@pytest.mark.parametrize(
    ("said", "told"),
    [("database disk image is malformed", "is damaged"), ("permission denied for table trials", "reports an error")],
)
def test_a_database_that_breaks_loses_no_event_and_is_told_in_one_sentence(
    store, plan, trial, tmp_path, monkeypatch, caplog, said, told
):
    def fail(*_):
        raise DatabaseError("UPDATE trials", {"the_trial": trial}, Exception(said))

    spool = tmp_path / "unrecorded.jsonl"
    recorder = Recorder(store, plan.name, spool=spool).__enter__()
    events = (started(trial), TrialEnded(trial, State.COMPLETE))
    with monkeypatch.context() as patch:
        patch.setattr("orchestrator.storage.recorder.record", fail)
        for event in events:
            recorder.put(event)
        with pytest.raises(StorageError, match=f"2 events could not be recorded: .*{told}.*2 events kept in "):
            recorder.close()
    assert not caplog.records
    assert read_spool(spool).events == events


def test_an_error_of_the_study_is_not_hidden_by_one_of_the_recorder(store, plan):
    def study():
        with Recorder(store, plan.name) as recorder:
            recorder.put(EpochDone("stranger", epoch(1)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        study()
    assert "stranger" in caught.value.__notes__[0]


def test_events_from_many_threads_are_all_recorded(store, plan):
    def train(trial):
        recorder.put(started(trial))
        for number in range(1, 21):
            recorder.put(EpochDone(trial, epoch(number)))
        recorder.put(TrialEnded(trial, State.COMPLETE))

    with Recorder(store, plan.name) as recorder:
        threads = [threading.Thread(target=train, args=(trial.id,)) for trial in plan.trials]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {len(trial.curve) for trial in store.load_study(plan.name).trials} == {20}


def test_a_study_without_a_plan_has_no_recorder(store):
    with pytest.raises(StorageError, match='"unplanned" has no plan yet'), Recorder(store, "unplanned"):
        pass


def test_an_event_after_the_end_is_logged(store, plan, trial, caplog):
    with Recorder(store, plan.name) as recorder:
        pass
    recorder.put(started(trial))
    assert "after the recorder was closed" in caplog.text


class Blocked:
    """Another writer that holds SQLite's lock, and a store that waits only a moment for it."""

    def __init__(self, path, monkeypatch):
        monkeypatch.setattr("orchestrator.storage.database.BUSY_SECONDS", 0.02)
        self.store = Store.open(path)
        self.other = Store.open(path)

    def __enter__(self):
        self.transaction = self.other.database.writing_raw()
        self.transaction.__enter__().execute(text("UPDATE studies SET question = question"))
        return self.store

    def __exit__(self, *error):
        self.transaction.__exit__(None, None, None)
        self.other.close()
        self.store.close()


def test_put_does_not_wait_for_a_locked_database(tmp_path, monkeypatch, make_plan):
    with Store.open(tmp_path / "r.db") as first:
        first.record_plan(make_plan())
    trial = make_plan().trials[0].id
    with Blocked(tmp_path / "r.db", monkeypatch) as store:
        recorder = Recorder(store, "degradation", patience=1).__enter__()
        before = time.monotonic()
        for _ in range(1000):
            recorder.put(started(trial))
        assert time.monotonic() - before < 10  # waiting 1 s for each would take 1,000
        with pytest.raises(StorageError, match="is locked by another program: close what else writes to it"):
            recorder.close()


def test_events_are_recorded_once_a_lock_is_gone(tmp_path, monkeypatch, make_plan):
    with Store.open(tmp_path / "r.db") as first:
        first.record_plan(make_plan())
    trial = make_plan().trials[0].id
    blocked = Blocked(tmp_path / "r.db", monkeypatch)
    store = blocked.__enter__()
    recorder = Recorder(store, "degradation", patience=1).__enter__()
    recorder.put(started(trial))
    recorder.flush(10)
    assert "an event could not be recorded" in str(recorder.problem)
    blocked.transaction.__exit__(None, None, None)
    recorder.put(TrialEnded(trial, State.COMPLETE))
    recorder.close()
    assert recorder.problem is None
    assert store.states([trial]) == {trial: State.COMPLETE}
    blocked.other.close()
    store.close()
