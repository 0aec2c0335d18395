"""Why a worker process of Ray is gone, as far as Ray says."""

from pathlib import Path
from typing import Any

import orchestrator.engine.cluster  # noqa: F401 (sets what Ray reads at import)

# isort: split
import ray

from orchestrator.engine.failures import DISK_ERRORS, Failure
from orchestrator.records.causes import Cause


def error_of(trial: Any) -> BaseException | str | None:
    """Return what Tune has kept of the end of a trial's process: the error, or of some kinds the text alone."""
    try:
        error: BaseException | str | None = trial.get_pickled_error() or trial.get_error()
        if error is None:  # of a worker that ended while it started, Tune has not moved the text yet
            error = Path(trial.error_file).read_text()
    except Exception:  # a file of Tune's that cannot be read; its text would add nothing
        return None
    return error


def loss_of(error: BaseException | str | None) -> Failure:
    """Return why a worker process is gone, as far as Ray says."""
    text = str(error or "")
    said = next((line.strip() for line in text.splitlines() if "dead because" in line or "died because" in line), "")
    said = said or next((line.strip() for line in text.splitlines() if line.strip()), "")
    if getattr(error, "preempted", False):
        return Failure(Cause.PREEMPTED, "its node was preempted")
    if "low on memory" in text or "memory monitor" in text or isinstance(error, ray.exceptions.OutOfMemoryError):
        return Failure(Cause.OOM, "Ray ended the worker because its node ran out of memory")
    if "node has died" in text or "node is dead" in text or "node died" in text:
        return Failure(Cause.NODE_LOST, f"its node is gone: {said}")
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return Failure(Cause.DISK, f"Ray cannot write its files: {said}")
    return Failure(Cause.WORKER_LOST, f"the worker process died: {said}".removesuffix(": "))
