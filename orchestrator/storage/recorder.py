"""The single writer: a thread that records events in their order, so that whoever reports one never waits."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from orchestrator.events import Event
from orchestrator.storage.errors import StorageError, explain, is_passing
from orchestrator.storage.journal import record
from orchestrator.storage.store import Store

Listener = Callable[[Event], object]

_logger = logging.getLogger(__name__)
_AT_ONCE = 200


class Recorder:
    """Records the events of one study's driver, in one transaction an event or one for all that wait together.

    `put` returns at once and never raises, so executors may call it from any thread. Each listener is called, in the
    recorder's thread, with every event that changed something, after it is safe in the database. When the database
    cannot be written the recorder tries again, ever more slowly, for about `patience` seconds; after that `problem`
    holds the error, events are still kept in their order and tried again with each that follows, and `close` raises
    the error when some could not be written by then.
    """

    def __init__(self, store: Store, study: str, listeners: Iterable[Listener] = (), *, patience: float = 60) -> None:
        self.problem: StorageError | None = None
        self._store = store
        self._study = study
        self._listeners = tuple(listeners)
        self._patience = patience
        self._queue: SimpleQueue[Event | Flag | None] = SimpleQueue()
        self._unwritten: list[Event] = []
        self._refused: StorageError | None = None
        self._thread = Thread(target=self._work, name=f"recorder of {study}", daemon=True)
        self._closed = False

    def __enter__(self) -> Self:
        self._study_id, self._driver = self._store.driver_of(self._study)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except StorageError as unwritten:
            if error is None:
                raise
            # The first error is the one to report; this one must not hide it, nor be lost.
            error.add_note(str(unwritten))

    def put(self, event: Event) -> None:
        """Hand an event over to be recorded."""
        if self._closed:
            _logger.error("an event came after the recorder was closed and is not recorded: %s", event)
        self._queue.put(event)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until every event put so far was tried; return False when `timeout` seconds were not enough."""
        done = Flag()
        self._queue.put(done)
        return done.wait(timeout)

    def close(self) -> None:
        """Record what still waits and stop; StorageError when some events could not be recorded."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
        if self.problem:
            raise self.problem

    def _work(self) -> None:
        closing = False
        while not closing:
            flags, closing = self._collect()
            try:
                self._write_patiently()
            except Exception as error:
                # Whatever this is, the thread must live on, or events would pile up unseen.
                _logger.exception("the recorder failed")
                self.problem = StorageError(f"{self._store.where} could not be written: {error}")
            for flag in flags:
                flag.set()

    def _collect(self) -> tuple[list[Flag], bool]:
        """Wait for the next event and take the others that wait behind it."""
        flags: list[Flag] = []
        item = self._queue.get()
        while True:
            if item is None:
                return flags, True
            if isinstance(item, Flag):
                flags.append(item)
            else:
                self._unwritten.append(item)
            if len(self._unwritten) >= _AT_ONCE:
                return flags, False
            try:
                item = self._queue.get_nowait()
            except Empty:
                return flags, False

    def _write_patiently(self) -> None:
        """Write what is unwritten; on a lock or a full disk try again until patience ends."""
        until = time.monotonic() + self._patience
        pause = 0.05
        while self._unwritten:
            batch = self._unwritten[:_AT_ONCE]
            try:
                self._write(batch)
            except SQLAlchemyError as error:
                if not is_passing(error):
                    self._write_one_by_one(batch)
                    continue
                if time.monotonic() + pause > until:
                    count = len(self._unwritten)
                    cause = explain(error, self._store.where)
                    self.problem = StorageError(f"{count} events of the study could not be recorded: {cause}")
                    return
                time.sleep(pause)
                pause = min(pause * 2, 5)
            except Exception:
                self._write_one_by_one(batch)
        self.problem = self._refused

    def _write(self, batch: Sequence[Event]) -> None:
        with self._store.database.writing_raw() as connection:
            applied = [record(connection, event, self._driver, self._study_id) for event in batch]
        del self._unwritten[: len(batch)]
        for event, changed in zip(batch, applied, strict=True):
            if changed:
                self._tell(event)

    def _write_one_by_one(self, batch: Sequence[Event]) -> None:
        """Write each event of a batch by itself, since one of them is wrong and the others must not suffer for it."""
        for event in batch:
            try:
                self._write([event])
            except Exception as error:
                if is_passing(error):
                    raise
                del self._unwritten[0]
                cause = explain(error, self._store.where) if isinstance(error, SQLAlchemyError) else error
                self._refused = self._refused or StorageError(f"{type(event).__name__} could not be recorded: {cause}")
                _logger.error("not recorded: %s: %s", event, cause)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _logger.exception("a listener failed")
