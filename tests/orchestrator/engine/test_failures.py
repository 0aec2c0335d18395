"""What an exception is taken for."""

import errno

import pytest
import torch

from orchestrator.engine.failures import failure_of
from orchestrator.records.causes import Cause
from search_spaces.errors import SettingError
from trainers.data import inspect_data
from trainers.process import BrokenProcessError


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("wrong shape"), Cause.CODE),
        (SettingError("must be odd", ("network", "depth")), Cause.CODE),
        (SystemExit(3), Cause.CODE),
        (KeyboardInterrupt(), Cause.CODE),
        (MemoryError(), Cause.OOM),
        (torch.OutOfMemoryError("CUDA out of memory"), Cause.OOM),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), Cause.OOM),
        (OSError(errno.ENOSPC, "No space left on device"), Cause.DISK),
        (RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"), Cause.DISK),
        (FileNotFoundError(errno.ENOENT, "No such file"), Cause.CODE),
        (BrokenProcessError("recording a step failed"), Cause.WORKER_LOST),
        (RuntimeError("CUDA error: uncorrectable ECC error encountered"), Cause.WORKER_LOST),
        (RuntimeError("CUDA error: the MPS client has been terminated by the server"), Cause.WORKER_LOST),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), Cause.WORKER_LOST),
        (RuntimeError("CUDA error: out of memory"), Cause.OOM),
    ],
    ids=lambda each: type(each).__name__,
)
def test_an_error_has_its_cause(error: BaseException, cause: Cause) -> None:
    assert failure_of(raised(error)).cause is cause


def test_a_missing_data_set_is_a_fault_of_the_data() -> None:
    with pytest.raises(SettingError) as caught:
        inspect_data({"name": "cifar10", "root": "/nowhere", "download": False})
    failure = failure_of(caught.value)
    assert (failure.cause, failure.reason) == (Cause.DATA, str(caught.value))


def test_a_failure_carries_its_traceback() -> None:
    assert "ValueError: wrong shape" in (failure_of(raised(ValueError("wrong shape"))).traceback or "")


def test_an_exit_is_told_in_words() -> None:
    assert failure_of(raised(SystemExit(3))).reason == "the code of the study asked Python to exit (SystemExit: 3)"


def test_an_error_whose_text_cannot_be_had_ends_the_trial_alone() -> None:
    class Unsayable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    failure = failure_of(raised(Unsayable()))
    assert failure.cause is Cause.CODE
    assert failure.reason == "Unsayable: (its text cannot be had: __str__ raised RuntimeError)"
