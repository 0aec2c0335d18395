"""A PostgreSQL that does not answer is given up, with one message."""

import time
from types import SimpleNamespace

import pytest

from orchestrator.storage import StorageError, Store, server_connection
from orchestrator.storage.errors import is_transient
from orchestrator.storage.queries import query
from orchestrator.storage.server_connection import ServerConnection, _limited
from tests.orchestrator.storage.conftest import on_a_server, plan_of


def test_what_never_gets_ready_is_given_up_at_its_moment(monkeypatch):
    def waiting():
        while True:
            yield "read"

    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(server_connection, "time", clock)
    limited = _limited(waiting(), 300.0)
    assert next(limited) == "read"
    clock.now = 299.9
    assert limited.send(0) == "read"
    clock.now = 300.1
    with pytest.raises(TimeoutError):
        limited.send(0)


def test_an_answer_that_is_there_is_taken_however_late():
    def waiting():
        ready = yield "read"
        return f"row, {ready}"

    limited = _limited(waiting(), time.monotonic() - 1)
    next(limited)
    with pytest.raises(StopIteration) as end:
        limited.send(1)
    assert end.value.value == "row, 1"


@on_a_server
def test_a_statement_without_an_answer_is_an_outage_and_the_next_one_gets_another_connection(url, monkeypatch):
    with Store.open(url) as store:
        began = time.monotonic()
        refused = pytest.raises(StorageError, match=r"cannot be reached \(the connection had no answer for 0.3 s")
        with monkeypatch.context() as patch, refused as raised, store.database.writing() as connection:
            patch.setattr(ServerConnection, "answer_seconds", 0.3)
            connection.exec_driver_sql("SELECT pg_sleep(20)")
        assert time.monotonic() - began < 5
        assert is_transient(raised.value.__cause__)
        store.record_plan(plan_of())
        assert len(store.load_study("degradation").trials) == 4


@on_a_server
def test_a_query_of_the_users_own_may_take_longer(url, monkeypatch):
    with Store.open(url) as store:
        store.record_plan(plan_of())
    monkeypatch.setattr(ServerConnection, "answer_seconds", 1.0)
    assert len(query(url, "SELECT pg_sleep(1.5)")) == 1
