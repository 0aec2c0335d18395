"""`orchestrate export --to tensorboard`: the event files hold what the results DB holds."""

import math
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event
from typer.testing import CliRunner

from orchestrator import RunOptions, load_study, run_study
from orchestrator.cli import app
from orchestrator.errors import UserError
from orchestrator.results.trackers.runs import runs_of
from orchestrator.results.trackers.tensorboard import export_tensorboard, write_events
from reports.trials import Arm, State
from tests.reports import studies as invented

INLINE = RunOptions(executor="inline", report=False)


@pytest.fixture
def done(small: Path) -> Path:
    run_study(small, changes=["seeds=1"], options=INLINE, show=False)
    return small


def events(folder: Path) -> Iterator[Event]:
    """Read a TFRecord file: a length of 8 bytes, its checksum of 4, the event, its checksum of 4."""
    (file,) = folder.iterdir()
    data, at = file.read_bytes(), 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        yield Event.FromString(data[at + 12 : at + 12 + length])
        at += length + 16


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = defaultdict(list)
    for event in events(folder):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found[value.tag].append((event.step, value.simple_value))
    return dict(found)


def test_every_trial_has_its_curves_and_its_settings(done: Path) -> None:
    folder, count = export_tensorboard("small")
    runs = {each.name.rpartition("-")[0]: each for each in folder.iterdir()}
    assert (count, set(runs)) == (2, {"variant=plain-seed=0", "variant=original-seed=0"})
    trials = {each.arm: each for each in load_study("small").study.trials}
    for arm, trial in trials.items():
        run = runs[f"{arm}-seed=0"]
        found = scalars(run)
        assert found["error/test"] == [(each.epoch, pytest.approx(each.test_error)) for each in trial.curve]
        assert found["loss/train"] == [(each.epoch, pytest.approx(each.train_loss)) for each in trial.curve]
        assert found["test_error"] == [(2, pytest.approx(trial.test_error))]
        assert "error/validation" not in found
        settings = next(
            value.metadata.plugin_data.content
            for event in events(run)
            for value in event.summary.value
            if value.tag == "_hparams_/session_start_info"
        )
        assert arm.partition("=")[2].encode() in settings


def test_an_infinite_loss_is_written_without_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trial = invented.trial(0, "a", 0, 90.0)
    last = replace(trial.curve[-1], train_loss=math.inf, test_error=None)
    trial = replace(trial, state=State.DIVERGED, train_loss=math.inf, test_error=None, curve=(*trial.curve[:-1], last))
    study = replace(invented.degradation(), arms=(Arm("a", {"variant": "a"}, {}),), trials=(trial,))
    write_events(runs_of(study), tmp_path)
    (run,) = tmp_path.iterdir()
    found = scalars(run)
    assert found["loss/train"][-1] == (10, math.inf)
    assert found["train_loss"] == [(10, math.inf)]
    assert [step for step, _ in found["error/test"]] == list(range(1, 10))
    assert "test_error" not in found
    assert not caplog.records


def test_the_command_says_how_to_show_them(done: Path) -> None:
    result = CliRunner().invoke(app, ["export", "small", "--to", "tensorboard", "--out", "board"])
    assert (result.exit_code, result.output) == (
        0,
        "board: small with the curves of 2 trials; show them: tensorboard --logdir board\n",
    )
    with pytest.raises(UserError, match="--out board: the folder is not empty"):
        export_tensorboard("small", out=Path("board"))


def test_arms_of_an_earlier_version_are_left_out(done: Path) -> None:
    run_study(done, changes=["seeds=1", "training.epochs=1"], options=INLINE, show=False)
    folder, count = export_tensorboard("small")
    assert count == 2
    assert [len(scalars(each)["error/test"]) for each in folder.iterdir()] == [1, 1]


def test_mistakes_are_one_sentence(done: Path) -> None:
    with pytest.raises(UserError, match='did you mean "small"'):
        export_tensorboard("smal")
    with pytest.raises(UserError, match=r"--out small\.yaml: nothing can be written there"):
        export_tensorboard("small", out=Path("small.yaml"))
    result = CliRunner().invoke(app, ["export", "small", "--to", "tensorboard", "--seed", "0"])
    assert isinstance(result.exception, UserError)
    assert "--arm and --seed choose a trained network" in str(result.exception)
