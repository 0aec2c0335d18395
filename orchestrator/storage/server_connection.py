"""A connection to PostgreSQL that gives up on a server that does not answer, for which psycopg's own waits for ever."""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

ANSWER_SECONDS = 300.0
"""How long a statement may take; locks of other programs are waited for as long."""

T = TypeVar("T")


class ServerConnection(psycopg.Connection[Any]):
    """Raises OperationalError, and is closed, where a statement has no answer after `answer_seconds`."""

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: Generator[Any, Any, T], *arguments: Any, **options: Any) -> T:
        """Wait for an answer of the server; psycopg calls this for every statement, COMMIT included."""
        limited = _limited(gen, time.monotonic() + self.answer_seconds)
        try:
            return super().wait(limited, *arguments, **options)
        except TimeoutError:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the connection had no answer for {self.answer_seconds:g} s, as from a server that is stopped"
            ) from None


def _limited(waiting: Generator[Any, Any, T], until: float) -> Generator[Any, Any, T]:
    """Pass on what psycopg asks for and gets; TimeoutError when that is still nothing at the moment `until`."""
    try:
        asked = next(waiting)
        while True:
            ready = yield asked
            if not ready and time.monotonic() > until:
                raise TimeoutError
            asked = waiting.send(ready)
    except StopIteration as end:
        answer: T = end.value
        return answer
