"""The curves of one panel of learning curves: the mean over the seeds of each arm, and seeds that failed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports.analysis.curves import Band, band
from reports.figures.curves import Curve, FailedCurve
from reports.findings import Findings
from reports.layout import Series
from reports.metrics import PRIMARY, PRIMARY_IN_TRAINING
from reports.results import Study
from reports.sentences.curves import ARMS_TABLE, CURVES_TABLE, SHARED_LINES, ends
from reports.tables import Cell, Column, Table
from reports.trials import Arm, State, Trial
from reports.wording import shortened

MOST_POINTS = 128


@dataclass(frozen=True)
class Facet:
    """One panel: its title, the mean curves of its arms, and those of seeds that failed."""

    title: str
    curves: tuple[Curve, ...]
    failed: tuple[FailedCurve, ...]

    def values(self) -> list[float]:
        """Return every error that the panel draws."""
        errors = [value for line in self.curves for value in (*line.test, *line.train, *line.high)]
        return errors + [value for line in self.failed for value in (*line.test, *line.train)]


def facet_of(findings: Findings, title: str, arms: list[tuple[Arm, Series]]) -> Facet | None:
    """Return the panel of some arms, each drawn as its series; None before any of them has a curve."""
    curves, failed = [], []
    for arm, series in arms:
        trials = [trial for trial in findings.trials.get(arm.name, ()) if trial.curve]
        sound = [trial for trial in trials if trial.state is State.COMPLETE and not findings.study.is_fail(trial)]
        if sound and (curve := mean_curve(findings.study, arm, sound, series)) is not None:
            curves.append(curve)
        failed += [line for trial in trials if findings.study.is_fail(trial) and (line := _failed(trial, series))]
    return Facet(title, tuple(curves), tuple(failed)) if curves or failed else None


def mean_curve(
    study: Study, arm: Arm, trials: Sequence[Trial], series: Series, most: int = MOST_POINTS
) -> Curve | None:
    """Return the mean over some trials of an arm, and its band, at `most` epochs; None where they share no epoch."""
    trained = by_epoch(trials, PRIMARY_IN_TRAINING.name)
    epochs = thinned(thinned([epoch for epoch in by_epoch(trials, PRIMARY.name) if epoch in trained]), most)
    if not epochs:
        return None
    tested = _at_epochs(band(replace(study, trials=tuple(trials)), arm, PRIMARY.name, at=set(epochs)))
    return Curve(
        series.label,
        series.slot,
        tuple(epochs),
        tuple(tested[epoch][0] for epoch in epochs),
        tuple(tested[epoch][1] for epoch in epochs),
        tuple(tested[epoch][2] for epoch in epochs),
        tuple(float(np.mean(trained[epoch])) for epoch in epochs),
    )


def _at_epochs(curve: Band) -> dict[int, tuple[float, float, float]]:
    """Return mean, low and high by epoch; an interval ends where errors do."""
    ends = zip(curve.mean, curve.low, curve.high, strict=True)
    return {
        epoch: (mean, max(low, 0.0), min(high, 100.0))
        for epoch, (mean, low, high) in zip(curve.epochs, ends, strict=True)
    }


def by_epoch(trials: Sequence[Trial], metric: str) -> dict[int, list[float]]:
    """Return what trials reached in a metric, by epoch."""
    errors: dict[int, list[float]] = {}
    for trial in trials:
        for epoch in trial.curve:
            value = getattr(epoch, metric)
            if value is not None and math.isfinite(value):
                errors.setdefault(epoch.epoch, []).append(value)
    return dict(sorted(errors.items()))


def _failed(trial: Trial, series: Series) -> FailedCurve | None:
    test = by_epoch([trial], PRIMARY.name)
    train = by_epoch([trial], PRIMARY_IN_TRAINING.name)
    epochs = thinned([epoch for epoch in test if epoch in train])
    if not epochs:
        return None
    return FailedCurve(
        series.label,
        series.slot,
        tuple(epochs),
        tuple(test[epoch][0] for epoch in epochs),
        tuple(train[epoch][0] for epoch in epochs),
        trial.state is State.DIVERGED,
        trial.id,
    )


def thinned(epochs: Sequence[int], most: int = MOST_POINTS) -> list[int]:
    """Return at most so many of the epochs, evenly, the first and the last among them."""
    if len(epochs) <= most:
        return list(epochs)
    last = len(epochs) - 1
    return [epochs[round(at * last / (most - 1))] for at in range(most)]


def description(facet: Facet) -> str:
    """Return in words where each curve of a panel ends."""
    lines = [
        (shortened(line.label, 120) or facet.title, line.test[-1], line.train[-1], line.epochs[-1])
        for line in facet.curves
    ]
    return ends(lines, [line.label for line in facet.failed])


def table_of(facets: Sequence[Facet], name: str = "curves") -> Table:
    """Return the mean curves at a few epochs: the first, the quarters and the last; one that panels share once."""
    columns = (
        Column("panel", "panel", is_head=True),
        Column("line", "line"),
        Column("epoch", "epoch", is_number=True),
        Column(PRIMARY.name, "test, %", 2, is_number=True),
        Column("low", "band from", 2, is_number=True),
        Column("high", "to", 2, is_number=True),
        Column(PRIMARY_IN_TRAINING.name, "training, %", 2, is_number=True),
    )
    rows: list[tuple[Cell, ...]] = []
    told: set[Curve] = set()
    for facet in facets:
        for line in facet.curves:
            named = replace(line, label=line.label or facet.title)
            if named in told:
                continue
            told.add(named)
            last = len(line.epochs) - 1
            for at in sorted({0, last // 4, last // 2, 3 * last // 4, last}):
                errors = (line.test[at], line.low[at], line.high[at], line.train[at])
                rows.append((facet.title, named.label, line.epochs[at], *errors))
        for fail in facet.failed:
            label = f"{fail.label or facet.title} (failed seed)"
            rows.append((facet.title, label, fail.epochs[-1], fail.test[-1], None, None, fail.train[-1]))
    caption = CURVES_TABLE if name == "curves" else ARMS_TABLE
    if len(told) < sum(len(facet.curves) for facet in facets):
        caption = f"{caption} {SHARED_LINES}"
    table = Table(name, caption, columns, tuple(rows))
    return table if any(row[0] for row in rows) else table.without("panel")
