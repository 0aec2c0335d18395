"""The one look of every figure: sizes, colours, markers, and the place where matplotlib is imported."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from reports.figures.labels import in_lines
from reports.figures.readout import Readout, series, tag
from reports.figures.svg import INK, MUTED, PAPER, RULE, SERIES, Drawing, to_drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v")
MOST_SERIES = len(SERIES)
"""More lines than this cannot be told apart in one panel."""
MOST_PANELS = 12
LONGEST_LABEL = 16
"""Letters of a line of a label; a longer one has several lines."""
MOST_LINES = 4


def colour(slot: int) -> str:
    """Return the colour of a series; the baseline is black."""
    return SERIES[slot % len(SERIES)]


def marker(slot: int) -> str:
    """Return the marker of a series, so that colour is never alone."""
    return MARKERS[slot % len(MARKERS)]


def draw(
    plot: Callable[["Axes"], Readout | None],
    prefix: str,
    size: tuple[int, int],
    margins: Sequence[float],
    has_left_spine: bool = True,
) -> Drawing:
    """Draw one panel of `size` CSS pixels; `margins` are left, bottom, right, top in pixels.

    `plot` draws into the axes, and may return what the page says of the points.
    matplotlib and seaborn are imported here, on first use: together they cost more than the rest of the page.
    """
    import seaborn
    from matplotlib.figure import Figure

    width, height = size
    left, bottom, right, top = margins
    with styled():
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        axes = figure.add_axes(
            (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
        )
        readout = plot(axes) or Readout()
        seaborn.despine(ax=axes, left=not has_left_spine)
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        return replace(to_drawing(figure, prefix), sheet=figure, readout=readout)


@contextmanager
def styled() -> Iterator[None]:
    """Let what matplotlib draws in here have the one look."""
    import seaborn
    from matplotlib import rc_context

    with _without_glyph_warnings(), rc_context(seaborn.axes_style("ticks") | _settings()):
        yield


def _settings() -> dict[str, object]:
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "report",
        "pdf.fonttype": 42,
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.size": 11,
        "axes.labelsize": 11,
        "axes.titlesize": 12,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "xtick.labelsize": 10.5,
        "ytick.labelsize": 10.5,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.8,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
        "xtick.minor.visible": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": RULE,
        "grid.linewidth": 0.7,
        "axes.axisbelow": True,
        "path.simplify": False,
        "lines.solid_capstyle": "round",
        "lines.dash_capstyle": "butt",
        "lines.linewidth": 1.6,
        "lines.markersize": 5,
    }


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    """Names may hold letters that matplotlib's own font lacks; the reader's browser draws the text, and has them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def is_wide(values: Sequence[float]) -> bool:
    """Whether errors in per cent are so unlike that their axis is logarithmic above 1."""
    top = max(values, default=1.0)
    positive = [value for value in values if value > 0]
    return bool(positive) and top > 12 and top > 8 * sorted(positive)[len(positive) // 10]


def error_scale(axes: "Axes", values: Sequence[float], axis: str = "y") -> None:
    """Scale an axis of errors in per cent from 0 up: linear while they are alike, else logarithmic above 1."""
    top = max(values, default=1.0)
    is_bent = is_wide(values)
    if is_bent:
        getattr(axes, f"set_{axis}scale")("symlog", linthresh=1.0, linscale=0.45)
        ticks = [tick for tick in (0, 1, 2, 5, 10, 20, 50, 100) if tick <= top * 1.3]
        getattr(axes, f"set_{axis}ticks")(ticks, labels=[str(tick) for tick in ticks])
        getattr(axes, f"{axis}axis").set_minor_locator(_nothing())
    getattr(axes, f"set_{axis}lim")(0, min(top * (1.25 if is_bent else 1.08), 112) or 1)


def fail_line(axes: "Axes", fail_above: float | None) -> None:
    """Draw the level above which the tables say "fail", where the axis reaches it."""
    if fail_above is not None and fail_above < axes.get_ylim()[1]:
        axes.axhline(fail_above, color=MUTED, linewidth=0.8, dashes=(1, 2))
        axes.annotate(
            f"fail above {fail_above:g} %",
            xy=(1, fail_above),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 3),
            textcoords="offset points",
            ha="right",
            fontsize=10,
            color=MUTED,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1},
        )


def _nothing() -> object:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def label_ends(axes: "Axes", ends: Sequence[tuple[float, float, str, int]], gap: float = 12.5) -> None:
    """Write each line's marker and name right of its end (x, y in data units, name, slot), `gap` pixels apart.

    A name that is too long leaves out what all of them share, as the panel's title has it, or has several lines.
    """
    ends = [end for end in ends if end[2]]
    if not ends:
        return
    room = int(axes.bbox.height / (gap * len(ends)))
    names = in_lines([name for _, _, name, _ in ends], LONGEST_LABEL, min(max(room, 2), MOST_LINES))
    gap *= min(1 + max(name.count("\n") for name in names), max(room, 1))
    placed = sorted(
        (axes.transData.transform((x, y))[1], x, name, slot) for (x, y, _, slot), name in zip(ends, names, strict=True)
    )
    low, high = axes.bbox.y0, axes.bbox.y1
    heights = spread([each[0] for each in placed], gap, low, high)
    ends_at = max(axes.transData.transform((each[1], 1))[0] for each in placed)
    right = max(ends_at, axes.bbox.x1 - 6)
    for height, (_, _, name, slot) in zip(heights, placed, strict=True):
        label = axes.annotate(
            name,
            xy=(right + 18, height),
            xycoords="figure pixels",
            va="center",
            ha="left",
            fontsize=10.5,
            linespacing=1.0,
            annotation_clip=False,
        )
        drawn = axes.plot(
            [right + 12],
            [height],
            transform=None,
            marker=marker(slot),
            color=colour(slot),
            markersize=4.5,
            clip_on=False,
            linestyle="none",
        )
        tag((label, *drawn), series(slot))


def label_room(names: Iterable[str]) -> float:
    """Return the pixels that the longest of the labels needs right of the axes."""
    longest = max((min(len(name), LONGEST_LABEL) for name in names), default=0)
    return 26 + 6.1 * longest if longest else 14


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return ascending places at least `gap` apart and near the wanted ones, inside low..high when they fit."""
    groups: list[list[float]] = []
    for place in wanted:
        groups.append([place, 1])
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < gap * (groups[-1][1] + groups[-2][1]) / 2:
            centre, count = groups.pop()
            other, more = groups.pop()
            groups.append([(centre * count + other * more) / (count + more), count + more])
    places = [centre + gap * (at - (count - 1) / 2) for centre, count in groups for at in range(int(count))]
    last = len(places) - 1
    raised = [max(place, low + gap * at) for at, place in enumerate(places)]
    return [min(place, high - gap * (last - at)) for at, place in enumerate(raised)]
