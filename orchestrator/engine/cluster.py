"""A Ray cluster: connect to it or start one here, keep its own words from the terminal, and notice when it is gone."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from threading import current_thread, main_thread
from typing import Any, TextIO

import psutil

# Ray reads these when it is imported. Tune's own loggers keep every result in the driver's memory; its experiment
# snapshots are not needed, because the results DB is what a study continues from; a trial's folder must not become
# the working directory, or relative data paths break; its new output prints in spite of verbose=0; as many packs as are
# handed out may wait for a worker; no message is to leave the machine; Ray ends a process whose cluster is gone after a
# minute, in which the report may not be finished; a question to a cluster that has just been left would start another
# one; and the workers that Ray starts before any is asked for, one for each processor, are not those that Tune gets.
os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "86400"
os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = "1000"
os.environ["TUNE_PRINT_ALL_TRIAL_ERRORS"] = "0"
os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
os.environ["RAY_CHDIR_TO_TRIAL_DIR"] = "0"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
os.environ["RAY_gcs_rpc_server_reconnect_timeout_s"] = "600"  # noqa: SIM112 (so Ray spells it)
os.environ["RAY_prestart_worker_first_driver"] = "0"  # noqa: SIM112 (so Ray spells it)

import ray

from orchestrator.deadline import NoAnswer, within
from orchestrator.engine.address import HINT
from orchestrator.engine.backend import Node
from orchestrator.engine.tokens import authenticated
from orchestrator.errors import UserError

ROUND_SECONDS = 2.0
REFUSED_SECONDS = 10.0
"""A server of Ray that refuses connections for so long is gone."""
SILENT_SECONDS = 40.0
"""A cluster that answers no question for so long is gone; it then ends with what is recorded."""
START_SECONDS = 300.0
"""Ray starts within seconds; some of its own waits for processes that do not answer have no end."""
SHUTDOWN_SECONDS = 20.0
SIGNAL_SECONDS = 0.002
"""How long at most Ray's own handler of SIGTERM stays in place, and how long none does: one that comes then kills."""
ABORT_SECONDS = 3.0
"""How long after a SIGTERM that handler aborts the process."""
RAY_THREADS = "ray_"
"""How the names of Ray's threads begin."""


class ClusterWatch:
    """Asks the cluster every few seconds which nodes it has, in threads of its own, and notices when it is gone.

    Ray's client waits for minutes for a head that does not answer, so whether anything listens there is asked apart.
    """

    def __init__(self) -> None:
        context = ray.get_runtime_context()
        self._own_node = context.get_node_id()
        self._head = str(context.gcs_address)
        self._ended = threading.Event()
        self._refused: dict[str, float] = {}
        self.nodes: list[dict[str, Any]] = _first_nodes(self._head)
        self._own_died: float | None = None
        self._raylet = next((_raylet_address(each) for each in self.nodes if each["NodeID"] == self._own_node), None)
        self._asked = time.monotonic()
        for work in (self._try_addresses, self._ask_for_nodes):
            threading.Thread(target=work, name="watch of the Ray cluster", daemon=True).start()

    def close(self) -> None:
        """Stop asking."""
        self._ended.set()

    def is_gone(self, node: Node) -> bool:
        """Whether a node of the cluster has left it or does not answer any more."""
        facts = next((each for each in self.nodes if each["NodeID"] == node.id), None)
        return facts is None or _refuses(_raylet_address(facts))

    def problem(self) -> str | None:
        """Return why the cluster cannot be used any more; None while all is well."""
        moment = time.monotonic()
        if moment - self._refused.get(self._head, moment) > REFUSED_SECONDS:
            return f"the head of the Ray cluster ({self._head}) is gone"
        gone = self._raylet and moment - self._refused.get(self._raylet, moment) > REFUSED_SECONDS
        if gone or self._own_died is not None:
            return "Ray's node process (raylet) on this machine is gone"
        if moment - self._asked > SILENT_SECONDS:
            return f"the Ray cluster ({self._head}) has not answered for {moment - self._asked:.0f} s"
        return None

    def _try_addresses(self) -> None:
        while not self._ended.wait(ROUND_SECONDS):
            for address in filter(None, (self._head, self._raylet)):
                if _refuses(address):
                    self._refused.setdefault(address, time.monotonic())
                else:
                    self._refused.pop(address, None)

    def _ask_for_nodes(self) -> None:
        while not self._ended.wait(ROUND_SECONDS):
            if self._refused:
                continue
            try:
                self.nodes = _nodes()
            except Exception:  # Ray's client raises whatever its connection does
                continue
            if not any(each["NodeID"] == self._own_node for each in self.nodes):
                self._own_died = time.monotonic()
            self._asked = time.monotonic()


@contextmanager
def cluster(address: str | None) -> Iterator[ClusterWatch]:
    """Connect to the cluster at `address`, or start one here; leave what was already there as it was.

    UserError when that cannot be done. A cluster that is gone is left within `SHUTDOWN_SECONDS`.
    """
    if ray.is_initialized():
        watch = ClusterWatch()
        try:
            yield watch
        finally:
            watch.close()
        return
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    with _quiet(), authenticated(address), _connected(address, before):
        watch = ClusterWatch()
        try:
            yield watch
        finally:
            watch.close()
            _shut_down(before)


