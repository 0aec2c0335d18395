"""A study on a real Ray cluster: the same numbers as without one, on one node and on an existing cluster."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator import RunOptions, run_study
from orchestrator.errors import UserError
from reports.results import Study

RAY = str(Path(sys.executable).with_name("ray"))
pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def numbers(study: Study) -> list[tuple[object, ...]]:
    return [
        (trial.arm, trial.seed, epoch.epoch, epoch.train_loss, epoch.test_loss, epoch.test_error)
        for trial in study.trials
        for epoch in trial.curve
    ]


def test_a_cluster_gives_bit_for_bit_the_numbers_of_this_process(small: Path) -> None:
    here = run_study(small, options=RunOptions(db="sqlite:///here.db", executor="inline", report=False))
    there = run_study(small, options=RunOptions(db="sqlite:///there.db", report=False))
    assert numbers(here.study) == numbers(there.study)


def test_four_trials_share_two_workers(small: Path) -> None:
    small.write_text(small.read_text() + "resources: {seeds_per_pack: 1}\n")
    study = run_study(small, options=RunOptions(report=False)).study
    starts = sorted(trial.started_at for trial in study.trials)
    ends = sorted(trial.finished_at for trial in study.trials)
    assert starts[2] >= ends[0]
    # A new worker would import torch again, which takes several seconds.
    assert (starts[2] - ends[0]).total_seconds() < 3


def test_a_pack_that_no_node_can_hold_is_refused(small: Path) -> None:
    small.write_text(small.read_text() + "resources: {cpus: 512}\n")
    with pytest.raises(UserError, match="a pack asks for 512 CPUs"):
        run_study(small, options=RunOptions(report=False))


def test_an_existing_cluster_is_used_and_left_running(small: Path) -> None:
    with node("--head", "--port=26379", "--include-dashboard=false"), node("--address=127.0.0.1:26379"):
        until = time.monotonic() + 60
        while status().count(b"node_") < 2:
            assert time.monotonic() < until, status()
            time.sleep(1)
        study = run_study(small, options=RunOptions(address="127.0.0.1:26379", report=False)).study
        assert all(trial.state == "COMPLETE" for trial in study.trials)
        assert status().count(b"node_") == 2


@contextmanager
def node(*words: str) -> Iterator[None]:
    """Start a Ray node of one CPU and stop it again; `ray stop` would stop those of other tests too."""
    process = subprocess.Popen([RAY, "start", *words, "--num-cpus=1", "--block"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def status() -> bytes:
    """Return what Ray says of the test's cluster; nothing while it does not answer."""
    return subprocess.run([RAY, "status", "--address=127.0.0.1:26379"], capture_output=True, timeout=60).stdout
