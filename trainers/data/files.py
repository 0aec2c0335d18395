"""The files of a data set: where they lie, and one clear message for whatever is wrong with them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces.errors import Key, SettingError
from trainers.errors import DataError


def root_folder(root: str) -> Path:
    """Return the folder that ``root`` names, relative to the working folder; DataError for one that cannot be."""
    if not root.strip() or "\0" in root:
        raise file_error(f"root must be a folder, for instance ~/data, not {root!r}")
    try:
        folder = Path(root).expanduser().absolute()
    except RuntimeError:
        raise file_error(f"{root} starts with a home that nobody has here: write the folder out") from None
    if folder.is_file():
        raise file_error(f"{folder} is a file: set root to the folder that holds the data set")
    return folder


def file_error(message: str, key: Key = ("root",)) -> DataError:
    """Return the error for a fault of the files below ``root``; what is not UTF-8 in their names is told in escapes."""
    return DataError(message.encode("utf-8", "backslashreplace").decode(), key)


def unreadable(error: OSError, path: str | Path) -> DataError:
    """Return the error for what the system does not hand out: the path in `error`, or else `path`."""
    name = error.filename or path
    if isinstance(error, FileNotFoundError):
        return file_error(f"{name} is missing or a broken link: put it back, or set root to a whole data set")
    return file_error(f"{name} cannot be read ({error.strerror}): mend that, or set root to another folder")


@contextmanager
def reading(path: str | Path, kind: str) -> Iterator[None]:
    """Make one DataError that says "`path` is not `kind`" of whatever is raised while the file is read.

    A decoder raises almost anything for a damaged file: SyntaxError, LookupError, MemoryError and more.
    """
    try:
        yield
    except SettingError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise unreadable(error, path) from None
        is_empty = os.path.exists(path) and os.path.getsize(path) == 0
        reason = "it is empty (0 bytes)" if is_empty else _reason(error)
        raise file_error(f"{path} is not {kind}: {reason}; replace it or remove it") from None


def download_into(root: Path, title: str) -> None:
    """Let torchvision download the data set `title` into `root`; DataError when it cannot."""
    from torchvision import datasets

    try:
        getattr(datasets, title.replace("-", ""))(str(root), download=True)
    except Exception as error:  # of the network, of archives, of files that were there before
        advice = "delete what is broken there, or copy the data set there yourself"
        text = f"{title} could not be downloaded into {root}: {_reason(error)}; {advice}"
        raise file_error(text, ("download",)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return " ".join(str(error).split()) or type(error).__name__