def node_of(facts: dict[str, Any]) -> Node:
    """Return a node as the rest of the program knows it, from what Ray tells about it."""
    return Node(facts["NodeID"], facts.get("NodeManagerHostname") or facts["NodeManagerAddress"])


def _first_nodes(head: str) -> list[dict[str, Any]]:
    try:
        return within(SILENT_SECONDS, _nodes)
    except NoAnswer:
        raise UserError(f"the Ray cluster ({head}) does not say which nodes it has: start it again") from None


def _nodes() -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _raylet_address(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"


def _refuses(address: str) -> bool:
    """Whether nothing listens at an address; one that is slow to answer may be busy."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def _connected(address: str | None, before: set[int]) -> Iterator[None]:
    """Connect to a cluster, or start one; UserError where that fails or takes longer than `START_SECONDS`.

    It is done in a thread that stays until the end: Linux ends the processes that Ray starts with the thread that has
    started them.
    """
    answer: Future[None] = Future()
    is_over = threading.Event()

    def start() -> None:
        try:
            with nullcontext() if address else _on_loopback():
                ray.init(
                    address=address or "local",
                    include_dashboard=False if address is None else None,
                    log_to_driver=False,
                    logging_level=logging.CRITICAL,
                )
            answer.set_result(None)
        except BaseException as error:  # Ray raises a bare Exception when its processes do not start in time
            answer.set_exception(error)
        else:
            is_over.wait()

    threading.Thread(target=start, name=f"{RAY_THREADS}start", daemon=True).start()
    try:
        if not _happens(answer.done, START_SECONDS):
            _end_processes(before)
            raise _no_cluster(address, f"nothing came of it within {START_SECONDS:g} s")
        error = answer.exception()
        if error is not None:
            raise _no_cluster(address, " ".join(str(error).split()) or type(error).__name__)
        yield
    finally:
        is_over.set()


def _no_cluster(address: str | None, said: str) -> UserError:
    if address:
        return UserError(f"--address: cannot use the Ray cluster at {address}: {said}; {HINT}")
    return UserError(
        f"Ray cannot start on this machine: {said}; `orchestrate doctor` checks what it needs, and `--executor "
        "inline` trains without it"
    )


def _shut_down(before: set[int]) -> None:
    """Leave the cluster; where Ray does not manage that in time, end the processes that were started for it."""
    # By its name, what Ray has kept to itself so far and prints now is dropped, too.
    thread = threading.Thread(target=ray.shutdown, name=f"{RAY_THREADS}shutdown", daemon=True)
    thread.start()
    if not _happens(lambda: not thread.is_alive(), SHUTDOWN_SECONDS):
        _end_processes(before)


def _happens(condition: Callable[[], bool], within_seconds: float) -> bool:
    """Wait for what a thread of Ray's does, with SIGTERM in our hands; return whether it was done in time."""
    until = time.monotonic() + within_seconds
    while True:
        is_done = condition()
        _take_back_sigterm()
        if is_done or time.monotonic() > until:
            return is_done
        time.sleep(SIGNAL_SECONDS)


def _take_back_sigterm() -> None:
    """Put the handler of SIGTERM that Python knows in the place of Ray's, and call off what that one has begun.

    When Ray's C++ part starts, it sets one that prints a stack and aborts the process three seconds later, before
    a run has saved its checkpoints; when it ends, it leaves none at all.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if handler is None or current_thread() is not main_thread():
        return
    signal.signal(signal.SIGTERM, handler)
    is_ours = hasattr(signal, "SIGALRM") and signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
    if hasattr(signal, "setitimer") and not is_ours and signal.getitimer(signal.ITIMER_REAL)[0] <= ABORT_SECONDS:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end_processes(before: set[int]) -> None:
    """End every process that this one has started since it had those `before`."""
    left = [each for each in psutil.Process().children(recursive=True) if each.pid not in before]
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=5)


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Let a cluster that is started here be one of the address 127.0.0.1, on which its processes then listen alone.

    Ray does so by itself on macOS and Windows; `_node_ip_address` cannot ask for it, since Ray replaces loopback there.
    """
    constants: Any = sys.modules.get("ray._private.ray_constants")  # which Ray itself has imported
    before = getattr(constants, "ENABLE_RAY_CLUSTER", None)
    if before is None:  # a version of Ray without this module or setting listens as it always does
        yield
        return
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Ray's own threads and its C++ part print from the terminal; what matters is told by this program."""
    streams = sys.stdout, sys.stderr
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):  # a process without a terminal has nothing to keep quiet
        yield
        return
    terminal = os.fdopen(os.dup(kept), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    is_plain = _descriptor(sys.stderr) == 2
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    sys.stdout = _WithoutRay(streams[0])
    sys.stderr = _WithoutRay(terminal if is_plain else streams[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        os.dup2(kept, 2)
        os.close(kept)
        terminal.close()


class _WithoutRay:
    """A stream that drops what Ray's threads print."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, unless a thread of Ray's prints it."""
        return len(text) if current_thread().name.startswith(RAY_THREADS) else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
