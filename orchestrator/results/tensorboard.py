"""Write a study as the event files that TensorBoard shows: one folder a trial, with its curves and its settings."""

import re
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.summary import hparams

from orchestrator.errors import UserError
from orchestrator.results.location import load_study, output_folder
from reports.results import Study
from reports.trials import Trial

CURVES = {
    "train_loss": "loss/train",
    "test_loss": "loss/test",
    "val_loss": "loss/validation",
    "train_error": "error/train",
    "test_error": "error/test",
    "val_error": "error/validation",
    "lr": "lr",
}
FINAL = ("test_error", "train_error", "val_error", "test_loss", "train_loss", "val_loss")


def export_tensorboard(study: str, db: str | None = None, out: Path | None = None) -> tuple[Path, int]:
    """Write the trials of a study that have a curve; return the folder and how many they are.

    Errors are in per cent, steps are epochs. Arms of earlier versions of the study file are left out. UserError when
    the folder holds something already, since TensorBoard would show both.
    """
    record = load_study(study, db).study
    folder = out or output_folder(study) / "tensorboard"
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"--out {folder}: the folder is not empty; name another, or remove it")
        written = write_study(record, folder)
    except OSError as error:
        raise UserError(f"--out {folder}: nothing can be written there ({error.strerror}); name another") from None
    if not written:
        raise UserError(f"{study} has no curves yet: no trial has finished an epoch")
    return folder, written


def write_study(study: Study, folder: Path) -> int:
    """Write each trial with a curve into a folder of its own in `folder`; return how many they are."""
    arms = [arm for arm in study.arms if not arm.orphaned]
    trials = [trial for arm in arms for trial in study.trials_of(arm) if trial.curve]
    for trial in trials:
        _write_trial(study, trial, folder / _run_name(trial))
    return len(trials)


def _run_name(trial: Trial) -> str:
    """Return a folder's name for a trial: readable, and different for each."""
    arm = re.sub(r"[^\w.=+-]+", "-", trial.arm).strip("-.")[:100]
    return f"{arm}-seed={trial.seed}-{trial.id[:8]}"


def _write_trial(study: Study, trial: Trial, folder: Path) -> None:
    with SummaryWriter(str(folder)) as writer:
        for summary in hparams(*_settings_and_results(study, trial)):
            writer.file_writer.add_summary(summary)
        moment = 0.0
        for epoch, moment in zip(trial.curve, _moments(trial), strict=True):
            for name, tag in CURVES.items():
                value = getattr(epoch, name)
                if value is not None:
                    _add(writer, tag, value, epoch.epoch, moment)
        for name, value in _results(trial).items():
            _add(writer, name, value, trial.curve[-1].epoch, moment)


def _add(writer: SummaryWriter, tag: str, value: float, step: int, moment: float) -> None:
    """Add one number; add_scalar would warn of the infinite losses that diverged trials have."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    writer.file_writer.add_summary(summary, step, walltime=moment)


def _settings_and_results(study: Study, trial: Trial) -> tuple[dict[str, Any], dict[str, float]]:
    levels: Mapping[str, Any] = study.arm(trial.arm).levels
    return {**levels, "seed": trial.seed, "state": trial.state.value}, _results(trial)


def _results(trial: Trial) -> dict[str, float]:
    """Return the last values of a trial, by which TensorBoard's table of settings sorts."""
    values = {name: getattr(trial, name) for name in FINAL}
    return {name: float(value) for name, value in values.items() if value is not None}


def _moments(trial: Trial) -> list[float]:
    """Return when each epoch ended, in seconds since 1970, by the time that its trial began and its epochs took."""
    began = trial.started_at.timestamp() if trial.started_at else 0.0
    return [began + passed for passed in accumulate(each.seconds for each in trial.curve)]
