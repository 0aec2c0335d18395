"""Wait for a call no longer than so many seconds, whatever it waits for itself."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class NoAnswer(Exception):
    """The call has not returned in time; its thread is left behind."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` does in a thread of its own, or raise what it raises; NoAnswer after so many seconds."""
    answers: SimpleQueue[tuple[T, None] | tuple[None, BaseException]] = SimpleQueue()

    def work() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:
            answers.put((None, error))

    Thread(target=work, name=f"{getattr(call, '__qualname__', 'call')} within {seconds:g} s", daemon=True).start()
    try:
        value, error = answers.get(timeout=seconds)
    except Empty:
        raise NoAnswer(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
