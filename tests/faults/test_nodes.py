"""Clusters of several nodes on this machine: nodes that are wrong, that are killed, and that join in the middle."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator import run_study
from reports.trials import State
from tests.faults.held import hold, let_go
from tests.faults.nodes import ADDRESS, OF_NODES, Nodes, cluster_of_nodes
from tests.faults.test_killed import HERE, IMPATIENT, ROOT, start, states, wait_for_an_epoch
from tests.integration.test_cluster import numbers, wait_for

pytestmark = OF_NODES

DATA = """
import os
import pathlib
import time

import numpy

REFUSED = pathlib.Path(__file__).with_name("refused")


def load():
    if os.environ.get("DATA_HERE") == "no":
        REFUSED.touch()
        raise FileNotFoundError("the folder of the data is not mounted here")
    while os.environ.get("DATA_HERE") == "yes" and not REFUSED.exists():  # or this node may train all before the other
        time.sleep(0.05)
    draw = numpy.random.default_rng(1)
    return tuple((draw.random((60, 1, 8, 8), "float32"), numpy.arange(60) % 3) for _ in range(2))
"""


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with cluster_of_nodes() as made:
        yield made


def test_a_node_with_other_code_is_left_out_and_named_and_the_others_go_on(small: Path, nodes: Nodes) -> None:
    other = small.parent / "other"
    for package in ("orchestrator", "reports", "search_spaces", "trainers"):
        shutil.copytree(Path(ROOT) / package, other / package, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "trainers" / "more.py").write_text("MORE = 1\n")
    nodes.start()
    nodes.start(environment={"PYTHONPATH": str(other)})
    hold(small, seeds_per_pack=1)  # or the first node may train all before the other is tried
    driver = start(small, "--address", ADDRESS)
    assert driver.stdout is not None
    told = next((line for line in driver.stdout if "is left out" in line), "")
    assert "it imports other code from" in told
    let_go(small)
    _, errors = driver.communicate(timeout=250)
    assert driver.returncode == 0, errors
    assert states() == [State.COMPLETE] * 4
    with sqlite3.connect("results.db") as db:
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (4,)


def test_a_node_that_is_killed_is_survived_and_one_that_joins_is_used(small: Path, nodes: Nodes) -> None:
    hold(small, seeds_per_pack=1)
    first = nodes.start()
    driver = start(small, "--address", ADDRESS)
    wait_for_an_epoch(driver)
    nodes.start()
    nodes.start()
    wait_for(lambda: running_trials() == 3)
    nodes.kill(first)
    wait_for(lambda: causes() == ["node_lost"])
    let_go(small)
    _, errors = driver.communicate(timeout=250)
    assert driver.returncode == 0, errors
    assert states() == [State.COMPLETE] * 4
    assert causes() == ["node_lost"]
    here = run_study(small, options=replace(HERE, db="sqlite:///here.db"))
    there = run_study(small, options=HERE)
    assert numbers(here.study) == numbers(there.study)


def test_a_node_without_the_data_is_avoided_and_its_trials_are_trained_elsewhere(small: Path, nodes: Nodes) -> None:
    small.with_name("somewhere.py").write_text(DATA)
    resources = "resources: {seeds_per_pack: 1}\n"
    small.write_text(small.read_text().replace("data: digits", 'data: "somewhere:load"') + resources)
    nodes.start(environment={"DATA_HERE": "no"})
    nodes.start(environment={"DATA_HERE": "yes"})
    driver = start(small, "--address", ADDRESS)
    output, errors = driver.communicate(timeout=250)
    assert driver.returncode == 0, errors
    assert "cannot read the data, so others are preferred: somewhere:load cannot read its data" in " ".join(
        output.split()
    )
    assert states() == [State.COMPLETE] * 4
    assert set(causes()) == {"data"}


def test_an_error_in_the_code_after_a_node_was_killed_ends_each_trial_at_once(small: Path, nodes: Nodes) -> None:
    hold(small, seeds_per_pack=1)
    code = small.with_name("held.py")
    after_the_wait = "        return super().forward(x)"
    raising = f"            if GO_ON.exists():\n                raise ValueError('broken')\n{after_the_wait}"
    code.write_text(code.read_text().replace(after_the_wait, raising))
    first = nodes.start()
    driver = start(small, "--address", ADDRESS)
    wait_for_an_epoch(driver)
    nodes.start()
    nodes.kill(first)
    wait_for(lambda: causes() == ["node_lost"])
    let_go(small)
    _, errors = driver.communicate(timeout=250)
    assert driver.returncode == 1, errors
    assert "Traceback" not in errors
    assert states() == [State.FAILED] * 4
    assert causes() == ["node_lost"]
    with sqlite3.connect("results.db") as db:
        failed = db.execute("SELECT count(*) FROM attempts WHERE cause = 'code' GROUP BY trial").fetchall()
    assert failed == [(1,)] * 4


def causes() -> list[str]:
    with sqlite3.connect("results.db") as db:
        return [row[0] for row in db.execute("SELECT cause FROM attempts WHERE ending = 'lost'")]


def running_trials() -> int:
    """Return how many trials are in training; 0 also before the driver has made its tables."""
    with sqlite3.connect("results.db") as db, suppress(sqlite3.OperationalError):
        return int(db.execute("SELECT count(*) FROM trials WHERE state = 'RUNNING'").fetchone()[0])
    return 0


def test_the_head_that_dies_ends_the_run_with_what_is_recorded(small: Path, nodes: Nodes) -> None:
    hold(small, max_concurrent=1)
    nodes.start()
    driver = start(small, "--address", ADDRESS, program=IMPATIENT)
    wait_for_an_epoch(driver)
    nodes.kill(0)
    _, errors = driver.communicate(timeout=100)
    assert errors.startswith("orchestrate: the head of the Ray cluster")
    assert errors.count("\n") == 1, errors
    assert driver.returncode == 1
    assert State.RUNNING not in states()
