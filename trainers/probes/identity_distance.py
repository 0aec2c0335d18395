"""How far the map of each unit is from the identity on real images, and what the unit is worth to the network."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from search_spaces.annotations import Range
from search_spaces.errors import SettingError
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View, Workload

if TYPE_CHECKING:
    from torch import Tensor, nn

    from search_spaces.units import NetworkUnit
    from trainers.probes.subject import Subject


class IdentityDistance(Probe):
    """The norm of what a unit changes over that of what it is given, ‖x' − x‖ / ‖x‖, over training images.

    Units that change the shape of their signal have no distance. For `retrain` of the units, spread evenly by depth,
    ``worth`` is the increase of the test error, in points, where the unit is left out and all other weights are trained
    for one more epoch at the rate `lr`, against the whole network trained on in the same way. `images` is how many
    training images the distance is taken over; None for all.

    images: training images that the distance is taken over; all without a number.
    retrain: how many units are left out in turn, with one more epoch of training.
    lr: the learning rate of that epoch.
    """

    title: ClassVar[str] = "Distance from the identity"
    source: ClassVar[str] = "arXiv:1512.03385, section 3.1: a redundant unit should learn a residual of zero"
    places: ClassVar[tuple[Place, ...]] = (Place("unit", "unit"),)
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("distance", "distance from the identity", log=True),
        Output("worth", "increase of the test error", "points"),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("mean", "mean distance of the units from the identity"),
        Scalar("least", "least distance of a unit from the identity"),
        Scalar("worth", "mean worth of a unit", "points"),
    )
    views: ClassVar[tuple[View, ...]] = (
        View("distance", ("unit",), "Distance of each unit from the identity"),
        View("worth", ("unit",), "Leaving out a unit and training the rest for an epoch"),
    )
    needs_units: ClassVar[bool] = True

    def __init__(
        self,
        *,
        images: Annotated[int, Range(low=1)] | None = 512,
        retrain: Annotated[int, Range(low=0)] = 0,
        lr: Annotated[float, Range(low=0)] = 0.01,
    ) -> None:
        self.images = images
        self.retrain = retrain
        self.lr = lr

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield a row for each unit, by depth."""
        distances = _distances(subject, self.images)
        worths = self._worths(subject)
        if not distances and not worths:
            raise SettingError(
                "identity_distance needs units that keep the shape of their signal; this network has none"
            )
        yield [
            Row({"unit": unit.index}, {"distance": distances.get(unit.index), "worth": worths.get(unit.index)})
            for unit in subject.units
        ]

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the mean and the least distance, and the mean worth."""
        distances = [number for row in rows if (number := row.numbers["distance"]) is not None]
        worths = [number for row in rows if (number := row.numbers["worth"]) is not None]
        return {
            "mean": fmean(distances) if distances else None,
            "least": min(distances, default=None),
            "worth": fmean(worths) if worths else None,
        }

    def forward_passes(self, load: Workload) -> float:
        """Return one pass over the images, and an epoch for each unit that is retrained without, and for the whole."""
        epochs = min(self.retrain, load.units) + 1 if self.retrain else 0
        return min(self.images or load.train_size, load.train_size) + epochs * (3.0 * load.train_size + load.test_size)

    def _worths(self, subject: "Subject") -> dict[int, float]:
        units = [unit for unit in subject.units if unit.can_be_left_out]
        if not self.retrain or not units:
            return {}
        count = min(self.retrain, len(units))
        chosen = [units[round(at * (len(units) - 1) / max(count - 1, 1))] for at in range(count)]
        whole = _retrained_error(subject, (), self.lr)
        return {unit.index: _retrained_error(subject, (unit,), self.lr) - whole for unit in chosen}


def _distances(subject: "Subject", images: int | None) -> dict[int, float]:
    """Return the distance of every unit that keeps the shape of its signal, by its index."""
    import torch

    sums: dict[int, list[float]] = {}
    entered: dict[int, Tensor] = {}

    def enter(unit: int, module: "nn.Module", inputs: "tuple[Tensor, ...]") -> None:
        entered[unit] = inputs[0].double()

    def leave(unit: int, module: "nn.Module", inputs: Any, output: "Tensor") -> None:
        before = entered.pop(unit)
        if before.shape == output.shape:
            pair = sums.setdefault(unit, [0.0, 0.0])
            pair[0] += float((output.double() - before).square().sum())
            pair[1] += float(before.square().sum())

    handles: list[Any] = []
    for unit in subject.units:
        handles.append(unit.modules[0].register_forward_pre_hook(partial(enter, unit.index)))
        handles.append(unit.modules[-1].register_forward_hook(partial(leave, unit.index)))
    try:
        with torch.no_grad():
            for inputs, _ in subject.training_images(images):
                subject.network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return {unit: (change / size) ** 0.5 for unit, (change, size) in sums.items() if size}


def _retrained_error(subject: "Subject", without: "Sequence[NetworkUnit]", lr: float) -> float:
    """Return the test error after one more epoch without some units; the network is put back as it was."""
    import torch

    from search_spaces.units import left_out

    before = copy.deepcopy(subject.network.state_dict())
    optimiser = torch.optim.SGD(subject.network.parameters(), lr=lr, momentum=0.9)
    with left_out(without):
        subject.network.train()
        for images, labels in subject.training_epoch():
            optimiser.zero_grad()
            loss = subject.loss(images, labels)
            loss.backward()
            optimiser.step()
        subject.network.eval()
        error = subject.error(subject.test_images())
    subject.network.load_state_dict(before)
    return error
