"""A driver or a worker that dies in the middle of a loss surface: the measurement goes on with the chunks it has."""

import json
from pathlib import Path

import psutil
import pytest

from orchestrator import RunOptions, load_study, run_study
from orchestrator.running.probe_study import probe_study
from tests.faults.test_killed import INLINE, is_worker, start, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.slow]

POINTS = 9
# Evaluation takes its time until the file `go_on` is there, and each pass of images is counted.
NETWORK = """
import pathlib
import time

from torch import nn

HERE = pathlib.Path(__file__).parent


class Slow(nn.Module):
    def forward(self, x):
        if not self.training and not x.is_meta:
            with open(HERE / "passes", "a") as file:
                file.write(".")
            if not (HERE / "go_on").exists():
                time.sleep(0.1)
        return x


def build(*, width, input_shape, num_classes):
    return nn.Sequential(
        Slow(), nn.Conv2d(input_shape[0], width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(width, num_classes)
    )
"""
STUDY = f"""\
study: small
data: digits
network: {{family: "slow:build", width: 4}}
factors: {{training.lr: [0.1, 0.05]}}
training: {{recipe: quick, epochs: 1}}
seeds: 1
fail_above: 95
probes: [{{name: loss_surface, points: {POINTS}, images: 32}}]
resources: {{checkpoint_seconds: 0}}
"""


@pytest.fixture
def slow(small: Path) -> Path:
    small.with_name("slow.py").write_text(NETWORK)
    small.write_text(STUDY)
    return small


def kept_rows() -> int:
    """Return how many points of surfaces are on disk."""
    files = Path("out/small/checkpoints").glob("*.probes.json")
    return sum(len(rows) for path in files for rows in json.loads(path.read_text())["rows"].values())


def passes() -> int:
    return Path("passes").stat().st_size


def surfaces(db: str = "sqlite:///results.db") -> dict[str, object]:
    return {each.trial: each.values for each in load_study("small", db=db).study.measurements}


def undisturbed(file: Path, *changes: str) -> dict[str, object]:
    run_study(
        file,
        changes=changes,
        options=RunOptions(db="sqlite:///whole.db", executor="inline", report=False, out=Path("whole")),
    )
    return surfaces("sqlite:///whole.db")


@pytest.mark.timeout(200)
def test_a_surface_goes_on_after_its_driver_was_killed(slow: Path) -> None:
    process = start(slow, *INLINE)
    wait_for(process, lambda: kept_rows() > 0)
    done = kept_rows()
    process.kill()
    process.communicate()
    assert surfaces() == {}
    Path("go_on").touch()
    before = passes()
    run_study(slow, options=RunOptions(executor="inline", report=False))
    again = passes() - before
    before = passes()
    whole = undisturbed(slow)
    assert surfaces() == whole
    assert len(whole) == 2
    # What was on disk is not computed again; nor is the training, which had ended.
    assert again <= passes() - before - done


@pytest.mark.cluster
@pytest.mark.timeout(200)
def test_a_surface_goes_on_after_its_worker_was_killed(slow: Path) -> None:
    process = start(slow)
    wait_for(process, lambda: kept_rows() > 0)
    workers = [each for each in psutil.Process(process.pid).children(recursive=True) if is_worker(each)]
    assert workers
    for worker in workers:
        worker.kill()
    Path("go_on").touch()
    output, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    assert "it will be tried again" in output
    assert surfaces() == undisturbed(slow)


@pytest.mark.cluster
@pytest.mark.timeout(200)
def test_the_command_measures_on_ray_as_in_one_process(slow: Path) -> None:
    Path("go_on").touch()
    whole = undisturbed(slow, "probes=[loss_surface]")
    run_study(slow, changes=["probes=[]"], options=RunOptions(executor="inline", report=False))
    result = probe_study("small", kinds=["loss_surface"])
    assert (result.made, result.failed) == (2, 0)
    assert surfaces() == whole
