"""What the files of an image folder hold: a digest of each, known again without reading while the file is unchanged."""

import hashlib
import logging
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeVar

import numpy as np

from search_spaces.fact_cache import cache_folder
from trainers.data.class_folders import Sample
from trainers.data.files import file_error, unreadable
from trainers.data.readable import check_image
from trainers.errors import DataError

Check = Literal["headers", "all", "none"]
Array = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
Digests = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

T = TypeVar("T")

TOLD_BYTES = 2 * 2**30  # reading more than this for the first time is told
CHUNK = 256  # files that a thread takes at once
YOUNG_SECONDS = 2.0  # clocks of some disks tick this slowly: a younger file may change again within the same tick


class Stamp(NamedTuple):
    """What a file system tells of a file, and what changes with its contents: size, times in ns, inode."""

    size: int
    modified: int
    changed: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Return the stamp in what stat returns."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino % 2**63)


class Known(NamedTuple):
    """What was found of a file when it had that stamp: its SHA-256, and how closely it was looked at."""

    stamp: Stamp
    digest: bytes
    check: str


@dataclass(frozen=True)
class Photos:
    """Some images of a folder: paths and labels, with the stamp and the digest of each file as it was planned with.

    `stamps` is (count, 4), `digests` (count, 32), or (count, 0) where contents are not looked at.
    """

    samples: tuple[Sample, ...]
    stamps: Array
    digests: Digests

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, index: Sequence[int]) -> "Photos":
        """Return the images at `index`, in that order."""
        rows = np.asarray(index, np.int64)
        return Photos(tuple(self.samples[at] for at in index), self.stamps[rows], self.digests[rows])

    def check_unchanged(self, index: int, file: BinaryIO) -> None:
        """Raise DataError where an open file is not what was planned with; its position is kept."""
        status = os.fstat(file.fileno())
        if Stamp.of(status) == tuple(self.stamps[index]):
            return
        planned = self.digests[index].tobytes()
        is_same = bool(planned) and _digest(file) == planned
        file.seek(0)
        if not is_same and (planned or Stamp.of(status)[:2] != tuple(self.stamps[index][:2])):
            raise file_error(
                f"{self.samples[index][0]} has changed since the training was planned: run again, and what the change "
                "concerns is trained anew"
            )


def examine(root: Path, samples: Sequence[Sample], check: Check) -> Photos:
    """Return the images with their stamps and digests; DataError for files that are no whole images.

    Files are read once: what is known of a file is kept in a folder of the user's cache until its stamp changes.
    """
    paths = [path for path, _ in samples]
    if check == "none":
        stamps = [Stamp.of(_stat(path)) for path in paths]
        return Photos(tuple(samples), _stamps(stamps), np.zeros((len(paths), 0), np.uint8))
    cache = _cache_file(root)
    before = _read_cache(cache)
    started = time.time_ns()
    names = [os.path.relpath(path, root) for path in paths]
    known = _look_at(paths, [before.get(name) for name in names], check)
    if new := {name: each for name, each in zip(names, known, strict=True) if before.get(name) is not each}:
        _write_cache(cache, before | new, started)
    digests = np.frombuffer(b"".join(each.digest for each in known), np.uint8).reshape(len(known), -1)
    return Photos(tuple(samples), _stamps([each.stamp for each in known]), digests)


def fingerprint(parts: Mapping[str, Photos], root: Path) -> str:
    """Return the SHA-256 of labels and contents in their order, of each part under its role.

    Where contents are not looked at, names and sizes stand for them.
    """
    digest = hashlib.sha256(b"image_folder 2\n")
    for role, photos in parts.items():
        labels = np.array([label for _, label in photos.samples], "<i8")
        digest.update(f"{role} {len(photos)}\n".encode() + labels.tobytes() + photos.digests.tobytes())
        if not photos.digests.shape[1]:
            for (path, _), size in zip(photos.samples, photos.stamps[:, 0], strict=True):
                digest.update(os.fsencode(f"{os.path.relpath(path, root)}\t{size}\n"))
    return digest.hexdigest()


def shared(one: Photos, other: Photos) -> int:
    """Return how many images of `one` have the contents of an image of `other`; 0 where contents are not known."""
    if not one.digests.shape[1]:
        return 0
    known = {row.tobytes() for row in other.digests}
    return sum(row.tobytes() in known for row in one.digests)


def in_two_classes(photos: Photos) -> int:
    """Return how many images have the contents of an image of another class; 0 where contents are not known."""
    if not photos.digests.shape[1]:
        return 0
    rows = [row.tobytes() for row in photos.digests]
    labels: dict[bytes, set[int]] = {}
    for row, (_, label) in zip(rows, photos.samples, strict=True):
        labels.setdefault(row, set()).add(label)
    return sum(len(labels[row]) > 1 for row in rows)


