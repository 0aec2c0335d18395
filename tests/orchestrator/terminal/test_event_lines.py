"""A run as JSON lines: the command prints nothing else, and its lines tell the run from begin to end."""

import json
import sys
import time
from pathlib import Path
from threading import Event as Flag
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.records.events import EpochDone, Measured
from orchestrator.scheduling.progress import Progress
from orchestrator.storage import PlanOutcome
from orchestrator.terminal import event_lines
from orchestrator.terminal.event_lines import log_run
from reports.trials import Epoch
from tests.orchestrator.running.test_notification import STUDY


def test_a_run_is_told_in_json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    Path("told.yaml").write_text(STUDY)
    words = ["run", "told.yaml", "--executor", "inline", "--log-format", "json", "--notify", "true secret"]
    monkeypatch.setattr(sys, "argv", ["orchestrate", *words])
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [each["kind"] for each in lines]
    assert (kinds[0], kinds[-1]) == ("RunStarted", "RunEnded")
    assert [kinds.count(each) for each in ("AttemptStarted", "EpochDone", "TrialEnded")] == [4, 4, 4]
    ended = next(each for each in lines if each["kind"] == "TrialEnded")
    assert (ended["study"], ended["arm"], ended["state"]) == ("told", "width=8", "COMPLETE")  # the dearest first
    assert lines[-1]["verdicts"][0]["claim"] == "wider"
    assert "secret" not in Path("out/told/index.html").read_text()
    watched = CliRunner().invoke(app, ["status", "--watch", "0.5"])  # nothing runs: it ends at once
    assert (watched.exit_code, watched.stdout.count("told")) == (0, 1)


def test_a_line_is_json_whatever_was_measured() -> None:
    written: list[str] = []
    plan = SimpleNamespace(name="told", arms=(), notes=())
    epoch = Epoch(1, float("inf"), 50.0, None, 60.0, 0.1, 2.0)
    with log_run(written.append)(Progress(), plan, PlanOutcome(*[()] * 6)) as listen:
        listen(EpochDone("t", epoch))
        listen(Measured("t", "lesion", "key", {}, {"rows": []}))
    _, done, measured = (json.loads(line, parse_constant=pytest.fail) for line in written)
    assert (done["kind"], done["epoch"]["train_loss"], done["epoch"]["test_error"]) == ("EpochDone", None, 60.0)
    assert (measured["kind"], measured["probe"]) == ("Measured", "lesion")


def test_a_program_that_does_not_read_keeps_no_result_from_being_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_lines, "READER_SECONDS", 0.05)
    reads, asked = Flag(), Flag()

    def stuck(line: str) -> None:
        asked.set()
        reads.wait(30)

    plan = SimpleNamespace(name="told", arms=(), notes=())
    began = time.monotonic()
    with log_run(stuck)(Progress(), plan, PlanOutcome(*[()] * 6)) as listen:
        for number in range(3):
            listen(EpochDone("t", Epoch(number, 1.0, 50.0, None, 60.0, 0.1, 2.0)))
        assert asked.wait(10)
    assert time.monotonic() - began < 15
    reads.set()
