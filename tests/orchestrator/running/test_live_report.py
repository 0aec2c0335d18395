"""While a study runs its page is written again and again; afterwards it is the page of a run without that."""

import json
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator import RunOptions, run_study
from orchestrator.running import live_report
from tests.orchestrator.running.test_notification import STUDY

WAITING = """
import pathlib
import time
from torch import nn

class Waits(nn.Module):
    def forward(self, x):
        if self.training and pathlib.Path("results.db").exists():  # what is planned runs the network, too
            page = pathlib.Path("out/told/index.html")
            while not (page.exists() and "data-live" in page.read_text()):
                time.sleep(0.05)
        return x

def build(*, width, input_shape, num_classes):
    return nn.Sequential(Waits(), nn.Flatten(), nn.Linear(64, width), nn.Linear(width, num_classes))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    monkeypatch.setattr(live_report, "SECONDS", 0.05)


def test_the_page_is_there_during_the_run_and_the_last_one_is_as_without() -> None:
    Path("waiting.py").write_text(WAITING)
    Path("told.yaml").write_text(STUDY.replace("{depth: 8, width: 4}", '{family: "waiting:build", width: 4}'))
    result = run_study("told.yaml", options=RunOptions(executor="inline"))
    assert result.report is not None
    page, data = result.report.read_text(), json.loads(result.report.with_name("study.json").read_text())
    assert "data-live" not in page.partition("<main")[0]
    assert data["changes"]["since"] is None
    run_study("told.yaml", options=RunOptions(executor="inline"))
    assert result.report.read_text() == page


def test_a_page_that_cannot_be_written_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def refused(results: object, folder: Path, *words: object, **more: object) -> None:
        asked.set()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text("data-live")  # what the training waits for
        raise OSError("read-only")

    monkeypatch.setattr(live_report, "write_report", refused)
    Path("waiting.py").write_text(WAITING)
    Path("told.yaml").write_text(STUDY.replace("{depth: 8, width: 4}", '{family: "waiting:build", width: 4}'))
    with live_report.live_report("sqlite:///results.db", "told", Path("out")):
        assert asked.wait(0.5) is False  # there is no study yet
    result = run_study("told.yaml", options=RunOptions(executor="inline"))
    assert [each.state for each in result.trials] == ["COMPLETE"] * 4
    assert asked.is_set()


def test_a_page_that_comes_too_late_is_left_to_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, written = threading.Event(), []

    def judged(study: object) -> tuple[()]:
        ended.set()
        return ()

    store = SimpleNamespace(load_study=lambda name: None)
    monkeypatch.setattr(live_report.Store, "open", lambda url, read_only: nullcontext(store))
    monkeypatch.setattr(live_report, "judge_study", judged)
    monkeypatch.setattr(live_report, "write_report", lambda *words, **more: written.append(words))
    live_report._write_until(ended, "sqlite:///results.db", "told", Path("out"))
    assert ended.is_set()
    assert written == []
