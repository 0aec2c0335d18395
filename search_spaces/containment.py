"""Running code of the user's own so that it can end neither the program, nor its output, nor run for ever.

What it prints goes to stderr, so that tables and JSON on stdout stay whole.
"""

import os
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from traceback import extract_tb
from types import FrameType
from typing import Any, NoReturn, TextIO

from search_spaces.errors import Key, SettingError
from search_spaces.torch_defaults import read_defaults


class _HardExit(BaseException):
    """The code asked for `os._exit`."""


class _TookTooLong(BaseException):
    """The code ran for longer than it may."""


@contextmanager
def contained(name: str, key: Key, when: str = "", advice: str = "let it return or raise instead") -> Iterator[None]:
    """Keep a user's code from ending the program or printing to stdout; its exceptions stay what they are.

    SystemExit, `os._exit`, KeyboardInterrupt and every other BaseException that the code itself raises become a
    SettingError, and so do a closed stdout and a changed default of torch. An interrupt that a person asked for passes.
    """
    before = read_defaults()
    try:
        with _unclosable_streams(), _without_hard_exit():
            was_open = _is_open(sys.__stdout__)
            yield
    except Exception:
        raise
    except SystemExit as error:
        said = f"sys.exit({'' if error.code is None else repr(error.code)})"
        argparse = "it reads the command line, which is that of orchestrate: " if _parses_arguments(error) else ""
        message = f"{name} ends the program{when} ({said}{place_in(error)}): {argparse}{advice}"
        raise SettingError(message, key) from error
    except _HardExit as error:
        raise SettingError(f"{name} ends the program{when} ({error}{place_in(error)}): {advice}", key) from error
    except _TookTooLong as error:
        raise SettingError(f"{name} did not end{when} within {error} s{place_in(error)}: {advice}", key) from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and _comes_from_a_signal(error):
            raise
        said = f"{type(error).__name__}{place_in(error)}"
        raise SettingError(f"{name} raises {said}{when}, which is no error: {advice}", key) from error
    finally:
        changed = before.restore()
    if changed:
        raise SettingError(f"{name} changes a default of torch{when}, which every other network shares: {changed}", key)
    if was_open and not _is_open(sys.__stdout__):
        raise SettingError(f"{name} closes the program's standard output{when}: leave it open", key)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let `contained` end the code in the block when it has run for so long, where a timer can interrupt it.

    That is in the main thread of a Unix process, and in Python code: a loop inside a compiled library goes on.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def expire(number: int, frame: FrameType | None) -> NoReturn:
        raise _TookTooLong(f"{seconds:g}")

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, expire)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # again, where the code catches it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:  # a timer that somebody else had set goes on
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), interval)


class _Unclosable:
    """Another stream, which cannot be closed through this one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def close(self) -> None:
        """Hand on what was written, and stay open."""
        self._stream.flush()

    def detach(self) -> NoReturn:
        """Refuse, as a stream without a buffer does."""
        raise OSError("this stream cannot be detached")


@contextmanager
def same_folder() -> Iterator[None]:
    """Go back to the current folder afterwards, where code of the user's own has changed it."""
    try:
        before = os.getcwd()
    except OSError:  # it was deleted, so nothing is found by its name
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.chdir(before)


@contextmanager
def _unclosable_streams() -> Iterator[None]:
    stream: Any = _Unclosable(sys.stderr)
    with same_folder(), redirect_stdout(stream), redirect_stderr(stream):
        yield


@contextmanager
def _without_hard_exit() -> Iterator[None]:
    """Let `os._exit` raise in this thread while the block runs; a process that was forked from it may end."""
    leave, here, is_over = os._exit, (os.getpid(), threading.get_ident()), threading.Event()

    def refuse(status: int) -> NoReturn:
        if is_over.is_set() or (os.getpid(), threading.get_ident()) != here:
            leave(status)
        raise _HardExit(f"os._exit({status!r})")

    os._exit = refuse
    try:
        yield
    finally:
        is_over.set()
        os._exit = leave


def _is_open(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed


def place_in(error: BaseException) -> str:
    """Return where in code outside of this program and of libraries an error began; empty where that is not known."""
    frames = [frame for frame in extract_tb(error.__traceback__) if _is_the_users(frame.filename)]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _is_the_users(file: str) -> bool:
    own = (
        str(Path(__file__).parents[1] / package) + os.sep for package in ("search_spaces", "trainers", "orchestrator")
    )
    libraries = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return not file.startswith(("<", *own, *libraries))


def _parses_arguments(error: SystemExit) -> bool:
    return any(Path(frame.filename).name == "argparse.py" for frame in extract_tb(error.__traceback__))


def _comes_from_a_signal(error: KeyboardInterrupt) -> bool:
    """Whether a handler of signals raised this: the command line's own raises a subclass, Python's the same class."""
    return type(error) is not KeyboardInterrupt or signal.getsignal(signal.SIGINT) is signal.default_int_handler
