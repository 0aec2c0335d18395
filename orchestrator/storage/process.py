"""Who runs a study: this process, another one, or one that is gone."""

import os
import socket
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import psutil

from orchestrator.records.events import now

STALE_AFTER = timedelta(seconds=90)
WATCH_SECONDS = 30.0
"""How long a process out of sight, whose heartbeat tells nothing by itself, is watched: three of its beats."""
# A process's start is rounded to the clock tick, and moves when the host's clock is set.
_SAME_START = 2.0


class Liveness(Enum):
    """What can be told of the process that a row of `studies` names."""

    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"  # it is out of sight, and its heartbeat is old or comes from a clock that is wrong


def here() -> dict[str, Any]:
    """Return the columns of a lease that say which process this is."""
    return {
        "lease_host": socket.gethostname(),
        "lease_pid": os.getpid(),
        "lease_process_started": psutil.Process().create_time(),
        "lease_process": _identity(os.getpid()),
    }


def sign_of(row: Any) -> Liveness:
    """Return whether the process that a row of `studies` names still runs the study.

    In sight, on this host and in this PID namespace, the process itself is looked up; of others only the heartbeat
    is known.
    """
    if row.lease_owner is None:
        return Liveness.GONE
    if is_in_sight(row):
        return Liveness.ALIVE if _lives(row) else Liveness.GONE
    return Liveness.ALIVE if abs(now() - row.lease_heartbeat) < STALE_AFTER else Liveness.UNKNOWN


def holds(row: Any) -> bool:
    """Whether the process that a row of `studies` names still runs the study, as far as one look can tell."""
    return sign_of(row) is Liveness.ALIVE


def describe(row: Any) -> str:
    """Return the process that a row of `studies` names, in words."""
    return f"process {row.lease_pid} on {row.lease_host} since {row.lease_since:%Y-%m-%d %H:%M:%S} UTC"


def is_in_sight(row: Any) -> bool:
    """Whether the process that a row of `studies` names is one of this host and PID namespace."""
    mine = _identity(os.getpid())
    if row.lease_process is None or mine is None:
        return bool(row.lease_host == socket.gethostname())
    return bool(row.lease_process.split()[:2] == mine.split()[:2])


def _lives(row: Any) -> bool:
    try:
        process = psutil.Process(row.lease_pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if row.lease_process is not None:
            return bool(row.lease_process == _identity(row.lease_pid))
        return bool(abs(process.create_time() - row.lease_process_started) < _SAME_START)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _identity(pid: int) -> str | None:
    """Return boot, PID namespace and start of a process, which no clock can change; None where it cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
    return f"{boot} {namespace} {started}"
