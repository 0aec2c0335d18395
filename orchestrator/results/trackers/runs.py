"""What a tracker is given of a study: one run a trial, with its settings, its curves and its last values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError
from orchestrator.results.location import load_study, output_folder
from reports.results import Study
from reports.trials import State, Trial

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


@dataclass(frozen=True)
class EpochPoint:
    """What is known after one epoch: when it ended, in seconds since 1970, and its values by their tags."""

    epoch: int
    ended: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """A trial as trackers know it; errors are in per cent."""

    id: str
    arm: str
    seed: int
    state: State
    settings: Mapping[str, Any]
    began: float
    points: tuple[EpochPoint, ...]
    results: Mapping[str, float]

    @property
    def name(self) -> str:
        """Return a name that is readable, different for each trial, and fit for a folder."""
        arm = re.sub(r"[^\w.=+-]+", "-", self.arm).strip("-.")[:100]
        return f"{arm}-seed={self.seed}-{self.id[:8]}"


def runs_of(study: Study) -> tuple[Run, ...]:
    """Return the trials that have a curve; arms of earlier versions of the study file are left out."""
    arms = [arm for arm in study.arms if not arm.orphaned]
    return tuple(_run(trial, arm.levels) for arm in arms for trial in study.trials_of(arm) if trial.curve)


def runs_on_record(study: str, db: str | None) -> tuple[Run, ...]:
    """Return the runs of a study in a results DB; UserError when there are none."""
    runs = runs_of(load_study(study, db).study)
    if not runs:
        raise UserError(f"{study} has no curves yet: no trial has finished an epoch")
    return runs


def new_folder(study: str, out: Path | None, name: str) -> Path:
    """Return the folder to fill, `out` or NAME beside the report; UserError when it holds something already."""
    folder = out or output_folder(study) / name
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"--out {folder}: the folder is not empty; name another, or remove it")
    except OSError as error:
        raise cannot_write(folder, error) from None
    return folder


def cannot_write(path: Path, error: OSError) -> UserError:
    """Return the message for a place where nothing can be written."""
    return UserError(f"--out {path}: nothing can be written there ({error.strerror}); name another")


def _run(trial: Trial, levels: Mapping[str, Any]) -> Run:
    began = trial.started_at.timestamp() if trial.started_at else 0.0
    ends = accumulate((epoch.seconds for epoch in trial.curve), initial=began)
    next(ends)
    return Run(
        id=trial.id,
        arm=trial.arm,
        seed=trial.seed,
        state=trial.state,
        settings={**levels, "seed": trial.seed, "state": trial.state.value},
        began=began,
        points=tuple(
            EpochPoint(epoch.epoch, ended, _known(epoch, CURVES))
            for epoch, ended in zip(trial.curve, ends, strict=True)
        ),
        results=_known(trial, {name: name for name in FINAL}),
    )


def _known(source: object, names: Mapping[str, str]) -> dict[str, float]:
    """Return the attributes that have a value, by the names they are given."""
    values = {given: getattr(source, name) for name, given in names.items()}
    return {given: float(value) for given, value in values.items() if value is not None}
