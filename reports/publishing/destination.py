"""Where a site is written: a folder of this machine, or any place that fsspec knows by its URL (s3://, gs://, memory://).

Paths are relative to the root of the site, with "/" between their parts.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem


class DestinationError(ValueError):
    """A place that cannot be read or written: the message says which, and why."""


class Destination:
    """The files of one site, read and written by path."""

    def __init__(self, address: str) -> None:
        """Open `address`, a folder or a URL; DestinationError where no library for its protocol is there."""
        self.address = address
        if not address.strip() or os.path.isfile(address):  # also of a name that is too long
            raise DestinationError(f"--to {address or repr(address)}: name a folder, for instance site")
        with self._told():
            is_url = "://" in address
            place = url_to_fs(address) if is_url else (LocalFileSystem(), str(Path(address).absolute()))
        self._files, self._root = place[0], str(place[1]).rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self._files, LocalFileSystem)

    def sizes(self) -> Mapping[str, int]:
        """Return the size in bytes of every file that is there now; none where the place is not there yet."""
        with self._told():
            self._files.invalidate_cache()
            try:
                files = self._files.find(self._root, detail=True)
            except FileNotFoundError:
                return {}
        return {self._relative(path): int(facts["size"] or 0) for path, facts in files.items() if path != self._root}

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """Return the contents of those of `paths` that are there."""
        wanted = [self._full(path) for path in paths]
        with self._told():
            if self.is_local:
                return {self._relative(path): Path(path).read_bytes() for path in wanted if Path(path).is_file()}
            contents = self._files.cat(wanted, on_error="omit") if wanted else {}
            return {self._relative(path): data for path, data in contents.items()}

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write the files in their order, each in one step: a reader sees the old one or the new one, never half."""
        with self._told():
            for path, data in files.items():
                self._put(self._full(path), data)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove the files; one that is gone already is no fault."""
        with self._told():
            for path in paths:
                if self._files.exists(self._full(path)):
                    self._files.rm_file(self._full(path))

    def _put(self, path: str, data: bytes) -> None:
        folder, _, name = path.rpartition("/")
        if self.is_local:
            Path(folder).mkdir(parents=True, exist_ok=True)
            beside = Path(folder) / f".{name}.{os.getpid()}.part"
            beside.write_bytes(data)
            beside.replace(path)
            return
        with tempfile.TemporaryDirectory() as own:  # a copied file gets the content type that belongs to its name
            (Path(own) / name).write_bytes(data)
            self._files.put_file(str(Path(own) / name), path)

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _relative(self, path: str) -> str:
        return path.removeprefix(self._root).lstrip("/")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each storage's library raises errors of its own: no key, no bucket, no network
            said = " ".join(str(_reason(error)).split()) or type(error).__name__
            raise DestinationError(f"--to {self.address}: {said}") from error


def _reason(error: Exception) -> Any:
    """What the system says, without the path that the message names already."""
    return error.strerror if isinstance(error, OSError) and error.strerror else error
