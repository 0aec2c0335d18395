"""`orchestrate export --to mlflow` and `--to wandb`: what MLflow and W&B read there is what the results DB holds."""

import json
import math
import struct
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator import RunOptions, load_study, run_study
from orchestrator.cli import app
from orchestrator.errors import UserError
from orchestrator.results.trackers.mlflow import export_mlflow
from orchestrator.results.trackers.runs import runs_of
from orchestrator.results.trackers.wandb import export_wandb
from reports.trials import Arm, State, Trial
from tests.reports import studies as invented

FACTORS = 'factors={"a(b)&é": {"x y": {}, "p|q": {width: 8}}}'  # letters that trackers do not take everywhere


@pytest.fixture
def trials(small: Path) -> list[Trial]:
    changes = ["seeds=1", FACTORS, "baseline={'a(b)&é': x y}"]
    run_study(small, changes=changes, options=RunOptions(executor="inline", report=False), show=False)
    return list(load_study("small").study.trials)


def test_mlflow_reads_the_curves(trials: list[Trial]) -> None:
    with pytest.warns(DeprecationWarning, match="noload"):  # SQLAlchemy's, of MLflow's tables
        path, count = export_mlflow("small", out=Path("new/tracked.db"))
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{path}")
    runs = {
        each.data.tags["arm"]: each
        for each in client.search_runs([client.get_experiment_by_name("small").experiment_id])
    }
    assert (count, set(runs)) == (2, {trial.arm for trial in trials})
    for trial in trials:
        run = runs[trial.arm]
        history = client.get_metric_history(run.info.run_id, "error/test")
        assert [(each.step, each.value) for each in history] == [(each.epoch, each.test_error) for each in trial.curve]
        assert run.data.metrics["test_error"] == trial.test_error
        assert run.data.params == {"a-b--é": trial.arm.partition("=")[2], "seed": "0", "state": "COMPLETE"}
        assert trial.started_at is not None
        assert (run.info.status, run.info.start_time) == ("FINISHED", round(trial.started_at.timestamp() * 1000))
    with pytest.raises(UserError, match=r"--out new/tracked\.db: the file exists"):
        export_mlflow("small", out=path)


def records(folder: Path) -> Iterator[Any]:
    """Read the records of an offline run: after 7 bytes, LevelDB's log of messages in blocks of 32 KiB."""
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.glob("run-*.wandb")
    data, at, message = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        message += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield Record.FromString(message)
            message = b""


def offline_run(folder: Path) -> tuple[Any, list[dict[str, Any]]]:
    """Return the description of an offline run, and its rows in the order in which they were logged."""
    found: dict[str, list[Any]] = defaultdict(list)
    for record in records(folder):
        kind = record.WhichOneof("record_type")
        found[kind].append(getattr(record, kind))
    rows = [{each.nested_key[0]: json.loads(each.value_json) for each in row.item} for row in found["history"]]
    return found["run"][0], rows


def test_wandb_reads_the_curves(trials: list[Trial]) -> None:
    import wandb  # not above: it takes a second

    folder, count = export_wandb("small", out=Path("offline"))
    wandb.teardown()
    runs = [offline_run(each) for each in folder.glob("wandb/offline-run-*")]
    described = {run.run_group: (run, rows) for run, rows in runs}
    assert (count, set(described)) == (2, {trial.arm for trial in trials})
    for trial in trials:
        run, rows = described[trial.arm]
        assert (run.project, run.run_id) == ("small", trial.id)
        settings = {each.key: json.loads(each.value_json) for each in run.config.update}
        assert settings["a(b)&é"] == trial.arm.partition("=")[2]
        assert [(row["_step"], row["error/test"]) for row in rows] == [
            (each.epoch, pytest.approx(each.test_error)) for each in trial.curve
        ]
        assert trial.started_at is not None
        assert rows[0]["_timestamp"] == pytest.approx(trial.started_at.timestamp() + trial.curve[0].seconds)
    with pytest.raises(UserError, match="--out offline: the folder is not empty"):
        export_wandb("small", out=folder)


@pytest.mark.parametrize("package", ["mlflow", "wandb"])
def test_a_package_that_is_missing_is_named(
    package: str, trials: list[Trial], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    result = CliRunner().invoke(app, ["export", "small", "--to", package, "--out", "there"])
    assert isinstance(result.exception, UserError)
    assert f"--to {package} needs the package {package}: pip install 'ablation-orchestrator[{package}]'" in str(
        result.exception
    )
    assert not Path("there").exists()


def test_a_trial_that_diverged_is_a_failed_run_with_its_state() -> None:
    trial = replace(invented.trial(0, "a", 0, 90.0), state=State.DIVERGED, test_error=None, train_loss=math.inf)
    study = replace(
        invented.degradation(), arms=(Arm("a", {"variant": "a"}, {}), Arm("b", {}, {}, orphaned=True)), trials=(trial,)
    )
    (run,) = runs_of(study)
    assert (run.settings["state"], run.results["train_loss"], "test_error" in run.results) == (
        "DIVERGED",
        math.inf,
        False,
    )
    assert [point.epoch for point in run.points] == list(range(1, 11))
