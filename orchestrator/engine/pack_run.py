"""Run one pack step by step and report each step, whatever the user's code raises or prints."""

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trainers
from orchestrator.engine.backend import Report
from orchestrator.engine.failures import failure_of
from orchestrator.engine.worker import UnfitNode, WorkerSettings, train_pack
from orchestrator.errors import Interrupted
from orchestrator.records.events import TrialEnded
from orchestrator.scheduling.packs import Pack
from search_spaces.containment import same_folder

MOST_OUTPUT = 100_000
"""Characters that are kept of what a training prints between two reports."""


class PackRun:
    """The training of one pack: `step` trains until there is news, `close` saves a checkpoint."""

    def __init__(self, pack: Pack, worker: WorkerSettings) -> None:
        self._trainer: trainers.Trainer | None = None
        self._reported = 0
        self._steps = train_pack(pack, worker, self._begun)

    def step(self) -> Report:
        """Train until there is news, and report it; the last report is the one that is over."""
        output = io.StringIO()
        with _printing_to(output), same_folder():
            try:
                events = next(self._steps, None)
                is_last = bool(events and isinstance(events[-1], TrialEnded) and next(self._steps, None) is None)
            except Interrupted:
                raise
            except UnfitNode as error:
                return Report(is_over=True, unfit=str(error))
            except BaseException as error:  # a user's code may raise SystemExit, too
                return Report(is_over=True, failure=failure_of(error), output=output.getvalue())
        self._reported += 1
        is_over = events is None or is_last
        return Report(events=tuple(events or ()), output=output.getvalue(), is_over=is_over, steps=self.progress)

    @property
    def progress(self) -> int:
        """A number that grows for as long as the pack is being trained or measured."""
        return self._reported + (0 if self._trainer is None else self._trainer.steps_begun)

    def _begun(self, trainer: "trainers.Trainer") -> None:
        self._trainer = trainer

    def close(self) -> None:
        """Save a checkpoint when the pack is not finished."""
        self._steps.close()


@contextmanager
def _printing_to(output: io.StringIO) -> Iterator[None]:
    """Keep what this thread prints; other threads print as before."""
    before = sys.stdout, sys.stderr
    thread = threading.get_ident()
    sys.stdout, sys.stderr = (_OfThread(thread, output, stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _OfThread(io.TextIOBase):
    """A stream that takes what one thread writes, and hands what others write to the stream before."""

    def __init__(self, thread: int, output: io.StringIO, other: Any) -> None:
        self._thread = thread
        self._output = output
        self._other = other

    def write(self, text: str, /) -> int:
        if threading.get_ident() != self._thread:
            return int(self._other.write(text) or 0)
        if self._output.tell() < MOST_OUTPUT:
            self._output.write(text)
        return len(text)

    def flush(self) -> None:
        if threading.get_ident() != self._thread and self._other is not None:
            self._other.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other, name)
