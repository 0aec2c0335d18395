"""Workers of Ray on a node that claims a GPU start NVIDIA's MPS once, go through it, and leave none behind."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import torch

from tests.faults.held import hold
from tests.faults.nodes import ADDRESS, OF_NODES, Nodes, cluster_of_nodes
from tests.faults.test_killed import start
from tests.integration.test_cluster import wait_for
from tests.trainers.mps_stand_in import GPU, HAS_COMPILER, StandIn

pytestmark = [*OF_NODES, HAS_COMPILER, pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")]


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn.made_in(tmp_path / "stand-in")


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, stand_in: StandIn) -> Iterator[Nodes]:
    """Start a node with four CPUs that claims a GPU, with MPS and folders for it of its own."""
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with tempfile.TemporaryDirectory(prefix="mps", dir="/tmp") as folder, cluster_of_nodes() as made:
        made.start(environment={**stand_in.environment, "TMPDIR": folder}, cpus=4, gpus=1)
        yield made


def under_mps() -> dict[str, Any]:
    """Return what a worker finds in its environment once it shares its GPU."""
    import os

    from trainers.mps import share_gpu

    before = os.environ["CUDA_VISIBLE_DEVICES"]
    return {
        "sharing": share_gpu(True),
        "before": before,
        "pid": os.getpid(),
        "pipes": os.environ.get("CUDA_MPS_PIPE_DIRECTORY"),
    }


def test_four_workers_share_one_daemon_that_ends_when_they_are_killed(nodes: Nodes, stand_in: StandIn) -> None:
    @ray.remote(num_cpus=1, num_gpus=0.25)
    class Worker:
        def share(self) -> dict[str, Any]:
            return under_mps()

    ray.init(address=ADDRESS, log_to_driver=False)
    try:
        workers = [Worker.remote() for _ in range(4)]
        found = ray.get([each.share.remote() for each in workers], timeout=120)
        assert [each["sharing"].reason for each in found] == [""] * 4
        assert {each["before"] for each in found} == {GPU}
        assert len({each["pid"] for each in found}) == 4
        (pipes,) = {each["pipes"] for each in found}
        assert stand_in.calls("-d") == [[pipes, GPU]]
        for each in workers[:3]:
            ray.kill(each)
        assert ray.get(workers[3].share.remote(), timeout=60)["sharing"].under_mps
        assert stand_in.calls("quit") == []
        ray.kill(workers[3])
        wait_for(lambda: not Path(pipes, "control").exists(), seconds=60)
    finally:
        ray.shutdown()
    assert len(stand_in.calls("quit")) == 1


def test_a_study_for_parts_of_a_gpu_starts_and_ends_it_before_a_worker_looks_for_its_gpu(
    small: Path, nodes: Nodes, stand_in: StandIn
) -> None:
    hold(small, seeds_per_pack=1, gpus=0.25)
    driver = start(small, "--address", ADDRESS)
    _, errors = driver.communicate(timeout=250)
    assert "it was started with GPUs for Ray, but torch finds none on it" in errors
    started = stand_in.calls("-d")  # once, or again where a worker came after the last one had gone
    assert {devices for _, devices in started} == {GPU}
    wait_for(lambda: not any(Path(pipes, "control").exists() for pipes, _ in started), seconds=60)
    assert len(stand_in.calls("quit")) >= len(started)
