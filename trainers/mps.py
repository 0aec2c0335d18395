"""NVIDIA's Multi-Process Service (MPS), under which processes compute on one GPU at once instead of taking turns.

One control daemon serves one GPU, or one instance of a GPU in MIG mode. Daemon and processes name it by its UUID, since
a number can mean another GPU to a process than to the daemon, and since MPS serves no two instances at once
(https://docs.nvidia.com/deploy/mps). GPUs that belong to others are left alone.

This file also runs by itself, as the daemon's keeper and as its first client, so it imports the standard library alone.
"""

import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CONTROL = "nvidia-cuda-mps-control"
CONTROL_SECONDS = 10.0
"""How long the control program may take for an answer."""
QUIT_SECONDS = 60.0
"""How long a daemon may take to end its servers."""
CLIENT_SECONDS = 60.0
"""How long a first process may take to open a context, for which the daemon starts a server."""
LOCK_SECONDS = 150.0
"""How long a process waits while others start or end the daemon: longer than one of them may take."""
QUITS = 3
"""How often the keeper tries to end a daemon that does not answer."""
VISIBLE = "CUDA_VISIBLE_DEVICES"
PIPES = "CUDA_MPS_PIPE_DIRECTORY"
LOGS = "CUDA_MPS_LOG_DIRECTORY"
DEFAULT_PIPES = "/tmp/nvidia-mps"
FOLDER = "orchestrate-mps-"

_HELD: list[int] = []  # the folders of the daemons that this process uses, open until it ends in whatever way


class NoService(Exception):
    """Processes cannot share a GPU under MPS here; the message says why."""


class ControlHangs(NoService):
    """A program of MPS gives no answer in time."""


@dataclass(frozen=True)
class Sharing:
    """How this process shares its GPU: under MPS or, for a `reason`, in turns with the others."""

    under_mps: bool
    reason: str = ""


class Daemon:
    """A control daemon with its sockets and logs in a folder, for the GPU with the UUID `device`, or (None) for all."""

    def __init__(self, folder: Path, device: str | None = None) -> None:
        self._folders = folder / "pipe", folder / "log"
        self.environment = dict(zip((PIPES, LOGS), map(str, self._folders), strict=True))
        if device is not None:
            self.environment[VISIBLE] = device

    def start(self) -> None:
        """Start it; NoService where that fails."""
        for each in self._folders:
            each.mkdir(exist_ok=True)
        # One for all GPUs must not number those anew that this process sees: its clients go by the old numbers.
        all_visible = {key: value for key, value in os.environ.items() if key != VISIBLE}
        _run([CONTROL, "-d"], CONTROL_SECONDS, all_visible | self.environment)

    def quit(self) -> None:
        """End it; NoService where it does not answer."""
        _run([CONTROL], QUIT_SECONDS, os.environ | self.environment, "quit\n")


@cache
def share_gpu(start: bool) -> Sharing:
    """Join the MPS of this process's GPU and say how the process shares it; call it before anything that uses CUDA.

    A daemon that answers already is used as it is. Else, with `start`, one of this user's own serves all processes that
    call this, and ends with the last of them.
    """
    try:
        if shutil.which(CONTROL) is None:
            if _listens(Path(os.environ.get(PIPES) or DEFAULT_PIPES)):
                return Sharing(True)
            raise NoService(f"{CONTROL} is not on the PATH")
        if _answers(os.environ):
            _hold(Path(os.environ.get(PIPES) or DEFAULT_PIPES).parent)
            return Sharing(True)
        if not start:
            raise NoService("none runs, and none is to be started")
        device = visible_device()
        os.environ.update(join(own_folder(device), device))
    except (NoService, OSError) as error:
        return Sharing(False, str(error))
    return Sharing(True)


def join(folder: Path, device: str) -> Mapping[str, str]:
    """Let this process use the daemon of a GPU until the process ends; where none answers, it is started.

    Return the environment in which CUDA finds it; NoService where a context cannot be opened so.
    """
    daemon = Daemon(folder, device)
    held = _lock(folder, fcntl.LOCK_SH)  # the keeper waits until nobody holds it
    try:
        starting = _lock(folder / "starting", fcntl.LOCK_EX)
        try:
            _run_this("keep", CONTROL_SECONDS, {}, str(folder))  # first, or a kill would leave a daemon without one
            if not _answers(daemon.environment):
                daemon.start()
            _run_this("try", CLIENT_SECONDS, daemon.environment)
            if not _servers(daemon.environment):
                raise NoService("its daemon runs, and processes do not reach it")
        finally:
            os.close(starting)
    except BaseException:
        os.close(held)
        raise
    _HELD.append(held)
    return daemon.environment


