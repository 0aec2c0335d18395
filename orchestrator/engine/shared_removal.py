"""Remove files from a shared folder without waiting for its storage."""

from collections.abc import Iterable
from queue import SimpleQueue
from threading import Thread

from orchestrator.engine.shared_folder import ANSWER_SECONDS, OutOfReach, SharedFolder

AT_ONCE = 100


class SharedRemoval:
    """Removes files of a shared folder in a thread of its own.

    What the storage does not let go is tried again with what follows, and at the end, which is waited for no longer
    than the storage may take for one file.
    """

    def __init__(self, shared: SharedFolder) -> None:
        self._shared = shared
        self._queue: SimpleQueue[tuple[str, ...] | None] = SimpleQueue()
        self._left: list[str] = []
        self._thread = Thread(target=self._work, name=f"removal from {shared.url}", daemon=True)
        self._thread.start()

    def remove(self, names: Iterable[str]) -> None:
        """Remove files soon; one that is gone already is no fault."""
        self._queue.put(tuple(names))

    def close(self) -> None:
        """Try what is left for a last time, and end."""
        self._queue.put(None)
        self._thread.join(ANSWER_SECONDS)

    def _work(self) -> None:
        while (names := self._queue.get()) is not None:
            self._left += names
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            while self._left:
                self._shared.remove(self._left[:AT_ONCE])
                del self._left[:AT_ONCE]
        except OutOfReach:
            return
