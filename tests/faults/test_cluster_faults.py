"""Ray's own processes die, and workers stop or hang: the run notices, says so once, and the next one continues."""

import os
import signal
import sqlite3
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from orchestrator import run_study
from reports.trials import State
from tests.faults.held import hold, let_go
from tests.faults.test_killed import HERE, IMPATIENT, is_worker, start, states, wait_for_an_epoch
from tests.integration.test_cluster import numbers

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(590)]

HANGING = """
import pathlib, time
from torch import nn

class Waits(nn.Module):
    def forward(self, x):
        mark = pathlib.Path(__file__).with_name("hung")
        if not mark.exists():
            mark.touch()
            time.sleep(1000)
        return x

def build(*, input_shape, num_classes):
    return nn.Sequential(nn.Flatten(), Waits(), nn.Linear(64, num_classes))
"""


def processes(driver: "subprocess.Popen[str]", name: str) -> list[psutil.Process]:
    return [each for each in psutil.Process(driver.pid).children(recursive=True) if each.name() == name]


def finished(driver: "subprocess.Popen[str]", within: float) -> tuple[int, str, str]:
    output, errors = driver.communicate(timeout=within)
    assert "Traceback" not in errors
    return driver.returncode, output, errors


def causes() -> list[tuple[str, str]]:
    with sqlite3.connect("results.db") as db:
        return db.execute("SELECT ending, cause FROM attempts WHERE cause IS NOT NULL").fetchall()


@pytest.mark.parametrize(
    ("name", "message"), [("raylet", "Ray's node process (raylet) on this machine"), ("gcs_server", "the head of the")]
)
def test_the_death_of_rays_processes_ends_the_run_with_one_message(small: Path, name: str, message: str) -> None:
    hold(small, max_concurrent=1)
    driver = start(small, program=IMPATIENT)
    wait_for_an_epoch(driver)
    processes(driver, name)[0].kill()
    code, output, errors = finished(driver, within=100)
    assert errors.startswith(f"orchestrate: {message}")
    assert errors.count("\n") == 1, errors
    assert "(raylet) " not in output.replace("(raylet) on this machine", "")  # how Ray marks its own lines
    assert code == 1
    assert set(states()) <= {State.WAITING, State.COMPLETE}
    assert ("lost", "node_lost") in causes()
    let_go(small)
    undisturbed = run_study(small, options=replace(HERE, db="sqlite:///undisturbed.db")).study
    assert numbers(run_study(small, options=HERE).study) == numbers(undisturbed)
    assert states() == [State.COMPLETE] * 4


def test_a_worker_that_is_stopped_is_ended_and_its_trial_tried_again(small: Path) -> None:
    hold(small, max_concurrent=1)  # a second worker may still be starting, and the first one would train its trials
    driver = start(small, program=IMPATIENT)
    wait_for_an_epoch(driver)
    worker = next(each for each in psutil.Process(driver.pid).children(recursive=True) if is_worker(each))
    worker.send_signal(signal.SIGSTOP)
    let_go(small)
    code, output, _ = finished(driver, within=250)
    assert code == 0
    assert "the worker gave no sign for 20 s and was ended" in output
    assert ("lost", "worker_lost") in causes()
    assert states() == [State.COMPLETE] * 4


def test_a_trial_that_hangs_is_ended_for_its_timeout_and_tried_again(small: Path) -> None:
    (small.parent / "hanging.py").write_text(HANGING)
    text = small.read_text().partition("network:")[0]
    small.write_text(
        text + 'network: {family: "hanging:build"}\ntraining: {recipe: quick, epochs: 2}\nseeds: 2\n'
        "resources: {timeout: 15, seeds_per_pack: 1}\n"
    )
    (small.parent / "hung").touch()  # what is planned runs the network, too
    driver = start(small)
    until = time.monotonic() + 60
    while not processes(driver, "raylet") and time.monotonic() < until:
        time.sleep(0.1)
    os.unlink(small.parent / "hung")
    code, output, _ = finished(driver, within=200)
    assert code == 0
    assert "no news for 15 s (resources.timeout)" in output
    assert ("lost", "timeout") in causes()
    assert states() == [State.COMPLETE] * 2


def test_a_closed_terminal_ends_the_run_like_an_interrupt(small: Path) -> None:
    hold(small, max_concurrent=1)
    driver = start(small)
    wait_for_an_epoch(driver)
    workers = psutil.Process(driver.pid).children(recursive=True)
    driver.send_signal(signal.SIGHUP)
    code, _, errors = finished(driver, within=100)
    assert code == 130, errors
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
    assert State.RUNNING not in states()
    assert ("lost", "interrupted") in causes()
