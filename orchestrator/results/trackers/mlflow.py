"""Write a study as an MLflow database: one experiment, with a run a trial."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import UserError
from orchestrator.results.location import output_folder
from orchestrator.results.trackers.runs import Run, cannot_write, runs_on_record
from reports.trials import State

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

LONGEST_BATCH = 1000  # metrics; MLflow refuses more in one call
STATUS = {State.COMPLETE: "FINISHED", State.PRUNED: "KILLED", State.DIVERGED: "FAILED", State.FAILED: "FAILED"}


def export_mlflow(study: str, db: str | None = None, out: Path | None = None) -> tuple[Path, int]:
    """Write the trials of a study that have a curve into a new SQLite file; return it and how many they are.

    Errors are in per cent, steps are epochs; an infinite loss becomes the largest number, as MLflow has it. Nothing is
    sent anywhere. UserError when the file exists, or when the package mlflow is not installed.
    """
    runs = runs_on_record(study, db)
    path = out or output_folder(study) / "mlflow.db"
    if path.exists():
        raise UserError(f"--out {path}: the file exists; name another, or remove it")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError:
        raise UserError("--to mlflow needs the package mlflow: pip install 'ablation-orchestrator[mlflow]'") from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise cannot_write(path, error) from None
    client = MlflowClient(tracking_uri=f"sqlite:///{path.resolve()}")
    experiment = client.create_experiment(study, artifact_location=(path.resolve().parent / "mlartifacts").as_uri())
    for run in runs:
        _write(client, experiment, run)
    return path, len(runs)


def _write(client: "MlflowClient", experiment: str, run: Run) -> None:
    from mlflow.entities import Metric, Param

    made = client.create_run(experiment, start_time=_ms(run.began), run_name=run.name, tags={"arm": run.arm})
    metrics = [
        Metric(tag, value, _ms(point.ended), point.epoch) for point in run.points for tag, value in point.values.items()
    ]
    last = run.points[-1]
    metrics += [Metric(name, value, _ms(last.ended), last.epoch) for name, value in run.results.items()]
    client.log_batch(made.info.run_id, params=[Param(_key(name), str(value)) for name, value in run.settings.items()])
    for start in range(0, len(metrics), LONGEST_BATCH):
        client.log_batch(made.info.run_id, metrics=metrics[start : start + LONGEST_BATCH])
    if run.state in STATUS:  # not one that still runs
        client.set_terminated(made.info.run_id, STATUS[run.state], end_time=_ms(last.ended))


def _key(name: str) -> str:
    """Return a name with the characters that MLflow takes, which are fewer than a factor's may have."""
    return re.sub(r"[^\w.\- :/]", "-", name)[:250]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