def _look_at(paths: Sequence[str], known: Sequence[Known | None], check: Check) -> list[Known]:
    """Return what is known of each file, reading those that are new or have changed, many at a time."""
    _tell_of_long_reading(paths, known)
    look = partial(_look_at_some, check=check)
    with ThreadPoolExecutor(min(16, 2 * (os.cpu_count() or 1))) as threads:
        results = list(chain.from_iterable(threads.map(look, _chunks(paths), _chunks(known))))
    examined = [each for each in results if isinstance(each, Known)]
    if faults := [each for each in results if isinstance(each, DataError)]:
        raise _together(faults)
    return examined


def _chunks(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[at : at + CHUNK] for at in range(0, len(values), CHUNK)]


def _look_at_some(paths: Sequence[str], known: Sequence[Known | None], *, check: Check) -> list[Known | DataError]:
    return [_look_at_one(path, each, check) for path, each in zip(paths, known, strict=True)]


def _look_at_one(path: str, known: Known | None, check: Check) -> Known | DataError:
    try:
        stamp = Stamp.of(_stat(path))
        if known is not None and known.stamp == stamp and known.check in (check, "all"):
            return known
        with open(path, "rb") as file:
            check_image(path, file, stamp.size, decode=check == "all")
            file.seek(0)
            return Known(stamp, _digest(file), check)
    except DataError as error:
        return error
    except OSError as error:
        return unreadable(error, path)


def _digest(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while part := file.read(2**20):
        digest.update(part)
    return digest.digest()


def _stat(path: str) -> os.stat_result:
    try:
        status = os.stat(path)
    except OSError as error:
        raise unreadable(error, path) from None
    if not stat.S_ISREG(status.st_mode):
        raise file_error(f"{path} is no file that could hold an image: take it away")
    return status


def _together(faults: Sequence[DataError]) -> DataError:
    first, *rest = faults
    if not rest:
        return first
    more = "file is" if len(rest) == 1 else "files are"
    second = rest[0].message.partition(" is ")[0]
    return DataError(f"{first.message} ({len(rest):,} more {more} faulty, for instance {second})", first.key)


def _tell_of_long_reading(paths: Sequence[str], known: Sequence[Known | None]) -> None:
    new = [path for path, each in zip(paths, known, strict=True) if each is None]
    sizes = sum(os.path.getsize(path) for path in new if os.path.exists(path))
    if sizes > TOLD_BYTES:
        logging.getLogger(__name__).warning(
            "reading %s images once (%.0f GB), to know their contents; `check: none` in data: leaves it out",
            f"{len(new):,}",
            sizes / 1e9,
        )


def _stamps(stamps: Sequence[Stamp]) -> Array:
    return np.array(stamps, np.int64).reshape(len(stamps), 4)


_HEADING = "digests of images 1"


def _cache_file(root: Path) -> Path | None:
    """Return the file that keeps what is known of the images below `root`, None where none can be kept."""
    folder = cache_folder()
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:24]
    return None if folder is None else folder / f"{name}.images"


def _read_cache(cache: Path | None) -> dict[str, Known]:
    """Return what is known of files by their names below the root; nothing where there is no cache that can be read."""
    try:
        content = cache.read_bytes() if cache is not None else b""
    except OSError:
        return {}
    heading, *lines = content.split(b"\n")
    return dict(_parsed(lines)) if heading.decode("ascii", "replace") == _HEADING else {}


def _parsed(lines: Sequence[bytes]) -> Iterator[tuple[str, Known]]:
    for line in lines:
        try:
            digest, check, size, modified, changed, inode, name = line.split(b"\t", 6)
            stamp = Stamp(int(size), int(modified), int(changed), int(inode))
            yield os.fsdecode(name), Known(stamp, bytes.fromhex(digest.decode()), sys.intern(check.decode()))
        except ValueError:
            continue  # torn: the file is read again


def _write_cache(cache: Path | None, known: Mapping[str, Known], started: int) -> None:
    """Keep what is known of the files, without those that may still change within the tick of a clock."""
    if cache is None:
        return
    limit = started - int(YOUNG_SECONDS * 1e9)
    lines = [_HEADING.encode()]
    for name, each in known.items():
        if "\n" not in name and max(each.stamp.modified, each.stamp.changed) < limit:
            numbers = "\t".join(map(str, each.stamp))
            lines.append(os.fsencode(f"{each.digest.hex()}\t{each.check}\t{numbers}\t{name}"))
    part = cache.with_name(f"{cache.name}.{os.getpid()}")
    try:
        part.write_bytes(b"\n".join(lines))
        os.replace(part, cache)
    except OSError:
        part.unlink(missing_ok=True)
