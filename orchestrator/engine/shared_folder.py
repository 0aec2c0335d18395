"""A folder that every node reaches by its URL (file://, s3://, gs://, …), and how long each use of it may take."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from orchestrator.deadline import NoAnswer, within

ANSWER_SECONDS = 60.0
"""How long a storage may take for one file before it counts as out of reach."""
PAUSE_SECONDS = 60.0
"""How long nothing more is asked of a storage that did not answer."""
REST_SHARE = 10.0
"""A file that could not be sent is followed by a rest so many times as long, so that trainings are hardly held up."""

T = TypeVar("T")


class OutOfReach(Exception):
    """The storage does not do what it is asked; the message says why, in one line."""


class SharedFolder:
    """The files in one folder of a storage that fsspec knows; every method raises OutOfReach where it fails.

    No call takes longer than `ANSWER_SECONDS`, and for `PAUSE_SECONDS` after one that did all others fail at once.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._silent_until = 0.0
        self._rest_until = 0.0
        self._refusal = ""
        with _in_one_line():
            self._files, root = url_to_fs(url)
        self._root = str(root).rstrip("/")

    def fetch(self, name: str, to: Path) -> bool:
        """Copy a file of the folder to `to`; return False where there is none."""

        def get() -> bool:
            self._files.invalidate_cache()
            if not self._files.exists(self._full(name)):
                return False
            to.parent.mkdir(parents=True, exist_ok=True)
            beside = to.with_name(f".{to.name}.{os.getpid()}.part")
            try:
                self._files.get_file(self._full(name), str(beside))
                beside.replace(to)
            finally:
                beside.unlink(missing_ok=True)
            return True

        return self._answered(get)

    def send(self, path: Path, *, keep: str | None = None) -> None:
        """Copy a file into the folder; the one that it replaces is kept under the name `keep`.

        After a failure the storage is left alone for ten times as long as that took, `PAUSE_SECONDS` at most.
        """

        def put() -> None:
            self._files.invalidate_cache()
            self._make()
            if keep is not None and self._files.exists(self._full(path.name)):
                self._files.mv(self._full(path.name), self._full(keep))
            if not isinstance(self._files, LocalFileSystem):  # an object is there as a whole or not at all
                self._files.put_file(str(path), self._full(path.name))
                return
            beside = Path(self._root, f".{path.name}.{os.getpid()}.part")
            try:
                self._files.put_file(str(path), str(beside))
                beside.replace(self._full(path.name))
            finally:
                beside.unlink(missing_ok=True)

        began = time.monotonic()
        if began < self._rest_until:
            raise OutOfReach(self._refusal)
        try:
            self._answered(put)
        except OutOfReach as error:
            ended = time.monotonic()
            self._rest_until = ended + min(REST_SHARE * (ended - began), PAUSE_SECONDS)
            self._refusal = str(error)
            raise

    def mark(self, name: str) -> None:
        """Make an empty file in the folder."""

        def make() -> None:
            self._make()
            self._files.pipe_file(self._full(name), b"")

        self._answered(make)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

        def look() -> bool:
            self._files.invalidate_cache()
            return bool(self._files.exists(self._full(name)))

        return self._answered(look)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; one that is gone already is no fault."""

        def delete() -> None:
            for name in names:
                with suppress(FileNotFoundError):
                    self._files.rm_file(self._full(name))

        self._answered(delete)

    def _make(self) -> None:
        """Make the folder where there are folders; where there are only objects, this would make a missing bucket."""
        if self._root.startswith("/"):
            self._files.makedirs(self._root, exist_ok=True)

    def _full(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _answered(self, call: Callable[[], T]) -> T:
        """Return what `call` does, in a thread that is left behind when it takes too long."""
        if time.monotonic() < self._silent_until:
            raise OutOfReach("it does not answer")
        try:
            with _in_one_line():
                return within(ANSWER_SECONDS, call)
        except OutOfReach as error:
            if isinstance(error.__cause__, NoAnswer):
                self._silent_until = time.monotonic() + PAUSE_SECONDS
            raise


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each storage's library raises errors of its own: no key, no bucket, no network
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OutOfReach(" ".join(str(said).split()) or type(error).__name__) from error
