"""Wait for a call no longer than so many seconds, whatever it waits for itself."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class NoAnswer(Exception):
    """The call has not returned in time; its thread is left behind."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` does in a thread of its own, or raise what it raises; NoAnswer after so many seconds."""
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=work, name=f"{getattr(call, '__qualname__', 'call')} within {seconds:g} s", daemon=True).start()
    if wait([answer], seconds).not_done:
        raise NoAnswer(f"no answer within {seconds:g} s")
    return answer.result()
