"""Error against a numeric factor: a line for each series, a point for each seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from reports.figures.readout import Mark, Readout, place, series, tag
from reports.figures.svg import PAPER, Drawing
from reports.figures.theme import colour, draw, error_scale, fail_line, label_ends, label_room, marker
from reports.figures.ticks import number_ticks
from reports.metrics import PRIMARY
from reports.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (540, 350)
SMALL = (330, 246)
CROSS_GAP = 8


@dataclass(frozen=True)
class LevelSeries:
    """One series along the axis: a middle value for each level, and every seed's error as (level, error).

    A `middle` of None breaks the line: at that level more than half of the seeds have no error to show.
    `diverged` are the levels at which seeds diverged, one entry a seed; each has a cross at the upper edge, beside the
    others of its level. `trials` are those of the points, then those that diverged; empty where they are unknown.
    """

    label: str
    slot: int
    levels: tuple[float, ...]
    middle: tuple[float | None, ...]
    points: tuple[tuple[float, float], ...]
    diverged: tuple[float, ...]
    trials: tuple[str, ...] = ()


def axis_drawing(
    runs: Sequence[LevelSeries],
    *,
    prefix: str,
    values: Sequence[float],
    factor: str,
    ticks: Sequence[float],
    small: bool,
    fail_above: float | None = None,
) -> Drawing:
    """Draw one panel, a large one also narrow; `values` are the errors of all panels, which share one scale."""

    def plot(axes: "Axes") -> Readout:
        error_scale(axes, values)
        fail_line(axes, fail_above)
        if min(ticks) > 0 and max(ticks) > 12 * min(ticks):
            axes.set_xscale("log")
            axes.xaxis.minorticks_off()
        room = 0.04 * (max(ticks) - min(ticks)) or 1
        axes.set_xlim(min(ticks) * 0.9 if axes.get_xscale() == "log" else min(ticks) - room, max(ticks) + room)
        number_ticks(axes, ticks)
        top = axes.get_ylim()[1]
        marks: list[Mark] = []
        for at, run in enumerate(runs):
            shift = (at - (len(runs) - 1) / 2) * room / 3 if axes.get_xscale() == "linear" else 0.0
            pairs = list(zip(run.levels, run.middle, strict=True))
            line = axes.plot(
                [level for level, _ in pairs],
                [float("nan") if middle is None else middle for _, middle in pairs],
                color=colour(run.slot),
            )
            style: dict[str, Any] = {
                "marker": marker(run.slot),
                "linestyle": "none",
                "color": colour(run.slot),
                "markersize": 5.5,
            }
            style |= {"markeredgecolor": PAPER, "markeredgewidth": 0.6, "clip_on": False}
            dots = axes.plot([level + shift for level, _ in run.points], [error for _, error in run.points], **style)
            tag((*line, *dots), series(run.slot))
            marks += _marks(axes, run, shift, factor)
        marks += _crosses(axes, runs, factor)
        axes.set_xlabel(factor)
        axes.set_ylabel(PRIMARY.label)
        label_ends(axes, [end for run in runs if (end := _end(run, top)) is not None])
        return Readout({run.slot: run.label for run in runs}, tuple(marks))

    margins = (46, 40, label_room(run.label for run in runs), 14)
    narrow = draw(plot, prefix if small else f"{prefix}n", SMALL, margins)
    return narrow if small else replace(draw(plot, prefix, SIZE, margins), narrow=replace(narrow, sheet=None))


def _marks(axes: "Axes", run: LevelSeries, shift: float, factor: str) -> Iterator[Mark]:
    trials = run.trials or ("",) * len(run.points)
    for (level, error), trial in zip(run.points, trials, strict=False):
        yield Mark(*place(axes, level + shift, error), run.slot, f"{factor} {level:g}, {number(error)} %", trial)


def _crosses(axes: "Axes", runs: Sequence[LevelSeries], factor: str) -> Iterator[Mark]:
    """Draw a cross for each seed that diverged: at the upper edge, those of one level side by side, inside the axes."""
    places = sorted({axes.transData.transform((level, 1))[0] for run in runs for level in run.levels})
    room = min((after - before for before, after in pairwise(places)), default=axes.bbox.width)
    for level in sorted({level for run in runs for level in run.diverged}):
        crosses = [
            (run.slot, trial)
            for run in runs
            for at, trial in zip(run.diverged, run.trials[len(run.points) :] or ("",) * len(run.diverged), strict=True)
            if at == level
        ]
        gap = min(CROSS_GAP, 0.7 * room / len(crosses))
        middle = axes.transData.transform((level, 1))[0]
        left = max(min(middle - gap * (len(crosses) - 1) / 2, axes.bbox.x1 - gap * (len(crosses) - 1)), axes.bbox.x0)
        for at, (slot, trial) in enumerate(crosses):
            cross = axes.plot(
                [left + gap * at],
                [axes.bbox.y1],
                transform=None,
                marker="x",
                markersize=6,
                color=colour(slot),
                clip_on=False,
                linestyle="none",
            )
            tag(cross, series(slot))
            height = axes.figure.bbox.height - axes.bbox.y1
            yield Mark(left + gap * at, height, slot, f"{factor} {level:g}, diverged", trial)


def _end(run: LevelSeries, top: float) -> tuple[float, float, str, int] | None:
    known = [(level, middle) for level, middle in zip(run.levels, run.middle, strict=True) if middle is not None]
    if known:
        return (*known[-1], run.label, run.slot)
    if run.diverged:
        return (run.diverged[-1], top, run.label, run.slot)
    return None
