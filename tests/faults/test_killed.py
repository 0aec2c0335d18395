"""A study survives the death of its driver and of its workers: nothing is lost, nothing is done twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from orchestrator import RunOptions, run_study
from orchestrator.storage import Store
from reports.trials import State
from tests.faults.held import hold, let_go

ROOT = str(Path(__file__).parents[2])
pytestmark = [pytest.mark.fault, pytest.mark.slow]


PLAIN = ("-c", "from orchestrator.cli import main; main()")
IMPATIENT = ("-m", "tests.faults.impatient")
INLINE = ("--executor", "inline")
HERE = RunOptions(executor="inline", report=False)


def start(file: Path, *words: str, program: tuple[str, ...] = PLAIN) -> subprocess.Popen[str]:
    command = [sys.executable, *program, "run", str(file), "--no-report", *words]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finished_attempts() -> list[int]:
    with sqlite3.connect("results.db") as db:
        rows = db.execute(
            "SELECT count(*) FROM trials JOIN attempts ON attempts.trial = trials.id "
            "WHERE attempts.ending = 'COMPLETE' AND trials.state = 'COMPLETE' GROUP BY trials.id"
        )
        return [row[0] for row in rows]


def states() -> list[State]:
    with Store.open("sqlite:///results.db", read_only=True) as store:
        return [trial.state for trial in store.load_study("small").trials]


@pytest.mark.timeout(280)
def test_a_driver_killed_again_and_again_leaves_one_finished_attempt_a_trial(small: Path) -> None:
    text = small.read_text().replace("epochs: 2", "epochs: 12").replace("width: 2", "width: 4")
    small.write_text(text.replace("depth: 8", "depth: 20") + "resources: {checkpoint_seconds: 0}\n")
    moments = random.Random(7)
    process = start(small, *INLINE)
    wait_for(process, lambda: Path("results.db").exists())
    process.kill()
    process.communicate()
    for _ in range(4):
        process, before = start(small, *INLINE), recorded("epochs")
        coming = moments.randint(1, 5)
        wait_for(process, lambda enough=before + coming: recorded("epochs") >= enough)
        time.sleep(moments.uniform(0, 0.2))  # somewhere in the next epoch
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    last = start(small, *INLINE)
    _, errors = last.communicate(timeout=200)
    assert last.returncode == 0, errors
    assert finished_attempts() == [1, 1, 1, 1]
    with sqlite3.connect("results.db") as db:
        epochs = db.execute("SELECT trial, count(*), max(epoch) FROM epochs GROUP BY trial").fetchall()
    assert [row[1:] for row in epochs] == [(12, 12)] * 4


@pytest.mark.cluster
@pytest.mark.timeout(280)
def test_a_driver_killed_while_ray_trains_takes_its_workers_along_and_the_next_run_completes(small: Path) -> None:
    hold(small)
    process = start(small)
    wait_for_an_epoch(process, trials=4)
    workers = [each for each in psutil.Process(process.pid).children(recursive=True) if is_worker(each)]
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    let_go(small)
    run_study(small, options=HERE)
    assert finished_attempts() == [1, 1, 1, 1]


@pytest.mark.cluster
@pytest.mark.timeout(280)
def test_a_killed_worker_is_replaced_and_its_trial_continues(small: Path) -> None:
    hold(small)
    process = start(small)
    wait_for_an_epoch(process, trials=4)
    workers = [each for each in psutil.Process(process.pid).children(recursive=True) if is_worker(each)]
    workers[0].kill()
    let_go(small)
    output, errors = process.communicate(timeout=250)
    assert process.returncode == 0, errors
    assert "it will be tried again" in output
    assert states() == [State.COMPLETE] * 4


@pytest.mark.cluster
@pytest.mark.timeout(590)
def test_an_interrupted_study_ends_with_130_and_the_next_run_continues_from_checkpoints(small: Path) -> None:
    hold(small, max_concurrent=1)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = start(small)
        wait_for(process, lambda: recorded("trial") > 0 and State.RUNNING in states())
        process.send_signal(number)
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 130, errors
        assert "run the same command again to continue" in errors
        assert "Traceback" not in errors
        assert State.RUNNING not in states()
        assert list(Path("out/small/checkpoints").glob("*.pt"))
    let_go(small)
    run_study(small, options=HERE)
    assert states() == [State.COMPLETE] * 4


def test_a_second_run_of_a_running_study_is_refused_and_reading_works(small: Path) -> None:
    hold(small)
    process = start(small, "--executor", "inline")
    wait_for_an_epoch(process)
    second = start(small, "--executor", "inline")
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 2
    assert str(process.pid) in errors
    assert State.RUNNING in states()
    process.kill()
    process.communicate()


def recorded(what: str) -> int:
    """Count the rows of the table of epochs, or how many values one of its columns has; 0 where there is no table."""
    column = "*" if what == "epochs" else f"DISTINCT {what}"
    try:
        with sqlite3.connect("file:results.db?mode=ro", uri=True) as db:
            return int(db.execute(f"SELECT count({column}) FROM epochs").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait_for_an_epoch(process: subprocess.Popen[str], trials: int = 1) -> None:
    """Wait until the study has recorded an epoch of so many trials."""
    wait_for(process, lambda: recorded("trial") >= trials)


def wait_for(process: subprocess.Popen[str], condition: Callable[[], bool], seconds: float = 90) -> None:
    """Wait until a condition holds while a process runs; AssertionError with its words when it ends before."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        if condition():
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


def is_worker(process: psutil.Process) -> bool:
    """Whether this is a process in which Tune's actors live; one that has ended in the meantime is not."""
    with suppress(psutil.NoSuchProcess):
        return "ray::PackTrainable" in " ".join(process.cmdline())
    return False
