"""Arms below one another: a point or a stroke for each seed, and a bar across at the mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.readout import Mark, Readout, place
from reports.figures.rows import RowText, rows_drawing
from reports.figures.svg import PAPER, Drawing
from reports.figures.theme import colour, error_scale, marker
from reports.metrics import PRIMARY
from reports.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKER_SIZE = 5.5  # pixels
MOST_POINTS = 10
"""Seeds of an arm beyond which strokes are drawn: points would cover each other."""


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
            _draw_points(axes, row, y)
            marks += [
                Mark(*place(axes, error, y), row.slot, f"{row.label}: {number(error)} %", trial)
                for error, trial in zip(row.errors, row.trials, strict=True)
            ]
        axes.set_xlabel(PRIMARY.label)
        return Readout(marks=tuple(marks))

    return rows_drawing([("", [RowText(row.label, row.text) for row in rows])], prefix, plot)


def _draw_points(axes: "Axes", row: Dots, y: float) -> None:
    """Draw the seeds of an arm as one element of the page, however many they are."""
    from matplotlib.markers import MarkerStyle
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D, IdentityTransform

    are_apart = len(row.errors) <= MOST_POINTS
    style = MarkerStyle(marker(row.slot) if are_apart else "|")
    shape = style.get_path().transformed(style.get_transform() + Affine2D().scale(MARKER_SIZE))
    places = axes.transData.transform([(error, y) for error in row.errors])
    points = Path.make_compound_path(*(Path(shape.vertices + place, shape.codes) for place in places))
    axes.add_artist(
        PathPatch(
            points,
            transform=IdentityTransform(),
            facecolor=colour(row.slot),
            edgecolor=PAPER if are_apart else colour(row.slot),
            linewidth=0.6 if are_apart else 1,
            clip_on=False,
        )
    )
