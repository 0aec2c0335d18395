"""A study on a real Ray cluster: the same numbers as without one, on one node and on an existing cluster."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray

from orchestrator import RunOptions, run_study
from orchestrator.engine.cluster import _on_loopback, cluster
from orchestrator.errors import UserError
from reports.results import Study

ROOT = str(Path(__file__).parents[2])
ADDRESS = "127.0.0.1:26379"
HEAD = ("--port=26379", "--include-dashboard=false")
OPEN = {"RAY_AUTH_MODE": "disabled"}
RAY = str(Path(sys.executable).with_name("ray"))
STARTED = "Ray runtime started."
"""What `ray start` says once the cluster knows of the node."""
pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.xdist_group("nodes")]


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


NOTING = """
import os
import pathlib

from torch import nn


def build(*, input_shape, num_classes, width=8):
    with pathlib.Path(__file__).with_name("processes").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, num_classes))
"""


def test_four_trials_share_two_workers(small: Path) -> None:
    """A new worker for each would import torch again, which takes several seconds."""
    small.with_name("noting.py").write_text(NOTING)
    small.write_text(
        'study: small\ndata: digits\nnetwork: {family: "noting:build"}\nfactors: {width: [4, 8]}\n'
        "training: {recipe: quick, epochs: 2}\nseeds: 2\nresources: {seeds_per_pack: 1}\n"
    )
    study = run_study(small, options=RunOptions(report=False)).study
    assert [trial.state for trial in study.trials] == ["COMPLETE"] * 4
    workers = {int(each) for each in small.with_name("processes").read_text().split()} - {os.getpid()}
    assert 1 <= len(workers) <= 2


def test_a_pack_that_no_node_can_hold_is_refused(small: Path) -> None:
    small.write_text(small.read_text() + "resources: {cpus: 512}\n")
    with pytest.raises(UserError, match="a pack asks for 512 CPUs"):
        run_study(small, options=RunOptions(report=False))


def test_a_cluster_that_is_started_here_listens_on_this_machine_alone() -> None:
    with cluster(None):
        assert not any(map(is_worker, psutil.Process().children(recursive=True)))  # none before it is needed
        ray.get(ray.remote(lambda: os.getpid()).remote())  # a worker listens, too
        started = psutil.Process().children(recursive=True)
        sockets = [
            each
            for process in (psutil.Process(), *started)
            for each in connections(process)
            if each.status == psutil.CONN_LISTEN
        ]
        assert len(sockets) > 2
        assert {each.laddr.ip for each in sockets} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        assert any(map(is_worker, started))


def is_worker(process: psutil.Process) -> bool:
    """Whether Ray has started this process to work in, be it for nobody yet; its agents have names of the same form."""
    try:
        words = process.cmdline()
    except psutil.NoSuchProcess:
        return False
    title = words[0] if words else ""
    is_named = title.startswith("ray::") and "Agent" not in title
    return is_named or any(word.endswith("default_worker.py") for word in words)


def connections(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections())
    except psutil.NoSuchProcess:  # Ray ends workers that it does not need
        return []


def test_a_ray_without_the_private_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ray._private.ray_constants")
    with _on_loopback():
        assert "ray._private.ray_constants" not in sys.modules


@pytest.fixture
def folder() -> Iterator[str]:
    """Return a folder with a name short enough for Ray's sockets.

    In its usual one, Ray notes where the newest cluster is; a program that asks for any cluster would wait for this one
    for ever once it is gone.
    """
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as made:
        yield made


@pytest.fixture(autouse=True)
def without_a_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)


def test_an_existing_cluster_is_used_and_left_running(small: Path, folder: str) -> None:
    with node("--head", f"--temp-dir={folder}", *HEAD), node(f"--address={ADDRESS}"):
        study = run_study(small, options=RunOptions(address=ADDRESS, report=False)).study
        assert all(trial.state == "COMPLETE" for trial in study.trials)
        assert status().count(b"node_") == 2


def test_a_cluster_that_asks_for_a_token_gets_the_one_that_ray_keeps(small: Path, folder: str) -> None:
    code = "from orchestrator.cli import main; main()"
    run = [sys.executable, "-c", code, "run", small.name, "--address", ADDRESS, "--no-report"]
    home = small.parent / "home"
    (home / ".ray").mkdir(parents=True)
    (home / ".ray" / "auth_token").write_text("0123456789abcdef" * 4)
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(home / ".ray" / "auth_token")}
    with node("--head", f"--temp-dir={folder}", *HEAD, "--num-cpus=2", environment=secret):
        answers = []
        for folder_of_user in (small.parent, home):
            environment = {**os.environ, "PYTHONPATH": ROOT, "HOME": str(folder_of_user)}
            answers.append(subprocess.run(run, env=environment, capture_output=True, text=True, timeout=200))
    refused, done = answers
    assert refused.returncode == 2
    (sentence,) = refused.stderr.splitlines()
    assert "asks for a token: copy ~/.ray/auth_token from the host that started it" in sentence
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 complete" in done.stdout


@contextmanager
def node(*words: str, environment: Mapping[str, str] = OPEN) -> Iterator[None]:
    """Start a Ray node, of one CPU unless told otherwise, and stop it again; `ray stop` would stop those of others."""
    command = [RAY, "start", "--num-cpus=1", *words, "--block"]
    with tempfile.NamedTemporaryFile() as log:
        variables = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=log, env=variables)
        try:
            wait_for(lambda: answers(ADDRESS) and STARTED in Path(log.name).read_text())
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)
            if "--head" in words:  # what it started may outlast it for a while
                wait_for(lambda: not answers(ADDRESS))


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.5)


def answers(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def status() -> bytes:
    """Return what Ray says of the test's cluster; nothing while it does not answer."""
    return subprocess.run([RAY, "status", f"--address={ADDRESS}"], capture_output=True, timeout=60).stdout
