"""The loss between the trained networks of two seeds (arXiv:1412.6544; the barrier: arXiv:1912.05671)."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Annotated, ClassVar

from search_spaces.annotations import Range
from search_spaces.errors import SettingError
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View, Workload

if TYPE_CHECKING:
    from trainers.probes.subject import Subject


class Interpolation(Probe):
    """Networks on the straight line from a trial's trained network to that of the arm's next seed.

    All weights are mixed, the running statistics of batch normalisation too, and each network is measured in evaluation
    mode on `images` training images, unaugmented. `above_line` is by how much its loss exceeds the same mixture of the
    two networks' losses; the largest value is the barrier. The last seed of an arm has no next one, and no measurement.

    points: networks on the line, both ends included.
    images: training images that are used; all without a number.
    """

    title: ClassVar[str] = "Interpolation"
    source: ClassVar[str] = "arXiv:1412.6544, arXiv:1912.05671"
    places: ClassVar[tuple[Place, ...]] = (
        Place("share", "share of the other network's weights", continuous=True),
        Place("other", "seed of the other network"),
    )
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("loss", "training loss", "nats"),
        Output("error", "training error", "%"),
        Output("above_line", "loss above the ends' mixture", "nats"),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("barrier", "loss barrier to the next seed's network", "nats", "lower"),
        Scalar("highest_error", "highest training error on the line", "%", "lower"),
    )
    views: ClassVar[tuple[View, ...]] = (
        View("loss", ("share",), "Loss between the networks of two seeds"),
        View("error", ("share",), "Error between the networks of two seeds"),
    )
    needs_partner: ClassVar[bool] = True

    def __init__(
        self, *, points: Annotated[int, Range(low=3)] = 11, images: Annotated[int, Range(low=1)] | None = 256
    ) -> None:
        self.points = points
        self.images = images

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield the whole line."""
        from trainers.probes.line import line  # imports torch

        partner = subject.partner
        if partner is None:
            raise SettingError("interpolation needs the kept weights of another seed of the same arm")
        yield [
            Row(
                {"share": point.share, "other": partner.seed},
                {
                    "loss": point.loss if isfinite(point.loss) else None,
                    "error": point.error,
                    "above_line": point.above_line if isfinite(point.above_line) else None,
                },
            )
            for point in line(subject, partner.state, self.points, self.images)
        ]

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the barrier, none where a network on the line has no finite loss, and the highest error."""
        above = [value for row in rows if (value := row.numbers["above_line"]) is not None]
        errors = [value for row in rows if (value := row.numbers["error"]) is not None]
        return {
            "barrier": max(above) if above and len(above) == len(rows) else None,
            "highest_error": max(errors, default=None),
        }

    def forward_passes(self, load: Workload) -> float:
        """Return a pass over the images for each network on the line."""
        return self.points * min(self.images or load.train_size, load.train_size)
