"""Learning curves: test and training error by epoch, in small multiples."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reports.analysis.curves import BAND_FROM, Band, band
from reports.figures.curves import Curve, CurveScale, FailedCurve, curves_drawing
from reports.figures.figure import Figure, Panel
from reports.figures.theme import MOST_PANELS, MOST_SERIES, label_room
from reports.findings import Findings
from reports.layout import Series
from reports.metrics import PRIMARY, PRIMARY_IN_TRAINING
from reports.results import Arm, Scalar, State, Study, Trial
from reports.sections.section import Section
from reports.tables import Cell, Column, Table
from reports.wording import counted, level, listed, number, shortened

MOST_POINTS = 128


@dataclass(frozen=True)
class Curves:
    """What stands beside the figure."""

    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Facet:
    title: str
    curves: tuple[Curve, ...]
    failed: tuple[FailedCurve, ...]


def build(findings: Findings) -> Section | None:
    """Build the learning curves; nothing before the first epoch of the first trial."""
    if not findings.curve_length():
        return None
    planned = _facets(findings)
    facets = [made for title, arms in planned[:MOST_PANELS] if (made := _facet(findings, title, arms)) is not None]
    if not facets:
        return None
    values = [value for facet in facets for line in facet.curves for value in (*line.test, *line.train, *line.high)]
    values += [value for facet in facets for line in facet.failed for value in line.test]
    values += [value for facet in facets for line in facet.failed for value in line.train]
    labels = [line.label for facet in facets for line in facet.curves]
    room = label_room(labels + [line.label for facet in facets for line in facet.failed])
    drops = _drops(findings)
    scale = CurveScale(tuple(values), findings.curve_length(), room, drops, findings.study.fail_above)
    panels = tuple(
        Panel(
            facet.title,
            _description(facet),
            curves_drawing(facet.curves, facet.failed, scale, prefix=f"curves{at}", has_key=at == 0),
        )
        for at, facet in enumerate(facets)
    )
    figure = Figure("curves", _caption(findings, drops), panels, _table(facets), columns=min(3, len(panels)))
    return Section("curves", "Learning curves", Curves(_notes(findings, len(planned))), figures=(figure,))


def _facets(findings: Findings) -> list[tuple[str, list[tuple[Arm, Series]]]]:
    """A panel for each axis level while its lines can be told apart, else one for each series, with a line a level."""
    layout = findings.layout
    arms = [
        (position, series, arm)
        for position in layout.positions
        for series in layout.series
        if (arm := layout.arm(position, series)) is not None
    ]
    if len(layout.series) <= MOST_SERIES:
        return [
            (_at(layout.axis, position), [(arm, series) for here, series, arm in arms if here == position])
            for position in layout.positions
        ]
    if len(layout.positions) <= MOST_SERIES:
        slots = {position: slot for slot, position in enumerate(layout.positions)}
        return [
            (
                shortened(series.label, 60),
                [
                    (arm, replace(series, slot=slots[position], label=_at(layout.axis, position)))
                    for position, other, arm in arms
                    if other is series
                ],
            )
            for series in layout.series
        ]
    return [(shortened(arm.name, 60), [(arm, replace(series, slot=0))]) for _, series, arm in arms]


def _at(axis: str | None, position: Scalar | None) -> str:
    return "" if axis is None or position is None else f"{axis} {level(position)}"


def _facet(findings: Findings, title: str, arms: list[tuple[Arm, Series]]) -> _Facet | None:
    curves, failed = [], []
    for arm, series in arms:
        trials = [trial for trial in findings.trials.get(arm.name, ()) if trial.curve]
        sound = [trial for trial in trials if trial.state is State.COMPLETE and not findings.study.is_fail(trial)]
        if sound and (curve := _mean_curve(findings.study, arm, sound, series)) is not None:
            curves.append(curve)
        failed += [line for trial in trials if findings.study.is_fail(trial) and (line := _failed(trial, series))]
    return _Facet(title, tuple(curves), tuple(failed)) if curves or failed else None


def _mean_curve(study: Study, arm: Arm, trials: Sequence[Trial], series: Series) -> Curve | None:
    sound = replace(study, trials=tuple(trials))
    test, train = band(sound, arm, PRIMARY.name), band(sound, arm, PRIMARY_IN_TRAINING.name)
    tested, trained = _at_epochs(test), dict(zip(train.epochs, train.mean, strict=True))
    epochs = _thinned([epoch for epoch in tested if epoch in trained])
    if not epochs:
        return None
    return Curve(
        series.label,
        series.slot,
        tuple(epochs),
        tuple(tested[epoch][0] for epoch in epochs),
        tuple(tested[epoch][1] for epoch in epochs),
        tuple(tested[epoch][2] for epoch in epochs),
        tuple(trained[epoch] for epoch in epochs),
    )


def _at_epochs(found: Band) -> dict[int, tuple[float, float, float]]:
    """Return mean, low and high by epoch; an interval ends where errors do."""
    ends = zip(found.mean, found.low, found.high, strict=True)
    return {
        epoch: (mean, max(low, 0.0), min(high, 100.0))
        for epoch, (mean, low, high) in zip(found.epochs, ends, strict=True)
    }


def _by_epoch(trials: Sequence[Trial], metric: str) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for trial in trials:
        for epoch in trial.curve:
            value = getattr(epoch, metric)
            if value is not None and math.isfinite(value):
                found.setdefault(epoch.epoch, []).append(value)
    return dict(sorted(found.items()))


def _failed(trial: Trial, series: Series) -> FailedCurve | None:
    test = _by_epoch([trial], PRIMARY.name)
    train = _by_epoch([trial], PRIMARY_IN_TRAINING.name)
    epochs = _thinned([epoch for epoch in test if epoch in train])
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


def _thinned(epochs: list[int]) -> list[int]:
    """At most MOST_POINTS of the epochs, evenly, the first and the last among them."""
    if len(epochs) <= MOST_POINTS:
        return epochs
    last = len(epochs) - 1
    return [epochs[round(at * last / (MOST_POINTS - 1))] for at in range(MOST_POINTS)]


def _drops(findings: Findings) -> tuple[int, ...]:
    """The first epochs after the learning rate was cut, for schedules that hold it between cuts."""
    longest = max(findings.study.trials, key=lambda trial: len(trial.curve))
    rates = [epoch.lr for epoch in longest.curve]
    if len(rates) < 4 or len(set(rates)) > max(2, len(rates) // 4):
        return ()
    pairs = zip(longest.curve, longest.curve[1:], strict=False)
    return tuple(after.epoch for before, after in pairs if after.lr < 0.6 * before.lr)


def _caption(findings: Findings, drops: tuple[int, ...]) -> str:
    text = "Error by epoch: test solid, training dashed; the mean over the seeds that did not fail"
    most = max((summary.n_ok for summary in findings.summaries.values()), default=0)
    if most >= BAND_FROM:
        text += f", with its pointwise 95 % interval (below {BAND_FROM} seeds: the lowest and the highest seed)."
    else:
        text += ", in a band from the lowest seed to the highest." if most > 1 else "."
    if findings.fails():
        text += " Failed seeds are drawn thin, one by one"
        text += "; a cross marks where a seed diverged." if findings.count(State.DIVERGED) else "."
    if drops:
        text += f" Dotted vertical lines: the learning rate drops (epoch {listed(drops)})."
    return text


def _description(facet: _Facet) -> str:
    ends = [
        f"{shortened(line.label, 40) or facet.title} ends at {number(line.test[-1])} % test and "
        f"{number(line.train[-1])} % training error after {counted(line.epochs[-1], 'epoch')}"
        for line in facet.curves
    ]
    counts = Counter(line.label for line in facet.failed)
    ends += [f"{counted(count, 'failed seed')} of {shortened(name, 40)}" for name, count in counts.items()]
    return "; ".join(ends) + "."


def _notes(findings: Findings, planned: int) -> tuple[str, ...]:
    if planned <= MOST_PANELS:
        return ()
    return (f"The first {MOST_PANELS} of {planned:,} panels; data/curves.csv holds every epoch of every trial.",)


def _table(facets: Iterable[_Facet]) -> Table:
    """The mean curves at a few epochs: the first, the quarters and the last."""
    columns = (
        Column("panel", "panel"),
        Column("line", "line"),
        Column("epoch", "epoch", is_number=True),
        Column(PRIMARY.name, "test, %", 2, is_number=True),
        Column("low", "band from", 2, is_number=True),
        Column("high", "to", 2, is_number=True),
        Column(PRIMARY_IN_TRAINING.name, "training, %", 2, is_number=True),
    )
    rows: list[tuple[Cell, ...]] = []
    for facet in facets:
        for line in facet.curves:
            last = len(line.epochs) - 1
            for at in sorted({0, last // 4, last // 2, 3 * last // 4, last}):
                errors = (line.test[at], line.low[at], line.high[at], line.train[at])
                rows.append((facet.title, line.label, line.epochs[at], *errors))
        for fail in facet.failed:
            label = f"{fail.label} (failed seed)"
            rows.append((facet.title, label, fail.epochs[-1], fail.test[-1], None, None, fail.train[-1]))
    return Table("curves", "The curves at the first epoch, the quarters and the last.", columns, tuple(rows))
