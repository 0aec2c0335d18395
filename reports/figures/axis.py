"""Error against a numeric factor: a line for each series, a point for each seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.figures.svg import PAPER, Drawing
from reports.figures.theme import colour, draw, error_scale, fail_line, label_ends, label_room, marker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (540, 350)
SMALL = (330, 246)


@dataclass(frozen=True)
class Run:
    """One series along the axis: a middle value for each level, and every seed's error as (level, error).

    A `middle` of None breaks the line: at that level more than half of the seeds have no error to show.
    `diverged` are the levels at which seeds diverged, one entry a seed; they are drawn along the upper edge.
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
        axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        room = 0.04 * (max(ticks) - min(ticks)) or 1
        axes.set_xlim(min(ticks) * 0.9 if axes.get_xscale() == "log" else min(ticks) - room, max(ticks) + room)
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
            axes.plot(
                [level + shift for level in run.diverged],
                [top] * len(run.diverged),
                marker="x",
                linestyle="none",
                color=colour(run.slot),
                markersize=6,
                clip_on=False,
            )
        axes.set_xlabel(factor)
        axes.set_ylabel("test error, %")
        label_ends(axes, [end for run in runs if (end := _end(run, top)) is not None])

    size = SMALL if small else SIZE
    return draw(plot, prefix, size, (42, 40, label_room(run.label for run in runs), 14))


def _end(run: Run, top: float) -> tuple[float, float, str, int] | None:
    known = [(level, middle) for level, middle in zip(run.levels, run.middle, strict=True) if middle is not None]
    if known:
        return (*known[-1], run.label, run.slot)
    if run.diverged:
        return (run.diverged[-1], top, run.label, run.slot)
    return None
