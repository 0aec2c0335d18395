"""Who is told of what: a URL by a POST, a command on its input; and a run that goes on whoever cannot be told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator import RunOptions, run_study
from orchestrator.errors import UserError
from orchestrator.records.causes import Cause
from orchestrator.records.events import Notice, TrialEnded
from orchestrator.running.notification import MOST_FAILURES, Notifier, check_target, notifying
from reports.trials import State

STUDY = """\
study: told
data: {name: synthetic, train_size: 64, test_size: 32, shape: [1, 8, 8], classes: 4}
network: {depth: 8, width: 4}
factors: {width: [4, 8]}
training: {epochs: 1, batch_size: 16}
seeds: 2
claims: [{id: wider, says: width=8 < width=4}]
"""


@pytest.fixture
def posts() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return the address of a server, and what was posted to it."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_run_tells_its_verdicts_and_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, posts: tuple[str, list[dict[str, Any]]]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    Path("told.yaml").write_text(STUDY)
    url, taken = posts
    options = RunOptions(executor="inline", report=False, notify=url)
    assert run_study("told.yaml", options=options).untold is None
    assert [each["event"] for each in taken] == ["verdict", "ended"]
    assert taken[0]["text"] == "told: wider: Inconclusive"
    assert taken[1] == {
        "event": "ended", "study": "told", "text": "told: the run is done: 4 complete", "states": {"COMPLETE": 4},
        "report": None,
    }  # fmt: skip
    run_study("told.yaml", options=options)
    assert [each["event"] for each in taken[2:]] == ["ended"]


def test_a_failed_trial_is_told_and_a_flood_of_them_is_not(posts: tuple[str, list[dict[str, Any]]]) -> None:
    url, taken = posts
    notifier = Notifier(url, "s")
    notifier(Notice("a node left"))
    notifier(TrialEnded("t", State.COMPLETE))
    for number in range(MOST_FAILURES + 5):
        notifier(TrialEnded(f"t{number}", State.FAILED, "no memory", cause=Cause.OOM))
    notifier.ended("the run is done", {"FAILED": MOST_FAILURES + 5}, None)
    assert [each["event"] for each in taken] == ["failed"] * MOST_FAILURES + ["ended"]
    assert (taken[0]["trial"], taken[0]["cause"], taken[0]["reason"]) == ("t0", "oom", "no memory")


def test_a_command_gets_the_message_as_json_and_in_its_environment(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    notifier = Notifier(f"cat >> {heard}; echo $ORCHESTRATE_EVENT $ORCHESTRATE_STUDY >> {heard}", "s")
    notifier.verdicts([{"claim": "c", "verdict": "Inconclusive"}], [{"claim": "c", "verdict": "Supported"}])
    notifier.ended("the run is done", {}, None)
    first, words, *_ = heard.read_text().splitlines()
    assert json.loads(first)["text"] == "s: c: Supported (before: Inconclusive)"
    assert words == "verdict s"
    assert notifier.problem is None


@pytest.mark.parametrize(
    ("target", "problem"),
    [("http://127.0.0.1:9/", "refused"), ("echo no >&2; exit 3", "the command ended with 3: no")],
)
def test_who_cannot_be_told_is_named_and_nothing_else_happens(target: str, problem: str) -> None:
    notifier = Notifier(target, "s")
    notifier.ended("the run is done", {}, None)
    assert notifier.problem is not None
    assert problem in notifier.problem


@pytest.mark.parametrize("target", ["", "  ", "ftp://host/x", "nosuchcommand --at all", "echo 'unfinished"])
def test_a_target_that_is_neither_url_nor_command_is_refused_before_the_run(target: str) -> None:
    with pytest.raises(UserError, match="--notify: "):
        check_target(target)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://", "it names no host"),
        ("https://:80/x", "it names no host"),
        ("http://host:99999/x", "Port out of range 0-65535"),
        ("http://host:0/x", "its port is 0"),
        ("http://host:web/x", "Port could not be cast to integer value as 'web'"),
        ("http://[::1/x", "Invalid IPv6 URL"),
        ("http://host/a b", "write ' ' as %20"),
        ("http://host/ü", "write 'ü' as %C3%BC"),
        ("http://bücher.example/x", "write the host 'bücher.example' in its ASCII form, xn--…"),
    ],
)
def test_a_url_that_nobody_can_ask_is_refused_before_the_run(url: str, problem: str) -> None:
    with pytest.raises(UserError) as caught:
        check_target(url)
    assert str(caught.value) == f"--notify: the URL cannot be asked: {problem}"


@pytest.mark.parametrize("target", ["https://host:8080/a?b=%20#c", "WORD=1 cat", "cd / && cat", "http://[::1]/x"])
def test_a_target_that_can_be_told_is_taken(target: str) -> None:
    check_target(target)


def test_an_error_that_ends_the_run_is_told(posts: tuple[str, list[dict[str, Any]]]) -> None:
    url, taken = posts
    with pytest.raises(UserError), notifying(url, "s"):
        raise UserError("the disk is full")
    assert [each["text"] for each in taken] == ["s: the run ended with an error: the disk is full"]
