"""What a probe is: an analysis of a trained network that declares what it measures; free of torch.

To add one, write a file in this folder with a subclass of `Probe` whose keyword arguments are its settings. Study
files, the results DB, the report and claims know it from then on: its name is the file's, its `outputs` are rows of
numbers, its `views` are drawn, and its `scalars` can be claimed as ``metric: NAME.SCALAR``. Import torch inside
`measure`, so that the name and the scalars are known without it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from trainers.probes.subject import Subject

Value = bool | int | float | str | list[int] | None


@dataclass(frozen=True)
class Row:
    """One place in a network, or of its error surface, and the numbers measured there; None for what has no number."""

    at: Mapping[str, Value]
    numbers: Mapping[str, float | None]
    epoch: int | None = None

    def count(self, place: str) -> int:
        """Return a place that is counted."""
        value = self.at[place]
        assert isinstance(value, int)
        return value


@dataclass(frozen=True)
class Place:
    """What tells the rows apart. A continuous place is a coordinate; any other is counted or named."""

    name: str
    label: str
    continuous: bool = False


@dataclass(frozen=True)
class Output:
    """A number of each row; `log` where it spans powers of ten."""

    name: str
    label: str
    unit: str = ""
    log: bool = False


@dataclass(frozen=True)
class Scalar:
    """A number of a whole network, for claims and tables; `better` says in which direction, None if in neither."""

    name: str
    label: str
    unit: str = ""
    better: Literal["lower", "higher"] | None = None


@dataclass(frozen=True)
class View:
    """What the report draws: an output over one or two axes, which are places or ``epoch``.

    Over one axis it is a line for each arm. Over two it is a map for each arm: contours where both are coordinates,
    else cells. `where` keeps the rows whose places have these values.
    """

    output: str
    axes: tuple[str, ...]
    title: str
    where: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """The facts of a trial that a probe's cost depends on: its units, and the images of each set."""

    units: int
    train_size: int
    test_size: int
    epochs: int


class Probe(ABC):
    """An analysis of a trained network; a subclass's keyword arguments are its settings."""

    title: ClassVar[str]
    """What it measures, as the heading of its figures."""
    source: ClassVar[str]
    """Where the analysis comes from."""
    places: ClassVar[tuple[Place, ...]]
    outputs: ClassVar[tuple[Output, ...]]
    scalars: ClassVar[tuple[Scalar, ...]]
    views: ClassVar[tuple[View, ...]]
    needs_units: ClassVar[bool] = False
    """Whether a network without units (`search_spaces.units`) has nothing that it could measure."""
    needs_partner: ClassVar[bool] = False
    """Whether it measures a trained network together with that of the arm's next seed, when both are trained."""
    later_settings: ClassVar[Mapping[str, Any]] = {}
    """Settings that earlier versions lacked, with the values that measure what those versions did."""

    @abstractmethod
    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield the rows of one network, a chunk at a time.

        `done` are the rows of a measurement that was cut short, always the chunks from the first on; what they cover
        is not to be yielded again. Every random choice must follow from `subject.generator`. The network is the
        probe's own; its weights may change, its parts and hooks must be in the end what they were at the start.
        """

    @abstractmethod
    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the scalars of all rows of a network; None for one that these rows do not give."""

    @abstractmethod
    def forward_passes(self, load: Workload) -> float:
        """Return about how many images go forward through the network; a backward pass counts as two."""

    def moments(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs after which a training of so many `epochs` is measured; 0 is the initialisation."""
        return (epochs,)

    @classmethod
    def declaration(cls) -> dict[str, Any]:
        """Return what the report must know to draw a measurement, as plain values."""
        return {
            "title": cls.title,
            "source": cls.source,
            **({"needs_partner": True} if cls.needs_partner else {}),
            "places": [asdict(each) for each in cls.places],
            "outputs": [asdict(each) for each in cls.outputs],
            "scalars": [asdict(each) for each in cls.scalars],
            "views": [{**asdict(each), "axes": list(each.axes)} for each in cls.views],
        }
