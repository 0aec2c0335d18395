"""Tell from an exception what went wrong: the code, the data, the memory, the disk, or the machine."""

import errno
import traceback
from dataclasses import dataclass
from pathlib import Path

import trainers
from orchestrator.records.causes import Cause
from search_spaces.errors import SettingError
from search_spaces.user_code import text_of

DATA = str(Path(str(trainers.__file__)).parent / "data")
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
# What torch's writer says of a full disk, and what CUDA says when a process can compute nothing more on its device, be
# it for a fault of another that shares it under MPS.
DISK_SIGNS = ("No space left on device", "PytorchStreamWriter failed", "Disk quota exceeded")
DEVICE_SIGNS = ("uncorrectable ECC", "CUDA error: ", "CUDA-capable device(s) is/are busy")


@dataclass(frozen=True)
class Failure:
    """Why an attempt ended without a result: the cause, a sentence, and where there is one the traceback.

    After a failure with `in_graph` the next attempt records no step.
    """

    cause: Cause
    reason: str
    traceback: str | None = None
    in_graph: bool = False


def failure_of(error: BaseException) -> Failure:
    """Return what an exception of the training says about its cause."""
    from trainers.process import BrokenProcessError  # imports torch, which the driver does not need

    text = "".join(traceback.format_exception(error))
    return Failure(_cause(error), _sentence(error), text, in_graph=isinstance(error, BrokenProcessError))


def _cause(error: BaseException) -> Cause:
    from trainers.process import BrokenProcessError, is_out_of_memory

    if is_out_of_memory(error):
        return Cause.OOM
    message = text_of(error)
    if isinstance(error, trainers.DataError) or (
        isinstance(error, SettingError | OSError) and _comes_from(error, DATA)
    ):
        return Cause.DATA
    if getattr(error, "errno", None) in DISK_ERRORS or any(sign in message for sign in DISK_SIGNS):
        return Cause.DISK
    if isinstance(error, BrokenProcessError) or any(sign in message for sign in DEVICE_SIGNS):
        return Cause.WORKER_LOST
    return Cause.CODE


def _sentence(error: BaseException) -> str:
    if isinstance(error, SettingError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"the code of the study asked Python to exit (SystemExit: {error.code})"
    return f"{type(error).__name__}: {text_of(error)}".removesuffix(": ")


def _comes_from(error: BaseException, folder: str) -> bool:
    """Whether a file of `folder` was among those that ran when the error was raised."""
    return any(frame.filename.startswith(folder) for frame in traceback.extract_tb(error.__traceback__))
