"""Why a worker process is gone, from what Ray and Tune leave behind."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, WorkerCrashedError

from orchestrator.engine.losses import error_of, loss_of
from orchestrator.records.causes import Cause


@dataclass
class TuneTrial:
    """What Tune keeps of a trial whose process is gone by an error that is no actor's and no task's: its text."""

    error: RayError

    def get_pickled_error(self) -> None:
        return None

    def get_error(self) -> str:
        return f"Failure # 1 (occurred at 2026-01-01_00-00-00)\n{self.error}\n"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OutOfMemoryError("Task was killed due to the node running low on memory.\nMemory on the node"), Cause.OOM),
        (NodeDiedError("The actor is dead because its node has died."), Cause.NODE_LOST),
        (WorkerCrashedError(), Cause.WORKER_LOST),
    ],
)
def test_the_cause_is_what_ray_says(error: RayError, cause: Cause) -> None:
    assert loss_of(error_of(TuneTrial(error))).cause is cause


def test_of_a_worker_that_ended_while_it_started_the_text_is_read_where_tune_has_left_it(tmp_path: Path) -> None:
    left = tmp_path / "error.txt"
    left.write_text("Failure # 1\n1 worker(s) were killed due to the node running low on memory.\n")
    trial = SimpleNamespace(get_pickled_error=lambda: None, get_error=lambda: None, error_file=str(left))
    assert loss_of(error_of(trial)).cause is Cause.OOM
    left.unlink()
    assert loss_of(error_of(trial)).cause is Cause.WORKER_LOST
