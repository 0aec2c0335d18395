"""Processes share a GPU under one daemon of MPS that ends with the last of them, or in turns for a reason."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.trainers.mps_stand_in import GPU, HAS_COMPILER, StandIn, wait_for
from trainers import mps
from trainers.mps import Daemon, NoService, Sharing, join, own_folder, share_gpu, visible_device

ROOT = str(Path(__file__).parents[2])
JOINED = """
import time
from trainers.mps import share_gpu
print(share_gpu(True).under_mps, flush=True)
time.sleep(60)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    made = StandIn.made_in(tmp_path / "stand-in")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"):
        monkeypatch.setenv(name, "")  # put back at the end
        monkeypatch.delenv(name)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", ROOT)
    share_gpu.cache_clear()
    yield made
    leave()
    share_gpu.cache_clear()
    wait_for(lambda: not any(control.parent.name == "pipe" for control in tmp_path.rglob("control")))


def leave() -> None:
    """Do what the system does when this process ends."""
    while mps._HELD:
        os.close(mps._HELD.pop())


@contextmanager
def joined(count: int) -> "Iterator[list[subprocess.Popen[str]]]":
    """Run processes that have joined the service, and kill those that are left at the end."""
    words = [sys.executable, "-c", JOINED]
    with ExitStack() as stack:
        made = [stack.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, text=True)) for _ in range(count)]
        for each in made:
            stack.callback(each.kill)
        assert [each.stdout and each.stdout.readline() for each in made] == ["True\n"] * count
        yield made


@HAS_COMPILER
def test_the_first_process_starts_the_daemon_of_its_gpu_and_the_last_one_ends_it(stand_in: StandIn) -> None:
    with joined(2) as (first, second):
        assert share_gpu(True) == Sharing(True)
        pipes = os.environ["CUDA_MPS_PIPE_DIRECTORY"]
        assert os.environ["CUDA_VISIBLE_DEVICES"] == GPU
        assert stand_in.calls("-d") == [[pipes, GPU]]
        leave()
        first.kill()
        first.wait()
        time.sleep(0.5)
        assert stand_in.calls("quit") == []
        second.kill()
        second.wait()
        wait_for(lambda: not Path(pipes, "control").exists())
    assert [each[0] for each in stand_in.calls("quit")] == [pipes]


@HAS_COMPILER
def test_processes_that_start_at_once_start_one_daemon(stand_in: StandIn) -> None:
    with joined(4):
        assert len(stand_in.calls("-d")) == 1


@HAS_COMPILER
def test_a_daemon_whose_keeper_was_killed_is_ended_after_the_next_process(stand_in: StandIn) -> None:
    folder = own_folder(GPU)
    join(folder, GPU)
    (keeper,) = keepers(folder)
    os.kill(keeper, signal.SIGKILL)
    leave()
    wait_for(lambda: not keepers(folder))
    assert (folder / "pipe" / "control").exists()
    join(folder, GPU)
    assert len(stand_in.calls("-d")) == 1
    leave()
    wait_for(lambda: not (folder / "pipe" / "control").exists())


@HAS_COMPILER
def test_a_daemon_whose_first_process_was_killed_while_it_started_is_ended(stand_in: StandIn) -> None:
    stand_in.let("lingers -d")
    control = own_folder(GPU) / "pipe" / "control"
    with subprocess.Popen([sys.executable, "-c", JOINED], stdout=subprocess.PIPE) as process:
        wait_for(control.exists)
        process.kill()
    wait_for(lambda: not control.exists())
    assert stand_in.calls("quit")


@HAS_COMPILER
def test_a_process_that_one_of_its_users_has_started_keeps_the_daemon(stand_in: StandIn) -> None:
    assert share_gpu(True) == Sharing(True)
    control = Path(os.environ["CUDA_MPS_PIPE_DIRECTORY"], "control")
    with joined(1) as (child,):
        leave()
        time.sleep(0.5)
        assert control.exists()
        child.kill()
        child.wait()
        wait_for(lambda: not control.exists())


