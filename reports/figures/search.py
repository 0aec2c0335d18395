"""Drawings of a search: the best arm so far, points of two objectives, and error by one parameter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reports.figures.labels import distinct
from reports.figures.readout import Mark, Readout, Told, marks_of
from reports.figures.svg import MUTED, Drawing
from reports.figures.theme import colour, draw, error_scale, label_ends, label_room, marker
from reports.figures.ticks import plain_log_axis
from reports.wording import magnitude, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (540, 320)
SMALL = (330, 246)
ROW = 18
SETTLED = 3


@dataclass(frozen=True)
class Steps:
    """One optimization run: its arms' errors in order (None where there is none), and the least one after each."""

    label: str
    slot: int
    errors: tuple[float | None, ...]
    best: tuple[float | None, ...]
    told: tuple[Told, ...] = ()


def best_drawing(lines: Sequence[Steps], prefix: str) -> Drawing:
    """Draw the best validation error so far as steps over the arms, each arm as a faint point."""

    def plot(axes: "Axes") -> Readout:
        error_scale(axes, [value for line in lines for value in line.errors if value is not None])
        ends = []
        for line in lines:
            known = [(at, value) for at, value in enumerate(line.best, start=1) if value is not None]
            points = [(at, value) for at, value in enumerate(line.errors, start=1) if value is not None]
            axes.plot(*_split(points), marker=marker(line.slot), linestyle="none", color=colour(line.slot), alpha=0.6)
            axes.step(*_split(known), where="post", color=colour(line.slot))
            if known:
                ends.append((*known[-1], line.label, line.slot))
        axes.set_xlim(0.5, max((len(line.best) for line in lines), default=1) + 0.5)
        axes.locator_params(axis="x", integer=True, nbins=8)
        axes.set_xlabel("arms trained")
        axes.set_ylabel("validation error, %")
        label_ends(axes, ends)
        return Readout(marks=tuple(mark for line in lines for mark in _marks(axes, line)))

    margins = (46, 40, label_room(line.label for line in lines), 12)
    return _both(plot, prefix, margins)


def _both(plot: Callable[["Axes"], Readout | None], prefix: str, margins: tuple[float, float, float, float]) -> Drawing:
    """Return a drawing with the same for a phone."""
    narrow = draw(plot, f"{prefix}n", SMALL, margins)
    return replace(draw(plot, prefix, SIZE, margins), narrow=replace(narrow, sheet=None))


def _marks(axes: "Axes", line: Steps) -> tuple[Mark, ...]:
    known = [
        (at, error, told)
        for at, (error, told) in enumerate(zip(line.errors, line.told, strict=False), start=1)
        if error is not None
    ]
    return marks_of(axes, [(at, error) for at, error, _ in known], [told for _, _, told in known], line.slot)


@dataclass(frozen=True)
class BestSoFar:
    """The mean least error of many searches after each arm, and the ends of its band."""

    label: str
    slot: int
    mean: tuple[float, ...]
    band: tuple[tuple[float, float], ...]


def best_so_far_drawing(lines: Sequence[BestSoFar], prefix: str) -> Drawing:
    """Draw the mean least error so far over the arms, a line and a band for each sampler."""

    def plot(axes: "Axes") -> None:
        for line in lines:
            arms = range(1, len(line.mean) + 1)
            low, high = zip(*line.band, strict=True)
            axes.fill_between(arms, low, high, color=colour(line.slot), alpha=0.16, linewidth=0)
            axes.plot(arms, line.mean, color=colour(line.slot))
            axes.plot(arms[-1:], line.mean[-1:], marker=marker(line.slot), color=colour(line.slot), clip_on=False)
        # Before the first few arms nobody has learned anything, and those errors would flatten all that follows.
        axes.set_ylim(0, 1.1 * max(line.band[min(SETTLED, len(line.band)) - 1][1] for line in lines))
        axes.set_xlim(1, max(len(line.mean) for line in lines))
        axes.locator_params(axis="x", integer=True, nbins=8)
        axes.set_xlabel("arms trained")
        axes.set_ylabel("least validation error, %")
        label_ends(axes, [(len(line.mean), line.mean[-1], line.label, line.slot) for line in lines])

    return _both(plot, prefix, (46, 40, label_room(line.label for line in lines), 12))


def points_drawing(
    points: Mapping[str, tuple[float, float]],
    on_front: Sequence[str],
    labels: tuple[str, str],
    prefix: str,
    told: Mapping[str, Told] | None = None,
    others: Sequence[tuple[float, float]] = (),
    *,
    is_error: bool = True,
) -> Drawing:
    """Draw each arm at (cost, error), the front joined by a line, and `others` as circles below them.

    `told` is what can be asked of each arm. An error goes up on the scale of all errors.
    """

    def plot(axes: "Axes") -> Readout:
        rest = [point for name, point in points.items() if name not in on_front]
        best = sorted(points[name] for name in on_front)
        if is_error:
            error_scale(axes, [error for _, error in (*points.values(), *others)])
        axes.plot(*_split(others), marker=marker(0), linestyle="none", color=colour(0), alpha=0.6)
        axes.plot(*_split(rest), marker=marker(1), linestyle="none", color=MUTED, alpha=0.6)
        axes.step(*_split(best), where="post", color=colour(1))
        axes.plot(*_split(best), marker=marker(1), linestyle="none", color=colour(1))
        axes.xaxis.set_major_formatter(lambda value, _: magnitude(value))
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        known = [(points[name], each) for name, each in (told or {}).items() if name in points]
        return Readout(marks=marks_of(axes, [point for point, _ in known], [each for _, each in known], 1))

    return _both(plot, prefix, (46, 40, 20, 12))


def slice_drawing(
    points: Sequence[tuple[float, float]], name: str, prefix: str, *, log: bool, told: Sequence[Told] = ()
) -> Drawing:
    """Draw the error of every arm against one numeric parameter; `log` only where all values are above 0."""

    def plot(axes: "Axes") -> Readout:
        error_scale(axes, [error for _, error in points])
        if log:
            plain_log_axis(axes, min(value for value, _ in points), max(value for value, _ in points))
        axes.plot(*_split(points), marker=marker(1), linestyle="none", color=colour(1), alpha=0.6)
        axes.set_xlabel(shortened(name, 40))
        axes.set_ylabel("validation error, %")
        return Readout(marks=marks_of(axes, points, told, 1))

    return draw(plot, prefix, SMALL, (46, 40, 12, 12))


def levels_drawing(
    points: Sequence[tuple[str, float]], levels: Sequence[str], prefix: str, told: Sequence[Told] = ()
) -> Drawing:
    """Draw the error of every arm by the level of one parameter, a row a level."""

    def plot(axes: "Axes") -> Readout:
        error_scale(axes, [error for _, error in points], axis="x")
        axes.plot(
            [error for _, error in points],
            [levels.index(level) for level, _ in points],
            marker=marker(1),
            linestyle="none",
            color=colour(1),
            alpha=0.6,
        )
        axes.set_yticks(range(len(levels)), labels=distinct(levels, 24))
        axes.set_ylim(len(levels) - 0.5, -0.5)
        axes.set_xlabel("validation error, %")
        return Readout(marks=marks_of(axes, [(error, levels.index(level)) for level, error in points], told, 1))

    return draw(plot, prefix, (SMALL[0], 60 + ROW * max(len(levels), 3)), (140, 40, 12, 8))


def _split(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
