"""Who runs a study: this process, another one, or one that is gone."""

import os
import socket
from datetime import timedelta
from typing import Any

import psutil

from orchestrator.records.events import now

STALE_AFTER = timedelta(seconds=90)
# A process's start is rounded to the clock tick, and moves when the host's clock is set.
_SAME_START = 2.0


def here() -> dict[str, Any]:
    """Return the columns of a lease that say which process this is."""
    return {
        "lease_host": socket.gethostname(),
        "lease_pid": os.getpid(),
        "lease_process_started": psutil.Process().create_time(),
    }


def holds(row: Any) -> bool:
    """Whether the process that a row of `studies` names still runs the study.

    On this host the process itself is looked up; of another host only its heartbeat is known.
    """
    if row.lease_owner is None:
        return False
    if row.lease_host == socket.gethostname():
        return _lives(row.lease_pid, row.lease_process_started)
    return bool(now() - row.lease_heartbeat < STALE_AFTER)


def describe(row: Any) -> str:
    """Return the process that a row of `studies` names, in words."""
    return f"process {row.lease_pid} on {row.lease_host} since {row.lease_since:%Y-%m-%d %H:%M:%S} UTC"


def _lives(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(process.create_time() - started) < _SAME_START)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
