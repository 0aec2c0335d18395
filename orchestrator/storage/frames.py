"""A study as pandas DataFrames, for notebooks."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from orchestrator.storage.errors import StorageError, unknown_name
from orchestrator.storage.weights import KeptWeights
from reports.columns import CURVE_METRICS, TRIAL_METRICS, factor_columns, readings_of
from reports.metrics import PRIMARY
from reports.results import Measurement, Study
from reports.trials import Arm, Scalar, Trial
from reports.wording import counted

if TYPE_CHECKING:
    from torch import nn

_TRIAL = ("trial", "arm", "seed", "state", "reason", "cause", "epochs")
_METRICS = ("test_error", "train_error", "test_loss", "train_loss", "val_error", "val_loss")
_TRAINING = ("seconds", "images_per_second", "device", "host", "attempts", "started_at", "finished_at")
_DIVERGENCE = ("diverged_at", "loss_before_divergence", "environment")
_OTHER_METRICS = tuple(name for name in TRIAL_METRICS if name not in (*_METRICS, *_TRAINING))
_CURVE = ("trial", "arm", "seed", "epoch", "train_loss", "train_error", "test_loss", "test_error")
_OTHER_CURVES = tuple(name for name in CURVE_METRICS if name not in _CURVE)
_REST_OF_CURVE = (*_OTHER_CURVES, "lr", "seconds", "orphaned")


class StudyFrames:
    """The tables of one study as DataFrames, with a column for each factor beside the arm.

    A factor that bears the name of a column of any of them is ``factor.<name>`` in all of them. `study` holds the plain
    records. Arms of earlier versions of the study file, which may have the levels of a present one, are left out unless
    `orphaned` is true; the column ``orphaned`` marks them.
    """

    def __init__(
        self,
        study: Study,
        verdicts: Iterable[Mapping[str, Any]] = (),
        weights: Mapping[str, Sequence[KeptWeights]] | None = None,
    ) -> None:
        self.study = study
        self._weights = weights or {}
        self._verdicts = tuple(verdicts)
        self._arms = {arm.name: arm for arm in study.arms}
        present = {factor for arm in study.arms for factor in arm.levels}
        self._factors = [*study.factors, *sorted(present - set(study.factors))]

    def __repr__(self) -> str:
        """Return the study's name and how much of it there is."""
        size = f"{counted(len(self.study.arms), 'arm')}, {counted(len(self.study.trials), 'trial')}"
        return f"<StudyFrames {self.study.name}: {size}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the arms."""
        return f"<p>{escape(repr(self)[1:-1])}</p>{self.arms().to_html(index=False)}"

    def trials(self, orphaned: bool = False) -> pd.DataFrame:
        """Return one row a trial, with the metrics of its last epoch; errors are in per cent, times in seconds."""
        columns = [*_TRIAL, *_METRICS, *_TRAINING, *_DIVERGENCE, *_OTHER_METRICS, "orphaned"]
        return self._frame([(trial.arm, self._row(trial)) for trial in self._asked(orphaned)], columns)

    def curves(self, orphaned: bool = False) -> pd.DataFrame:
        """Return one row a trial and epoch."""
        rows = [
            (trial.arm, {**self._place(trial), **_plain(epoch)})
            for trial in self._asked(orphaned)
            for epoch in trial.curve
        ]
        return self._frame(rows, [*_CURVE, *_REST_OF_CURVE])

    def arms(self, orphaned: bool = False) -> pd.DataFrame:
        """Return one row an arm: parameters, multiply-adds, how many of its trials have a result, their mean error."""
        columns = ["arm", "params", "flops", "trials", "outcomes", PRIMARY.name, "orphaned"]
        arms = [arm for arm in self.study.arms if orphaned or not arm.orphaned]
        return self._frame([(arm.name, self._summary(arm)) for arm in arms], columns)

    def measurements(self, kind: str, orphaned: bool = False) -> pd.DataFrame:
        """Return one row a place that the probe of that kind measured.

        The columns are ``arm``, ``seed``, ``epoch``, the factors, the places, and one for each number.
        """
        trials = {trial.id: trial for trial in self._asked(orphaned)}
        measured = [each for each in self.study.measurements if each.kind == kind and each.trial in trials]
        rows = [
            (trials[each.trial].arm, {**row, "arm": trials[each.trial].arm, "seed": trials[each.trial].seed})
            for each in measured
            for row in _places(each)
        ]
        first = ("arm", "seed", "epoch")
        names = dict.fromkeys(name for _, row in rows for name in row if name not in first)
        return self._frame(rows, [*first, *names])

    def network(self, arm: str, seed: int, epoch: int | None = None) -> "nn.Module":
        """Return a trained network in evaluation mode, from the weights that were kept after `epoch`, the last of them.

        Its attribute `normalisation` turns raw images into what it was trained on. StorageError, naming the nearest,
        for an arm or seed that is not there, or whose weights were not kept or are gone.
        """
        from trainers.weights import WeightsError, load_weights  # imports torch

        kept = self.kept(arm, seed, epoch)
        try:
            return load_weights(Path(kept.path)).build()
        except WeightsError as error:
            raise StorageError(str(error)) from None

    def interpolation(
        self, arm: str, seed: int, other: int, *, points: int = 11, images: int | None = None
    ) -> pd.DataFrame:
        """Return the training loss and error on the straight line from one seed's trained network to another's.

        One row a point (`trainers.probes.line.Point`); the largest ``above_line`` is the barrier between the two.
        StorageError as `network`; SettingError for too few points.
        """
        from trainers import Task  # imports torch
        from trainers.interpolation import interpolate
        from trainers.weights import WeightsError, load_weights

        try:
            first, second = (load_weights(Path(self.kept(arm, each).path)) for each in (seed, other))
        except WeightsError as error:
            raise StorageError(str(error)) from None
        task = Task(**self._arms[arm].settings, seeds=(seed,))
        return pd.DataFrame([_plain(each) for each in interpolate(task, first, second, points, images)])

    def kept(self, arm: str, seed: int, epoch: int | None = None) -> KeptWeights:
        """Return the file of a trained network's weights; StorageError as `network`."""
        if arm not in self._arms:
            raise StorageError(unknown_name("arm", arm, self._arms))
        trials = {trial.seed: trial for trial in self.study.trials_of(arm)}
        if seed not in trials:
            raise StorageError(f'"{arm}" has no seed {seed}; its seeds are {", ".join(map(str, trials))}')
        files = {kept.epoch: kept for kept in self._weights.get(trials[seed].id, ())}
        if not files:
            state = trials[seed].state
            raise StorageError(f'no weights of "{arm}" seed {seed} ({state}) are kept: `keep: last` would keep them')
        if epoch is not None and epoch not in files:
            raise StorageError(f"no weights after epoch {epoch} are kept, only after {', '.join(map(str, files))}")
        return files[max(files) if epoch is None else epoch]

    def verdicts(self) -> pd.DataFrame:
        """Return one row a verdict, as it was saved."""
        first = ["claim", "says", "verdict", "estimate", "low", "high", "margin", "n", "p"]
        names = dict.fromkeys(first + [name for each in self._verdicts for name in each])
        return pd.DataFrame([dict(each) for each in self._verdicts], columns=list(names))

    def _asked(self, orphaned: bool) -> list[Trial]:
        """Return the trials of the present study file, or of all its versions."""
        return [trial for trial in self.study.trials if orphaned or not self._arms[trial.arm].orphaned]

    def _place(self, trial: Trial) -> dict[str, Any]:
        orphaned = self._arms[trial.arm].orphaned
        return {"trial": trial.id, "arm": trial.arm, "seed": trial.seed, "orphaned": orphaned}

    def _row(self, trial: Trial) -> dict[str, Any]:
        facts = {field.name: getattr(trial, field.name) for field in dataclasses.fields(trial)}
        last = trial.curve[-1].epoch if trial.curve else 0
        facts |= readings_of(trial, self._arms[trial.arm])
        return {**facts, **self._place(trial), "state": trial.state.value, "epochs": last}

    def _summary(self, arm: Arm) -> dict[str, Any]:
        trials = self.study.trials_of(arm)
        outcomes = [trial for trial in trials if trial.state.is_outcome()]
        readings = [PRIMARY.read(trial, arm, {}) for trial in outcomes]
        known = [value for value in readings if value is not None]
        mean = sum(known) / len(known) if known else None
        facts = {"arm": arm.name, "params": arm.params, "flops": arm.flops, "orphaned": arm.orphaned}
        return {**facts, "trials": len(trials), "outcomes": len(outcomes), PRIMARY.name: mean}

    def _frame(self, rows: Sequence[tuple[str, Mapping[str, Any]]], columns: Sequence[str]) -> pd.DataFrame:
        """Build a frame from rows and the names of their arms, with the factors' levels after the arm's column."""
        titles = dict(zip(self._factors, factor_columns(self._factors, columns), strict=True))
        filled = [{**row, **self._levels(arm, titles)} for arm, row in rows]
        place = columns.index("arm") + 1
        return pd.DataFrame(filled, columns=[*columns[:place], *titles.values(), *columns[place:]])

    def _levels(self, arm: str, titles: Mapping[str, str]) -> dict[str, Scalar]:
        return {titles[factor]: level for factor, level in self._arms[arm].levels.items()}


def _places(measurement: Measurement) -> Iterable[Mapping[str, Any]]:
    """Return the rows of a measurement; one that is no list of rows, of an older version, is a row itself."""
    rows = measurement.values.get("rows")
    if not isinstance(rows, list):
        return [measurement.values]
    return [{"epoch": row.get("epoch"), **row["at"], **row["numbers"]} for row in rows]


def _plain(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
