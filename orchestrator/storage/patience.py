"""Try again for a while what the database refuses now and may take later."""

import time
from collections.abc import Callable
from typing import TypeVar

from orchestrator.storage.errors import StorageError, is_transient

SECONDS = 120.0
LONGEST_PAUSE = 5.0

T = TypeVar("T")


def patiently(call: Callable[[], T], seconds: float = SECONDS) -> T:
    """Return what `call` does; while the database is locked or out of reach, try again for so many seconds.

    StorageError when it could not be done by then, or at once for what no time mends.
    """
    until = time.monotonic() + seconds
    pause = 0.1
    while True:
        try:
            return call()
        except StorageError as error:
            cause = error.__cause__
            if cause is None or not is_transient(cause) or time.monotonic() + pause > until:
                raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