def keepers(folder: Path) -> list[int]:
    """Return the processes that wait to end the daemon of a folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"keep" in words and str(folder).encode() in words:
            found.append(int(each.parent.name))
    return found


@HAS_COMPILER
def test_a_daemon_that_died_is_started_again(stand_in: StandIn) -> None:
    folder = own_folder(GPU)
    join(folder, GPU)
    (folder / "pipe" / "control").unlink()
    join(folder, GPU)
    assert len(stand_in.calls("-d")) == 2


@HAS_COMPILER
def test_a_daemon_of_somebody_else_is_used_and_neither_started_nor_ended(stand_in: StandIn) -> None:
    stand_in.run_on_the_node()
    assert share_gpu(True) == share_gpu(False) == Sharing(True)
    assert "CUDA_MPS_PIPE_DIRECTORY" not in os.environ
    assert stand_in.calls("-d") == stand_in.calls("quit") == []


@HAS_COMPILER
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("fails -d", "nvidia-cuda-mps-control ended with 1: You do not have permission to do that"),
        ("hangs -d", "nvidia-cuda-mps-control gave no answer within 0.5 s"),
        ("hangs get_server_list", "nvidia-cuda-mps-control gave no answer within 0.5 s"),
    ],
)
def test_a_daemon_that_does_not_start_is_told(
    behaviour: str, reason: str, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    if behaviour.startswith("hangs"):
        monkeypatch.setattr(mps, "CONTROL_SECONDS", 0.5)
    stand_in.let(behaviour)
    assert share_gpu(True) == Sharing(False, reason)
    assert (os.environ["CUDA_VISIBLE_DEVICES"], "CUDA_MPS_PIPE_DIRECTORY" in os.environ) == (GPU, False)


@HAS_COMPILER
def test_where_a_process_cannot_use_it_the_daemon_is_ended_and_trainings_go_on_without(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_CUDA", "805")
    assert share_gpu(True) == Sharing(False, "a first process under it ended with 1: CUDA's error 805")
    assert "CUDA_MPS_PIPE_DIRECTORY" not in os.environ
    wait_for(lambda: len(stand_in.calls("quit")) == 1)


@HAS_COMPILER
def test_a_process_that_passes_by_the_daemon_is_not_said_to_run_under_it(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_CUDA", "0")
    assert share_gpu(True) == Sharing(False, "its daemon runs, and processes do not reach it")


@HAS_COMPILER
def test_none_is_started_where_the_study_does_not_want_it(stand_in: StandIn) -> None:
    assert share_gpu(False) == Sharing(False, "none runs, and none is to be started")
    assert stand_in.calls("-d") == []


def test_a_machine_without_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    share_gpu.cache_clear()
    assert share_gpu(True) == Sharing(False, "nvidia-cuda-mps-control is not on the PATH")
    share_gpu.cache_clear()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_a_daemon_outside_of_a_container_without_the_control_program_is_found(
    kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as pipes, socket.socket(socket.AF_UNIX, kind) as daemon:
        monkeypatch.setenv("PATH", pipes)
        monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", pipes)
        daemon.bind(f"{pipes}/control")
        share_gpu.cache_clear()
        assert not share_gpu(True).under_mps  # nobody listens yet: the daemon has died, say
        daemon.listen()
        share_gpu.cache_clear()
        assert share_gpu(True) == Sharing(True)
        share_gpu.cache_clear()


@HAS_COMPILER
def test_a_daemon_for_all_gpus_sees_them_all(stand_in: StandIn, tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    daemon.start()
    daemon.quit()
    assert stand_in.calls("-d") == [[str(tmp_path / "pipe"), "all"]]
    assert "CUDA_VISIBLE_DEVICES" not in daemon.environment


def test_a_folder_that_another_user_made_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = own_folder(GPU)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert own_folder("GPU-2") != folder
    uid = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: uid)  # whose folder this user then makes before
    with pytest.raises(NoService, match="belongs to somebody else"):
        own_folder(GPU)


class Refused(Exception):
    """What NVML raises."""


class Unsupported(Refused):
    """What NVML raises of a GPU without instances."""


def nvml(names: str, in_mig_mode: bool = False) -> SimpleNamespace:
    """Return a stand-in for NVML with GPUs of these names."""

    def handle(index: int) -> int:
        if index >= len(names):
            raise Refused("Invalid Argument")
        return index

    def mig(gpu: int) -> list[int]:
        if not in_mig_mode:
            raise Unsupported
        return [1, 1]

    return SimpleNamespace(
        NVMLError=Refused,
        NVMLError_NotSupported=Unsupported,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: len(names),
        nvmlDeviceGetHandleByIndex=handle,
        nvmlDeviceGetName=lambda gpu: names[gpu],
        nvmlDeviceGetUUID=lambda gpu: f"GPU-{gpu}",
        nvmlDeviceGetMigMode=mig,
    )


@pytest.mark.parametrize(
    ("visible", "order", "library", "found"),
    [
        (GPU, None, None, GPU),
        ("MIG-1,MIG-2", None, None, "MIG-1"),
        ("1", None, nvml("aa"), "GPU-1"),
        ("3,0", None, nvml("aaaa"), "GPU-3"),
        (None, None, nvml("a"), "GPU-0"),
        ("1", "PCI_BUS_ID", nvml("ab"), "GPU-1"),
        ("1", None, nvml("ab"), "CUDA_DEVICE_ORDER=PCI_BUS_ID"),
        ("0", None, nvml("a", in_mig_mode=True), "in MIG mode: name its instances in CUDA_VISIBLE_DEVICES"),
        ("2", None, nvml("a"), "Invalid Argument"),
        ("", None, nvml("a"), "is not known"),
    ],
)
def test_the_gpu_of_a_process_is_known_by_its_uuid(
    visible: str | None, order: str | None, library: Any, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CUDA_VISIBLE_DEVICES", visible), ("CUDA_DEVICE_ORDER", order)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    if found.startswith(("GPU-", "MIG-")):
        assert visible_device() == found
    else:
        with pytest.raises(NoService, match=found):
            visible_device()