def visible_device() -> str:
    """Return the UUID of the first GPU, or instance of one, that this process sees; NoService where it is not known."""
    first = os.environ.get(VISIBLE, "0").split(",")[0].strip()
    if first.startswith(("GPU-", "MIG-")):
        return first
    import pynvml

    try:
        pynvml.nvmlInit()
        gpus = [pynvml.nvmlDeviceGetHandleByIndex(each) for each in range(pynvml.nvmlDeviceGetCount())]
        if len({pynvml.nvmlDeviceGetName(each) for each in gpus}) > 1 and not _is_in_bus_order():
            raise NoService(f"which GPU {VISIBLE}={first} names is not known: set CUDA_DEVICE_ORDER=PCI_BUS_ID")
        gpu = pynvml.nvmlDeviceGetHandleByIndex(int(first))
        if _has_instances(pynvml, gpu):
            raise NoService(f"the GPU is in MIG mode: name its instances in {VISIBLE} by their UUIDs")
        return str(pynvml.nvmlDeviceGetUUID(gpu))
    except (pynvml.NVMLError, ValueError) as error:
        raise NoService(f"which GPU {VISIBLE}={first} names is not known: {error}") from None


def own_folder(device: str) -> Path:
    """Return the folder for the daemon of a GPU, the same one for all of this user's processes on this machine."""
    key = hashlib.sha256(f"{os.getuid()} {socket.gethostname()} {device}".encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir(), f"{FOLDER}{key}")  # short: the path of a socket has 107 characters
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise NoService(f"{folder} belongs to somebody else")
    return folder


def _hold(folder: Path) -> None:
    """Keep the daemon of an own folder, which the process that started this one has joined, until this one ends too."""
    if folder.name.startswith(FOLDER):
        _HELD.append(_lock(folder, fcntl.LOCK_SH))


def _listens(pipes: Path) -> bool:
    """Whether a daemon listens in a folder: one outside of a container may serve it without the control program."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as client, suppress(OSError):
            client.settimeout(CONTROL_SECONDS)
            client.connect(str(pipes / "control"))
            return True
    return False


def _answers(environment: Mapping[str, str]) -> bool:
    """Whether the daemon that an environment names runs; ControlHangs where that cannot be told."""
    try:
        _servers(environment)
    except ControlHangs:
        raise
    except NoService:
        return False
    return True


def _servers(environment: Mapping[str, str]) -> list[str]:
    """Return the numbers of the processes that a daemon has started as servers; NoService where none answers."""
    said = _run([CONTROL], CONTROL_SECONDS, os.environ | dict(environment), "get_server_list\n").split()
    if not all(each.isdigit() for each in said):
        raise NoService(f"{CONTROL}: {' '.join(said)}")
    return said


def _is_in_bus_order() -> bool:
    """Whether CUDA numbers GPUs as their driver's library does, rather than the fastest first."""
    return os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"


def _has_instances(pynvml: Any, gpu: Any) -> bool:
    try:
        return bool(pynvml.nvmlDeviceGetMigMode(gpu)[0])
    except pynvml.NVMLError_NotSupported:
        return False


def _lock(path: Path, kind: int, seconds: float = LOCK_SECONDS) -> int:
    """Return an open file or folder that is locked; NoService where that takes too long."""
    opened = os.open(path, os.O_RDONLY | (0 if path.is_dir() else os.O_CREAT), 0o600)
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(opened, kind | fcntl.LOCK_NB)
            return opened
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(opened)
                raise NoService(f"other processes have been starting or ending it for {seconds:g} s") from None
        time.sleep(0.1)


def _run(words: list[str], seconds: float, environment: Mapping[str, str], given: str = "", name: str = CONTROL) -> str:
    """Return what a program prints; NoService where it cannot be started, fails, or takes too long.

    It prints into a file, because a daemon that it leaves behind would keep a pipe open.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            text=True,
            start_new_session=True,
        )
        try:
            process.communicate(given, timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise ControlHangs(f"{name} gave no answer within {seconds:g} s") from None
        output.seek(0)
        said = output.read().strip()
    if process.returncode:
        raise NoService(f"{name} ended with {process.returncode}" + (f": {said.splitlines()[-1]}" if said else ""))
    return said


def _run_this(command: str, seconds: float, environment: Mapping[str, str], *words: str) -> None:
    """Run this file with a command."""
    name = {"keep": "what ends its daemon", "try": "a first process under it"}[command]
    _run([sys.executable, "-I", __file__, command, *words], seconds, os.environ | dict(environment), name=name)


def _keep(folder: Path) -> None:
    """Leave a process behind that ends the daemon once no process uses it; do nothing where there is one already."""
    try:
        keeper = _lock(folder / "keeper", fcntl.LOCK_EX, seconds=0)
    except NoService:
        return
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in range(3):
        os.dup2(nowhere, each)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    for _ in range(QUITS):
        with suppress(NoService, OSError):
            Daemon(folder).quit()
            break
    os.close(keeper)  # before the folder: whoever takes that next leaves a keeper of its own
    os.close(held)


def _try() -> None:
    """Open a context on the first GPU, as a training will."""
    cuda: Any = ctypes.CDLL("libcuda.so.1")
    device, context = ctypes.c_int(), ctypes.c_void_p()
    code = cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0)
    code = code or cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
    if code:
        sys.exit(f"CUDA's error {code}")


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        _keep(Path(sys.argv[2]))
    else:
        _try()
