"""Error against cost: every arm a point, and the line of those that no other beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.svg import INK, MUTED, PAPER, Drawing
from reports.figures.theme import colour, draw, error_scale, marker
from reports.wording import magnitude, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (340, 250)
_LABELLED = 6


@dataclass(frozen=True)
class Point:
    """One arm: its mean error, what it costs, and whether it is on the front."""

    label: str
    error: float
    cost: float
    slot: int
    on_front: bool


def front_drawing(points: Sequence[Point], unit: str, prefix: str) -> Drawing:
    """Draw error over cost, the cost on a logarithmic axis; the arms on the front bear their names."""
    front = sorted((each for each in points if each.on_front), key=lambda each: (each.cost, each.error))

    def plot(axes: "Axes") -> None:
        error_scale(axes, [each.error for each in points])
        low, high = min(each.cost for each in points), max(each.cost for each in points)
        axes.set_xscale("log")
        axes.set_xlim(low / 1.3, high * 1.3)
        ticks = _ticks(low, high)
        axes.set_xticks(ticks, labels=[magnitude(tick) for tick in ticks])
        axes.minorticks_off()
        steps = ([each.cost for each in front], [each.error for each in front])
        axes.step(*steps, where="post", color=INK, linewidth=1, zorder=1)
        for each in points:
            face = colour(each.slot) if each.on_front else PAPER
            drawn = axes.plot([each.cost], [each.error], marker=marker(each.slot), markersize=6, linestyle="none")
            drawn[0].set(markerfacecolor=face, markeredgecolor=colour(each.slot), clip_on=False)
        for at, each in enumerate(front[:_LABELLED]):
            axes.annotate(
                shortened(each.label, 20),
                xy=(each.cost, each.error),
                xytext=(6, -12 if at % 2 else 7),
                textcoords="offset points",
                fontsize=9.5,
                color=MUTED,
                annotation_clip=False,
            )
        axes.set_xlabel(unit)
        axes.set_ylabel("test error, %")

    return draw(plot, prefix, SIZE, (42, 40, 64, 14))


def _ticks(low: float, high: float) -> list[float]:
    """Return the two ends and, between them, at most two round numbers that lie a quarter of the axis apart."""
    gap = max((high / low) ** 0.27, 1.05)
    ticks = [low]
    for each in (step * 10.0**power for power in range(15) for step in (1, 2, 5)):
        if ticks[-1] * gap < each < high / gap:
            ticks.append(each)
    return [*ticks, high] if high > 1.2 * low else ticks[:1]
