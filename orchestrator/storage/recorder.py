"""The single writer: a thread that records events in their order, so that whoever reports one never waits."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from orchestrator.records.events import Event, TrialEnded
from orchestrator.storage.errors import DatabaseGone, StorageError, explain, is_broken, is_transient
from orchestrator.storage.journal import record
from orchestrator.storage.spool import write_spool
from orchestrator.storage.store import Store

Listener = Callable[[Event], object]

_logger = logging.getLogger(__name__)
_AT_ONCE = 200
_LOOK_SECONDS = 0.5  # how often a wait looks whether the thread that it waits for still lives


class Recorder:
    """Records the events of one study's driver, in one transaction an event or one for all that wait together.

    `put` returns at once and never raises, so executors may call it from any thread. Each listener is called, in the
    recorder's thread, with every event that changed something, after it is safe in the database. When the database
    cannot be written the recorder tries again, ever more slowly, for about `patience` seconds; after that `problem`
    holds the error, events are still kept in their order and tried again with each that follows, and `close` raises
    the error when some could not be written by then; these are kept in the file `spool`. `close` waits no longer than
    twice the patience for a listener or a database that does not answer. A recorder whose thread ends
    before its time has a `problem` too. A listener that raises anything at all is told of no further event.
    """

    def __init__(
        self,
        store: Store,
        study: str,
        listeners: Iterable[Listener] = (),
        *,
        patience: float = 60,
        spool: Path | None = None,
    ) -> None:
        self._store = store
        self._study = study
        self._listeners = list(listeners)
        self._patience = patience
        self._spool = spool
        self._queue: SimpleQueue[Event | Flag | None] = SimpleQueue()
        self._unwritten: list[Event] = []
        self._stuck: StorageError | None = None
        self._refused: StorageError | None = None
        self._dead: StorageError | None = None
        self._thread = Thread(target=self._live, name=f"recorder of {study}", daemon=True)
        self._closed = False
        self._done = 0  # events written and told: by this a wait sees that the thread gets on

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

    @property
    def problem(self) -> StorageError | None:
        """Why some events are not recorded; None when all is well."""
        return self._dead or self._stuck or self._refused

    def put(self, event: Event) -> None:
        """Hand an event over to be recorded."""
        if self._closed:
            _logger.error("an event came after the recorder was closed and is not recorded: %s", event)
        self._queue.put(event)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until every event put so far was tried.

        Return False when `timeout` seconds were not enough, or when the recorder's thread has ended.
        """
        if self._closed:
            return not self._unwritten
        done = Flag()
        self._queue.put(done)
        until = None if timeout is None else time.monotonic() + timeout
        while self._thread.is_alive():
            left = _LOOK_SECONDS if until is None else min(until - time.monotonic(), _LOOK_SECONDS)
            if done.wait(max(left, 0)):
                return True
            if until is not None and time.monotonic() >= until:
                return False
        return done.is_set()

    def close(self) -> None:
        """Record what still waits and stop; StorageError when some events could not be recorded."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._wait_for_end()
        if self.problem:
            raise self._kept(self.problem)

    def _wait_for_end(self) -> None:
        """Wait for the thread for as long as it gets on; one that does not for twice the patience is left behind."""
        done = -1
        while self._thread.is_alive() and done != self._done:
            done = self._done
            self._thread.join(2 * self._patience)
        if self._thread.is_alive():
            self._dead = StorageError(
                f"recording did not end: the database, or whatever shows the progress, did not answer for "
                f"{2 * self._patience:g} s"
            )

    def _kept(self, problem: StorageError) -> StorageError:
        """Keep what is unwritten in the spool; return the problem with where that is."""
        left = [*self._unwritten]
        with suppress(Empty):
            while True:
                item = self._queue.get_nowait()
                if item is not None and not isinstance(item, Flag):
                    left.append(item)
        if not left or self._spool is None:
            return problem
        try:
            write_spool(self._spool, self._driver, left)
        except OSError as error:
            return StorageError(f"{problem}; nor could they be kept in {self._spool} ({error.strerror})")
        return StorageError(f"{problem}; {_so_many(len(left))} kept in {self._spool}, which the next run records")

    def _live(self) -> None:
        try:
            self._work()
        except BaseException as error:  # also SystemExit: whoever waits for this thread must learn that it ended
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            self._dead = StorageError(f"recording ended ({reason}); the results since then are not recorded")
            _logger.error("the recorder ended", exc_info=error)

    def _work(self) -> None:
        closing = False
        while not closing:
            flags, closing = self._collect()
            # What patience could not mend is tried once with each new event, and patiently for a last time.
            self._write_all(self._patience if closing or self._stuck is None else 0)
            for flag in flags:
                flag.set()

    def _collect(self) -> tuple[list[Flag], bool]:
        """Wait for the next event and take those that wait behind it."""
        flags: list[Flag] = []
        items = [self._queue.get(), *(self._queue.get() for _ in range(self._queue.qsize()))]
        for item in items:
            if isinstance(item, Flag):
                flags.append(item)
            elif item is not None:
                self._unwritten.append(item)
        return flags, None in items

    def _write_all(self, patience: float) -> None:
        """Write what is unwritten; when the database cannot be written try again for `patience` seconds."""
        until = time.monotonic() + patience
        pause = 0.05
        singly = 0
        while self._unwritten:
            batch = self._unwritten[: 1 if singly else _AT_ONCE]
            try:
                self._write(batch)
                singly = max(singly - 1, 0)
            except DatabaseGone as error:
                self._stuck = error
                return
            except Exception as error:
                if is_broken(error):
                    self._stuck = self._sentence(_so_many(len(self._unwritten)), error)
                    return
                if is_transient(error):
                    if time.monotonic() + pause > until:
                        self._stuck = self._sentence(_so_many(len(self._unwritten)), error)
                        return
                    time.sleep(pause)
                    pause = min(pause * 2, 5)
                elif len(batch) > 1:
                    # One event is wrong, and the others must not suffer for it.
                    singly = len(batch)
                else:
                    singly = max(singly - 1, 0)
                    self._refused = self._refused or self._sentence(f"the event {type(batch[0]).__name__}", error)
                    _logger.error("not recorded: %s", self._unwritten.pop(0), exc_info=error)
        self._stuck = None

    def _write(self, batch: Sequence[Event]) -> None:
        # A result that was shown must survive a power cut; what else one takes away is found out and told again.
        durable = any(isinstance(event, TrialEnded) for event in batch)
        with self._store.database.writing_raw(durable=durable) as connection:
            applied = [record(connection, event, self._driver, self._study_id) for event in batch]
        del self._unwritten[: len(batch)]
        for event, changed in zip(batch, applied, strict=True):
            if changed:
                self._tell(event)
            self._done += 1

    def _sentence(self, what: str, error: Exception) -> StorageError:
        cause = explain(error, self._store.where) if isinstance(error, SQLAlchemyError) else error
        return StorageError(f"{what} could not be recorded: {cause}")

    def _tell(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except BaseException as error:  # also SystemExit: no listener may end the recording
                self._listeners.remove(listener)
                _logger.error("a listener failed and is told no more", exc_info=error)


def _so_many(events: int) -> str:
    return "an event" if events == 1 else f"{events} events"
