"""Events that a database could not take are kept, and recorded by the next run."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import OperationalError

from orchestrator.records.causes import Cause
from orchestrator.records.events import (
    AttemptLost,
    AttemptStarted,
    EpochDone,
    Measured,
    Notice,
    ProbesEnded,
    Resumed,
    TrialEnded,
    WeightsKept,
)
from orchestrator.storage import Recorder, StorageError, Store, patience
from orchestrator.storage.errors import explain
from orchestrator.storage.spool import KINDS, read_spool, write_spool
from reports.trials import Epoch, State

VALUE = Epoch(1, float("inf"), 50.0, None, 60.0, 0.1, 2.0)


def test_every_event_comes_back_as_it_was(tmp_path):
    events = (
        AttemptStarted("t", "cpu", "here", {"torch": "2.9"}),
        Resumed("t", 3),
        EpochDone("t", VALUE),
        AttemptLost("t", "killed", Cause.NODE_LOST, log="last line"),
        TrialEnded("t", State.DIVERGED, "loss", 1.5, telemetry={"step_ms": 1.0}),
        WeightsKept("t", 1, "0a", 10, "out/weights/t.pt"),
        Measured("t", "lesion", "key", {"draws": 3}, {"rows": [], "scalars": {"one_unit": 0.5}}, 1.5),
        ProbesEnded("t", "out of memory"),
        Notice("a word"),
    )
    assert {type(event).__name__ for event in events} == set(KINDS)
    write_spool(tmp_path / "spool", "driver", events)
    spool = read_spool(tmp_path / "spool")
    assert (spool.driver, spool.events) == ("driver", events)


def test_a_spool_of_an_earlier_version_is_read(tmp_path):
    event = TrialEnded("t", State.DIVERGED, "loss", diverged_at=2, loss_before_divergence=2.3)
    write_spool(tmp_path / "spool", "driver", [event])
    text = (tmp_path / "spool").read_text()
    (tmp_path / "spool").write_text(text.replace("loss_before_divergence", "last_sound_loss"))
    assert read_spool(tmp_path / "spool").events == (event,)


def test_a_measurement_in_a_spool_of_an_earlier_version_is_read(tmp_path):
    event = Measured("t", "lesion", "key", {}, {"rows": []})
    write_spool(tmp_path / "spool", "driver", [event, Notice("after")])
    text = (tmp_path / "spool").read_text()
    (tmp_path / "spool").write_text(
        text.replace('"kind": "Measured"', '"kind": "lesion"').replace('"probe": "lesion", ', "")
    )
    assert read_spool(tmp_path / "spool").events[0] == event
    assert len(read_spool(tmp_path / "spool").events) == 2


def test_a_torn_spool_gives_what_is_whole(tmp_path):
    write_spool(tmp_path / "spool", "driver", [Notice("one"), Notice("two")])
    text = (tmp_path / "spool").read_text()
    (tmp_path / "spool").write_text(text[:-10])
    assert [event.text for event in read_spool(tmp_path / "spool").events] == ["one"]
    assert read_spool(tmp_path / "none") is None


def test_what_a_locked_database_refuses_is_recorded_by_the_next_run(tmp_path, make_plan):
    plan, path, spool = make_plan(), tmp_path / "r.db", tmp_path / "out" / "unrecorded.jsonl"
    trial = plan.trials[0].id
    with Store.open(path) as store:
        store.record_plan(plan)
        recorder = Recorder(store, plan.name, patience=0.1, spool=spool).__enter__()
        recorder.put(AttemptStarted(trial, "cpu", "here", {}))
        assert recorder.flush()
        with closing(sqlite3.connect(path, isolation_level=None)) as other, pytest.MonkeyPatch.context() as quick:
            other.execute("BEGIN IMMEDIATE")
            quick.setattr(Recorder, "_write", refusing)
            recorder.put(EpochDone(trial, VALUE))
            recorder.put(TrialEnded(trial, State.COMPLETE))
            with pytest.raises(StorageError, match=r"2 events kept in .*unrecorded\.jsonl, which the next run records"):
                recorder.close()
        assert store.states([trial]) == {trial: State.RUNNING}
        assert store.record_spool(plan.name, spool) == 2
        assert not spool.exists()
        assert store.states([trial]) == {trial: State.COMPLETE}
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT ending FROM attempts").fetchall() == [("COMPLETE",)]
        assert store.record_spool(plan.name, spool) == 0


def refusing(self, batch):
    raise OperationalError("", {}, sqlite3.OperationalError("database is locked"))


def test_a_database_that_is_locked_for_a_while_is_waited_for(monkeypatch):
    tries = []

    def call():
        tries.append(1)
        if len(tries) < 3:
            error = OperationalError("", {}, sqlite3.OperationalError("database is locked"))
            raise explain(error, "r.db") from error
        return "done"

    monkeypatch.setattr(patience.time, "sleep", lambda seconds: None)
    assert (patience.patiently(call), len(tries)) == ("done", 3)


def test_what_no_time_mends_is_told_at_once():
    def call():
        raise StorageError("there is no such study")

    with pytest.raises(StorageError, match="no such study"):
        patience.patiently(call)
