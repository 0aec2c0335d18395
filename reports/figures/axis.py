"""Error against a numeric factor: a line for each series, a point for each seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from reports.figures.svg import PAPER, Drawing
from reports.figures.theme import colour, draw, error_scale, fail_line, label_ends, label_room, marker
from reports.figures.ticks import number_ticks
from reports.metrics import PRIMARY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (540, 350)
SMALL = (330, 246)
CROSS_GAP = 8


@dataclass(frozen=True)
class Run:
    """One series along the axis: a middle value for each level, and every seed's error as (level, error).

    A `middle` of None breaks the line: at that level more than half of the seeds have no error to show.
    `diverged` are the levels at which seeds diverged, one entry a seed; each has a cross at the upper edge, beside the
    others of its level.
    """

    label: str
    slot: int
    levels: tuple[float, ...]
    middle: tuple[float | None, ...]
    points: tuple[tuple[float, float], ...]
    diverged: tuple[float, ...]


def axis_drawing(
    runs: Sequence[Run],
    *,
    prefix: str,
    values: Sequence[float],
    factor: str,
    ticks: Sequence[float],
    small: bool,
    fail_above: float | None = None,
) -> Drawing:
    """Draw one panel; `values` are the errors of all panels, so that they share one scale."""

    def plot(axes: "Axes") -> None:
        error_scale(axes, values)
        fail_line(axes, fail_above)
        if min(ticks) > 0 and max(ticks) > 12 * min(ticks):
            axes.set_xscale("log")
            axes.xaxis.minorticks_off()
        room = 0.04 * (max(ticks) - min(ticks)) or 1
        axes.set_xlim(min(ticks) * 0.9 if axes.get_xscale() == "log" else min(ticks) - room, max(ticks) + room)
        number_ticks(axes, ticks)
        top = axes.get_ylim()[1]
        for at, run in enumerate(runs):
            shift = (at - (len(runs) - 1) / 2) * room / 3 if axes.get_xscale() == "linear" else 0.0
            pairs = list(zip(run.levels, run.middle, strict=True))
            axes.plot(
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
            axes.plot([level + shift for level, _ in run.points], [error for _, error in run.points], **style)
        _crosses(axes, runs)
        axes.set_xlabel(factor)
        axes.set_ylabel(PRIMARY.label)
        label_ends(axes, [end for run in runs if (end := _end(run, top)) is not None])

    size = SMALL if small else SIZE
    return draw(plot, prefix, size, (46, 40, label_room(run.label for run in runs), 14))


def _crosses(axes: "Axes", runs: Sequence[Run]) -> None:
    """Draw a cross for each seed that diverged: at the upper edge, those of one level side by side, inside the axes."""
    places = sorted({axes.transData.transform((level, 1))[0] for run in runs for level in run.levels})
    room = min((after - before for before, after in pairwise(places)), default=axes.bbox.width)
    for level in sorted({level for run in runs for level in run.diverged}):
        slots = [run.slot for run in runs for _ in range(run.diverged.count(level))]
        gap = min(CROSS_GAP, 0.7 * room / len(slots))
        middle = axes.transData.transform((level, 1))[0]
        left = max(min(middle - gap * (len(slots) - 1) / 2, axes.bbox.x1 - gap * (len(slots) - 1)), axes.bbox.x0)
        for at, slot in enumerate(slots):
            axes.plot(
                [left + gap * at],
                [axes.bbox.y1],
                transform=None,
                marker="x",
                markersize=6,
                color=colour(slot),
                clip_on=False,
                linestyle="none",
            )


def _end(run: Run, top: float) -> tuple[float, float, str, int] | None:
    known = [(level, middle) for level, middle in zip(run.levels, run.middle, strict=True) if middle is not None]
    if known:
        return (*known[-1], run.label, run.slot)
    if run.diverged:
        return (run.diverged[-1], top, run.label, run.slot)
    return None
