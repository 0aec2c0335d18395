"""The folder that Ray Tune wants to write into: it goes with its run, or with any next run after a kill."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

FOLDER = "orchestrate-tune-"
LOCK = ".in-use"


@contextmanager
def tune_folder() -> Iterator[Path]:
    """Make a folder for Tune."""
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / LOCK).open("wb") as lock:
            with suppress(OSError):  # not every disk has locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def remove_left_folders() -> None:
    """Remove the folders of processes that were killed."""
    with suppress(OSError):
        for left in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
            if not _is_in_use(left):
                shutil.rmtree(left, ignore_errors=True)


def _is_in_use(folder: Path) -> bool:
    """Whether the process that made a folder lives: it holds a lock, which is seen from other containers, too.

    A folder without a lock file is that of an earlier version, or has just been made.
    """
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        owner = folder.name.removeprefix(FOLDER).partition("-")[0]
        return not owner.isdigit() or psutil.pid_exists(int(owner))
    except OSError:
        return True
    return False
