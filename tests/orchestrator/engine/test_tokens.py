"""What is told of an address where no Ray cluster answers."""

import threading
from types import SimpleNamespace

import pytest

from orchestrator.engine import tokens
from orchestrator.errors import UserError


def test_an_address_where_something_listens_and_never_answers_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()
    monkeypatch.setattr(tokens, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(tokens, "_raylet", lambda: SimpleNamespace(GcsClient=lambda address: may_end.wait()))
    with pytest.raises(UserError, match="does not answer as a Ray cluster does"):
        tokens.authenticated("127.0.0.1:1").__enter__()
    may_end.set()
