"""Clusters of several nodes on this machine: nodes that are wrong, that are killed, and that join in the middle."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from orchestrator import RunOptions, run_study
from reports.results import State
from tests.faults.test_killed import ROOT, longer, start, states, wait_for_an_epoch
from tests.integration.test_cluster import RAY, answers, numbers, wait_for

ADDRESS = "127.0.0.1:26479"
pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(290)]


class Nodes:
    """Ray nodes of one CPU each on this machine."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self, head: bool = False, environment: Mapping[str, str] | None = None) -> int:
        """Start a node and return its place in the list."""
        words = [f"--temp-dir={self._folder}", "--head", "--port=26479", "--include-dashboard=false"]
        place = words if head else [f"--address={ADDRESS}"]
        variables = {**os.environ, "PYTHONPATH": ROOT, "RAY_AUTH_MODE": "disabled", **(environment or {})}
        command = [RAY, "start", f"--num-cpus={0 if head else 1}", *place, "--block"]
        self.all.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables))
        wait_for(lambda: answers(ADDRESS))
        return len(self.all) - 1

    def kill(self, place: int) -> None:
        """Kill a node with everything that it started, as a power cut would."""
        node = psutil.Process(self.all[place].pid)
        for each in [*node.children(recursive=True), node]:
            each.kill()
        self.all[place].wait()

    def close(self) -> None:
        for place, process in enumerate(self.all):
            if process.poll() is None:
                self.kill(place)


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True))
        made = Nodes(folder)
        stack.callback(made.close)
        made.start(head=True)
        yield made


def count_nodes() -> int:
    code = (
        f"import ray; ray.init(address='{ADDRESS}', log_to_driver=False, logging_level=50); "
        "print(sum(each['Alive'] for each in ray.nodes()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return int(done.stdout or 0)


def test_a_node_with_other_code_is_left_out_and_named_and_the_others_go_on(small: Path, nodes: Nodes) -> None:
    other = small.parent / "other"
    for package in ("orchestrator", "reports", "search_spaces", "trainers"):
        shutil.copytree(Path(ROOT) / package, other / package, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "trainers" / "more.py").write_text("MORE = 1\n")
    nodes.start()
    nodes.start(environment={"PYTHONPATH": str(other)})
    wait_for(lambda: count_nodes() == 3)
    small.write_text(small.read_text() + "resources: {seeds_per_pack: 1}\n")
    driver = start(small, "--address", ADDRESS)
    output, errors = driver.communicate(timeout=250)
    assert driver.returncode == 0, errors
    (line,) = [line for line in output.splitlines() if "is left out" in line]
    assert "it imports other code from" in line
    assert states() == [State.COMPLETE] * 4
    with sqlite3.connect("results.db") as db:
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (4,)


def test_a_node_that_is_killed_is_survived_and_one_that_joins_is_used(small: Path, nodes: Nodes) -> None:
    longer(small, epochs=30, width=8)
    small.write_text(small.read_text().replace("{checkpoint_seconds: 0}", "{checkpoint_seconds: 0, seeds_per_pack: 1}"))
    first = nodes.start()
    wait_for(lambda: count_nodes() == 2)
    driver = start(small, "--address", ADDRESS)
    wait_for_an_epoch(driver)
    nodes.start()
    nodes.start()
    wait_for(lambda: running_trials() == 3)
    nodes.kill(first)
    _, errors = driver.communicate(timeout=250)
    assert driver.returncode == 0, errors
    assert states() == [State.COMPLETE] * 4
    with sqlite3.connect("results.db") as db:
        lost = db.execute("SELECT cause FROM attempts WHERE ending = 'lost'").fetchall()
    assert lost == [("node_lost",)]
    here = run_study(small, options=RunOptions(db="sqlite:///here.db", executor="inline", report=False))
    there = run_study(small, options=RunOptions(db="sqlite:///results.db", executor="inline", report=False))
    assert numbers(here.study) == numbers(there.study)


def running_trials() -> int:
    with sqlite3.connect("results.db") as db:
        return int(db.execute("SELECT count(*) FROM trials WHERE state = 'RUNNING'").fetchone()[0])


def test_the_head_that_dies_ends_the_run_with_what_is_recorded(small: Path, nodes: Nodes) -> None:
    longer(small, epochs=40, width=8)
    nodes.start()
    wait_for(lambda: count_nodes() == 2)
    driver = start(small, "--address", ADDRESS)
    wait_for_an_epoch(driver)
    began = time.monotonic()
    nodes.kill(0)
    _, errors = driver.communicate(timeout=120)
    assert time.monotonic() - began < 60
    (line,) = errors.splitlines()
    assert line.startswith("orchestrate: the head of the Ray cluster")
    assert driver.returncode == 1
    assert State.RUNNING not in states()
