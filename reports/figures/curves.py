"""Learning curves: one panel of test and training error by epoch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reports.figures.readout import (
    BY_EPOCH,
    EPOCH_AXIS,
    TAG,
    ArmCurve,
    CurveChoice,
    Drawn,
    Mark,
    Readout,
    place,
    series,
    tag,
)
from reports.figures.svg import MUTED, Drawing
from reports.figures.theme import colour, draw, error_scale, fail_line, label_ends, marker
from reports.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE, LARGE = (330, 246), (540, 330)
MOST_MARKS = 64
"""Epochs of a line that a reader can ask for."""


@dataclass(frozen=True)
class Curve:
    """One arm by epoch: mean test error of the seeds that did not fail, the ends of its band, mean training error."""

    label: str
    slot: int
    epochs: tuple[int, ...]
    test: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    train: tuple[float, ...]


@dataclass(frozen=True)
class FailedCurve:
    """The errors of one failed seed; `stopped` where it diverged before the last epoch."""

    label: str
    slot: int
    epochs: tuple[int, ...]
    test: tuple[float, ...]
    train: tuple[float, ...]
    stopped: bool
    trial: str = ""


@dataclass(frozen=True)
class CurveScale:
    """What all panels share: the errors in any of them, the last epoch, and the pixels that their labels need.

    `drops` are the epochs before which the learning rate was cut, `fail_above` the error above which a trial fails.
    """

    values: tuple[float, ...]
    last_epoch: int
    room: float
    drops: tuple[int, ...] = ()
    fail_above: float | None = None


@dataclass(frozen=True)
class ArmChoice:
    """The curves of all arms that a reader can draw, and the place of each that is drawn at first by its series."""

    lines: tuple[ArmCurve, ...]
    shown: Mapping[int, int]


def curves_drawing(
    curves: Sequence[Curve],
    failed: Sequence[FailedCurve],
    scale: CurveScale,
    *,
    prefix: str,
    has_key: bool = False,
    is_large: bool = False,
    choice: ArmChoice | None = None,
) -> Drawing:
    """Draw one panel; `has_key` writes into it which lines are of the test set and which of the training set.

    One that `is_large` stands alone. Of a `choice` of arms a reader of the page can draw others than these.
    """

    def plot(axes: "Axes") -> Readout:
        error_scale(axes, scale.values)
        for epoch in scale.drops:
            tag([axes.axvline(epoch, color=MUTED, linewidth=0.7, dashes=(1, 2))], BY_EPOCH)
        fail_line(axes, scale.fail_above)
        for fail in failed:
            _draw_failed(axes, fail)
        for line in curves:
            _draw_mean(axes, line)
        axes.set_xlim(1 if scale.last_epoch > 1 else 0.5, max(scale.last_epoch, 1.5))
        axes.locator_params(axis="x", integer=True, nbins=6)
        axes.set_xlabel("epoch")
        axes.set_ylabel("error, %")
        label_ends(axes, _ends(curves, failed))
        if has_key:
            _key(axes)
        axes.xaxis.set_gid(TAG + EPOCH_AXIS)
        readout = _readout(axes, curves, failed, scale.last_epoch)
        return replace(readout, choice=_choice(axes, choice)) if choice else readout

    margins = (46, 38, scale.room, 12)
    if not is_large:
        return draw(plot, prefix, SIZE, margins)
    narrow = replace(draw(plot, f"{prefix}n", SIZE, margins), sheet=None)
    if narrow.readout.choice is not None:
        narrow = replace(narrow, readout=replace(narrow.readout, choice=narrow.readout.choice.without_lines()))
    return replace(draw(plot, prefix, LARGE, margins), narrow=narrow)


def _draw_failed(axes: "Axes", fail: FailedCurve) -> None:
    thin: dict[str, Any] = {"color": colour(fail.slot), "linewidth": 0.8, "alpha": 0.8}
    end: dict[str, Any] = {
        "marker": "x" if fail.stopped else marker(fail.slot),
        "markersize": 4.5,
        "color": colour(fail.slot),
    }
    drawn = axes.plot(fail.epochs, fail.test, **thin)
    drawn += axes.plot(fail.epochs, fail.train, dashes=(4, 2.4), **thin)
    drawn += axes.plot(fail.epochs[-1:], fail.test[-1:], clip_on=False, **end)
    tag(drawn, f"{BY_EPOCH} {series(fail.slot)}")


def _draw_mean(axes: "Axes", line: Curve) -> None:
    tone = colour(line.slot)
    drawn: list[Drawn] = []
    if line.low != line.high:
        drawn.append(axes.fill_between(line.epochs, line.low, line.high, color=tone, alpha=0.16, linewidth=0))
    drawn += axes.plot(line.epochs, line.train, color=tone, linewidth=1.1, dashes=(4, 2.4))
    drawn += axes.plot(line.epochs, line.test, color=tone, linewidth=1.7)
    drawn += axes.plot(line.epochs[-1:], line.test[-1:], marker=marker(line.slot), color=tone, clip_on=False)
    tag(drawn, f"{BY_EPOCH} {series(line.slot)}")


def _readout(axes: "Axes", curves: Sequence[Curve], failed: Sequence[FailedCurve], last_epoch: int) -> Readout:
    names = {line.slot: line.label for line in failed} | {line.slot: line.label for line in curves}
    marks = [mark for line in curves for mark in _marks(axes, line, "", "")]
    marks += [mark for line in failed for mark in _marks(axes, line, "failed seed, ", line.trial)]
    ends = (round(place(axes, 1, 1)[0], 1), round(place(axes, last_epoch, 1)[0], 1), last_epoch)
    return Readout(names, tuple(marks), ends if last_epoch > 1 else None)


def _choice(axes: "Axes", arms: ArmChoice) -> CurveChoice:
    top = axes.get_ylim()[1]
    zero, end = (place(axes, 1, error)[1] for error in (0, top))
    return CurveChoice(arms.lines, arms.shown, axes.get_yscale() != "linear", top, round(zero, 1), round(end, 1))


def _marks(axes: "Axes", line: Curve | FailedCurve, what: str, trial: str) -> Iterator[Mark]:
    step = -(-len(line.epochs) // MOST_MARKS)
    points = list(zip(line.epochs, line.test, line.train, strict=True))
    for epoch, test, train in points[::-step]:
        text = f"{what}epoch {epoch}: {number(test)} % test, {number(train)} % training"
        yield Mark(*place(axes, epoch, test), line.slot, text, trial)


def _key(axes: "Axes") -> None:
    """Name the two kinds of lines at the lower left, where falling curves leave room."""
    for at, (name, dashes) in enumerate((("test", None), ("training", (4, 2.4)))):
        y = 0.14 - 0.075 * at
        (line,) = axes.plot((0.03, 0.12), (y, y), transform=axes.transAxes, color=MUTED, linewidth=1.4)
        if dashes:
            line.set_dashes(dashes)
        axes.text(0.14, y, name, transform=axes.transAxes, va="center", fontsize=9.5, color=MUTED)


def _ends(curves: Sequence[Curve], failed: Sequence[FailedCurve]) -> list[tuple[float, float, str, int]]:
    """One name an arm: at its mean's end, or at its highest failed seed's when every seed failed."""
    ends = {line.slot: (line.epochs[-1], line.test[-1], line.label, line.slot) for line in curves}
    for line in failed:
        here = (line.epochs[-1], line.test[-1], line.label, line.slot)
        if line.slot not in {each.slot for each in curves}:
            ends[line.slot] = max(ends.get(line.slot, here), here)
    return list(ends.values())
