"""A study on a real Ray cluster: the same numbers as without one, on one node and on an existing cluster."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator import RunOptions, run_study
from orchestrator.errors import UserError
from reports.results import Study

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
    ray = Path(sys.executable).with_name("ray")
    head = [str(ray), "start", "--head", "--port=26379", "--num-cpus=1", "--include-dashboard=false"]
    subprocess.run(head, check=True, capture_output=True, timeout=100)
    try:
        worker = [str(ray), "start", "--address=127.0.0.1:26379", "--num-cpus=1"]
        subprocess.run(worker, check=True, capture_output=True, timeout=100)
        time.sleep(2)
        study = run_study(small, options=RunOptions(address="127.0.0.1:26379", report=False)).study
        assert all(trial.state == "COMPLETE" for trial in study.trials)
        status = [str(ray), "status", "--address=127.0.0.1:26379"]
        assert b"Active" in subprocess.run(status, capture_output=True, timeout=60).stdout
    finally:
        subprocess.run([str(ray), "stop", "--force"], capture_output=True, timeout=100)
