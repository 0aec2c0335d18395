"""Write a study as the event files that TensorBoard shows: one folder a trial, with its curves and its settings."""

from collections.abc import Iterable
from pathlib import Path

from tensorboardX import SummaryWriter
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.summary import hparams

from orchestrator.results.trackers.runs import Run, cannot_write, new_folder, runs_on_record


def export_tensorboard(study: str, db: str | None = None, out: Path | None = None) -> tuple[Path, int]:
    """Write the trials of a study that have a curve; return the folder and how many they are.

    Errors are in per cent, steps are epochs. Arms of earlier versions of the study file are left out. UserError when
    the folder holds something already, since TensorBoard would show both.
    """
    runs = runs_on_record(study, db)
    folder = new_folder(study, out, "tensorboard")
    try:
        write_events(runs, folder)
    except OSError as error:
        raise cannot_write(folder, error) from None
    return folder, len(runs)


def write_events(runs: Iterable[Run], folder: Path) -> None:
    """Write each run into a folder of its own in `folder`."""
    for run in runs:
        with SummaryWriter(str(folder / run.name)) as writer:
            for summary in hparams(dict(run.settings), dict(run.results)):
                writer.file_writer.add_summary(summary)
            for point in run.points:
                for tag, value in point.values.items():
                    _add(writer, tag, value, point.epoch, point.ended)
            for name, value in run.results.items():
                _add(writer, name, value, run.points[-1].epoch, run.points[-1].ended)


def _add(writer: SummaryWriter, tag: str, value: float, step: int, moment: float) -> None:
    """Add one number; add_scalar would warn of the infinite losses that diverged trials have."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    writer.file_writer.add_summary(summary, step, walltime=moment)
