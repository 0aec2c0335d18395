"""Arms below one another: a point for each seed, and a bar across at the mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.readout import Mark, Readout, place
from reports.figures.rows import Words, rows_drawing
from reports.figures.svg import PAPER, Drawing
from reports.figures.theme import colour, error_scale, marker
from reports.metrics import PRIMARY
from reports.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Dots:
    """One arm: its mean, and the error and the trial of each of its seeds."""

    label: str
    text: str
    slot: int
    mean: float
    errors: tuple[float, ...]
    trials: tuple[str, ...]


def dots_drawing(rows: Sequence[Dots], prefix: str) -> Drawing:
    """Draw the arms from top to bottom on one scale of errors."""

    def plot(axes: "Axes", heights: Sequence[float]) -> Readout:
        error_scale(axes, [error for row in rows for error in row.errors], axis="x")
        marks: list[Mark] = []
        for row, y in zip(rows, heights, strict=True):
            tone = colour(row.slot)
            axes.plot((row.mean, row.mean), (y - 7, y + 7), color=tone, linewidth=2, solid_capstyle="butt")
            axes.plot(
                row.errors,
                [y] * len(row.errors),
                marker=marker(row.slot),
                linestyle="none",
                color=tone,
                markersize=5.5,
                markeredgecolor=PAPER,
                markeredgewidth=0.6,
                clip_on=False,
            )
            marks += [
                Mark(*place(axes, error, y), row.slot, f"{row.label}: {number(error)} %", trial)
                for error, trial in zip(row.errors, row.trials, strict=True)
            ]
        axes.set_xlabel(PRIMARY.label)
        return Readout(marks=tuple(marks))

    return rows_drawing([("", [Words(row.label, row.text) for row in rows])], prefix, plot)
