"""What a drawing can say of its points: where each stands in it, what it shows, and the trial behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TAG = "tag-"
"""An artist whose gid begins with this has the rest as a class in the drawing, by which the page's script finds it."""
BY_EPOCH, EPOCH_AXIS = "by-epoch", "epoch-axis"


class Drawn(Protocol):
    """Whatever matplotlib draws and lets be named."""

    def set_gid(self, gid: str | None) -> None:
        """Give it a name."""


@dataclass(frozen=True)
class Mark:
    """One point, in pixels from the drawing's upper left: its series, what it shows, and its trial where it has one.

    `link` is the place on the page of what stands behind a point that is no single trial.
    """

    x: float
    y: float
    series: int
    text: str
    trial: str = ""
    link: str = ""

    def as_data(self) -> list[Any]:
        """Return it as the page's script reads it."""
        link = [self.link] if self.link else []
        return [round(self.x), round(self.y), self.series, self.text, self.trial, *link]


@dataclass(frozen=True)
class Told:
    """What a reader can ask of a point: what it shows, and the place on the page of what stands behind it."""

    text: str
    link: str = ""


UNTOLD = Told("")


@dataclass(frozen=True)
class Readout:
    """The points of one drawing; `names` are those of its series that can be shown and hidden, by their number.

    `epochs` are the pixels of the first and the last epoch, and the last epoch, of a drawing by epoch. `choice` are
    arms of which the reader chooses those that are drawn, `ranges` are axes of parallel coordinates.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    epochs: tuple[float, float, int] | None = None
    choice: "CurveChoice | None" = None
    ranges: "Ranges | None" = None

    def is_told(self) -> bool:
        """Whether there is anything for the page's script."""
        return bool(self.marks or self.ranges)

    def as_data(self) -> dict[str, Any]:
        """Return it as the page's script reads it."""
        marks = [each.as_data() for each in self.marks]
        data: dict[str, Any] = {"names": {str(slot): name for slot, name in self.names.items()}, "marks": marks}
        return (
            data
            | ({"epochs": list(self.epochs)} if self.epochs else {})
            | ({"choice": self.choice.as_data()} if self.choice else {})
            | ({"ranges": self.ranges.as_data()} if self.ranges else {})
        )


@dataclass(frozen=True)
class Ranges:
    """Axes below one another on which a reader picks ranges: their heights, and their left end and width in pixels.

    `lines` are the places of each line on the axes, from 0 at the left to 1; `axes` the name of each axis, and its
    ticks by place.
    """

    rows: tuple[float, ...]
    left: float
    width: float
    lines: tuple[tuple[float, ...], ...]
    axes: tuple[tuple[str, tuple[tuple[float, str], ...]], ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return it as the page's script reads it."""
        lines = [[round(place, 3) for place in line] for line in self.lines]
        axes = [[name, [[round(place, 3), text] for place, text in ticks]] for name, ticks in self.axes]
        return {"rows": list(self.rows), "left": self.left, "width": self.width, "lines": lines, "axes": axes}


@dataclass(frozen=True)
class ArmCurve:
    """The curve of one arm: its name, its epochs, and the errors at them on the test and the training set.

    `low` and `high` are the ends of the band over its seeds; empty where it has none.
    """

    name: str
    epochs: tuple[int, ...]
    test: tuple[float, ...]
    train: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class CurveChoice:
    """Arms that a drawing can show, `shown` the place of each that it shows at first by its series, and its scale.

    The scale of errors is logarithmic above 1 where `is_wide`, and runs from 0 at the pixel `zero` to `top` at the
    pixel `end`.
    """

    lines: tuple[ArmCurve, ...]
    shown: Mapping[int, int]
    is_wide: bool
    top: float
    zero: float
    end: float

    def without_lines(self) -> "CurveChoice":
        """Return the scale alone: what a drawing has of its own beside another of the same arms."""
        return replace(self, lines=(), shown={})

    def as_data(self) -> dict[str, Any]:
        """Return it as the page's script reads it, each list of epochs once."""
        epochs = list(dict.fromkeys(line.epochs for line in self.lines))
        lines = [
            [line.name, epochs.index(line.epochs), *([*map(_short, each)] for each in _curves(line))]
            for line in self.lines
        ]
        scale = [self.is_wide, self.top, self.zero, self.end]
        return {
            "lines": lines,
            "epochs": [list(each) for each in epochs],
            "shown": [*map(list, self.shown.items())],
            "scale": scale,
        }


def _curves(line: ArmCurve) -> tuple[tuple[float, ...], ...]:
    """Return the errors of one arm as the page holds them: the band only where there is one."""
    return (line.test, line.train, line.low, line.high) if line.low else (line.test, line.train)


def _short(error: float) -> float:
    """Round to what the page tells of a point: a number that is rounded twice may end one too high."""
    return round(error, 2)


def tag(artists: Iterable[Drawn], name: str) -> None:
    """Give artists a class by which the page's script finds them."""
    for artist in artists:
        artist.set_gid(TAG + name)


def marks_of(axes: "Axes", points: Iterable[tuple[float, float]], told: Iterable[Told], slot: int) -> tuple[Mark, ...]:
    """Return the marks of points of the data and what is told of each; none where nothing is."""
    return tuple(
        Mark(*place(axes, x, y), slot, each.text, link=each.link) for (x, y), each in zip(points, told, strict=False)
    )


def series(slot: int) -> str:
    """Return the class of what belongs to one series."""
    return f"series-{slot}"


def place(axes: "Axes", x: float, y: float) -> tuple[float, float]:
    """Return where a point of the data stands, in pixels from the drawing's upper left; the axes must be final."""
    across, up = axes.transData.transform((x, y))
    return float(across), float(axes.figure.bbox.height - up)
