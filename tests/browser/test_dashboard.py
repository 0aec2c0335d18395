"""optuna-dashboard opens what a search leaves behind, finished or killed, and shows no trial that runs."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = str(Path(__file__).parents[2])
DASHBOARD = Path(sys.executable).with_name("optuna-dashboard")
SEARCH = """\
study: hunt
data: digits
network: {family: resnet_cifar, depth: 8, width: 4}
factors:
  shortcut: [identity, none, {op: scale}]
  width: {low: 1, high: 6}
design: search
search: {arms: 5, confirm: {best: 1, seeds: 1}}
training: {recipe: quick, epochs: 1}
"""


@pytest.fixture
def hunt(tmp_path: Path) -> Path:
    (tmp_path / "hunt.yaml").write_text(SEARCH)
    return tmp_path


@pytest.fixture
def dashboard(hunt: Path) -> Iterator[Callable[[], str]]:
    """Return what starts the real server on the search's file and gives its address."""
    started: list[subprocess.Popen[bytes]] = []

    def serve() -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        file = hunt / "out/hunt/optuna.db"
        words = [str(DASHBOARD), "--port", str(port), "--quiet", f"sqlite:///{file}"]
        started.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while True:
            try:
                urlopen(f"{address}/api/meta", timeout=5).close()
                return address
            except (URLError, ConnectionError):
                assert time.monotonic() < until, "the dashboard does not start"
                time.sleep(0.2)

    yield serve
    for process in started:
        process.terminate()
        process.wait(timeout=30)


def search(folder: Path) -> subprocess.Popen[str]:
    code = "from orchestrator.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", "hunt.yaml", "--executor", "inline", "--no-report"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ROOT, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def asked(url: str) -> Any:
    with urlopen(url, timeout=30) as answer:
        return json.load(answer)


def states(address: str) -> list[str]:
    """Return the states that the dashboard tells of every trial of its only study."""
    (summary,) = asked(f"{address}/api/studies")["study_summaries"]
    assert summary["study_name"].startswith("hunt search")
    study = asked(f"{address}/api/studies/{summary['study_id']}")
    asked(f"{address}/api/studies/{summary['study_id']}/param_importances")
    assert study["objective_names"] == ["val_error"]
    return [trial["state"] for trial in study["trials"]]


def test_a_finished_search_is_shown_with_every_trial_complete(hunt: Path, dashboard, browser) -> None:
    with search(hunt) as process:
        process.communicate(timeout=200)
    assert process.returncode == 0
    address = dashboard()
    found = states(address)
    assert found.count("Complete") >= 5
    assert set(found) <= {"Complete", "Pruned", "Fail"}
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/dashboard/")
    page.get_by_text(re.compile("hunt search")).first.click()
    page.get_by_role("heading", name="Hyperparameter Importance").wait_for()
    page.locator(".plot-container .point").first.wait_for(state="attached")
    page.goto(f"{address}/dashboard/studies/1/trials")
    page.get_by_text(re.compile(r"^Trial 0\b")).first.wait_for()
    assert page.get_by_text("Running", exact=True).count() == 0
    assert page.get_by_text("Complete", exact=True).count() > 0
    assert errors == []
    page.close()


@pytest.mark.fault
def test_a_killed_search_is_shown_with_no_trial_running(hunt: Path, dashboard) -> None:
    (hunt / "hunt.yaml").write_text(SEARCH.replace("arms: 5", "arms: 18").replace("epochs: 1", "epochs: 3"))
    with search(hunt) as process:
        assert process.stdout is not None
        ended = 0
        while ended < 3:
            ended += process.stdout.readline().startswith("[")
        time.sleep(0.3)  # in the middle of the next arm
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    found = states(dashboard())
    assert 3 <= len(found) < 18
    assert set(found) <= {"Complete", "Pruned", "Fail"}
