"""The signals that ask a run to end, and how they are turned into a flag that its loop reads."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import current_thread, main_thread
from typing import Any

from orchestrator.errors import Interrupted

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name))


@contextmanager
def interruptible() -> Iterator[Flag]:
    """Turn the first signal that asks for an end into a flag; the second one raises Interrupted.

    A terminal that closes sends SIGHUP, a batch system that is about to end the job SIGUSR1. What the parent lets
    ignore, as nohup does, stays ignored.
    """
    flag = Flag()
    if current_thread() is not main_thread():
        yield flag
        return

    def interrupt(number: int, frame: Any) -> None:
        if flag.is_set():
            raise Interrupted
        flag.set()

    taken = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in taken}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
