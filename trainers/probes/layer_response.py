"""How strongly each layer responds, and each residual branch beside its shortcut (arXiv:1512.03385, figure 7)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from search_spaces.annotations import Range
from search_spaces.errors import SettingError
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View, Workload

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainers.probes.subject import Subject


class LayerResponse(Probe):
    """The standard deviation of every convolution's output over training images, behind its batch normalisation.

    It is taken before the nonlinearity and the addition, in evaluation mode, over all images, channels and pixels.
    Convolutions on shortcuts and gates are left out, linear layers too unless the network has nothing else. At each
    residual unit stands the root mean square of what its branch adds, over that of what it is added to. `rank` counts
    the layers from the strongest response, 0, to the weakest.

    `images` is how many training images are used; None for all.

    images: training images that are used; all without a number.
    """

    title: ClassVar[str] = "Layer response"
    source: ClassVar[str] = "arXiv:1512.03385, figure 7"
    places: ClassVar[tuple[Place, ...]] = (
        Place("layer", "layer"),
        Place("module", "module"),
        Place("unit", "unit"),
        Place("rank", "layers from the strongest response"),
    )
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("response", "standard deviation of the response", log=True),
        Output("branch_to_shortcut", "branch over shortcut, RMS", log=True),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("mean", "mean response of the layers in units"),
        Scalar("branch_to_shortcut", "mean of branch over shortcut"),
    )
    views: ClassVar[tuple[View, ...]] = (
        View("response", ("layer",), "Response of each layer"),
        View("response", ("rank",), "Responses sorted by size"),
        View("branch_to_shortcut", ("unit",), "Residual branch against shortcut"),
    )

    def __init__(self, *, images: Annotated[int, Range(low=2)] | None = None) -> None:
        self.images = images

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield a row for each layer, by depth."""
        import torch

        meter = _Meter(subject)
        with meter, torch.no_grad():  # inference would not count versions
            for images, _ in subject.training_images(self.images):
                subject.network(images)
        if not meter.layers:
            raise SettingError(
                "layer_response needs a convolution, or a linear layer before the last one; this network has neither"
            )
        yield meter.rows()

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the means over the layers in units (over all layers where there are no units) and over the units."""
        inside = [row for row in rows if row.at["unit"] is not None] or list(rows)
        ratios = [ratio for row in rows if (ratio := row.numbers["branch_to_shortcut"]) is not None]
        responses = [response for row in inside if (response := row.numbers["response"]) is not None]
        return {
            "mean": fmean(responses) if responses else None,
            "branch_to_shortcut": fmean(ratios) if ratios else None,
        }

    def forward_passes(self, load: Workload) -> float:
        """Return one pass over the images."""
        return min(self.images or load.train_size, load.train_size)


Sums = tuple[float, float, float]


def _sums(output: "Tensor") -> Sums:
    """Return how many values there are, their sum, and that of their squares."""
    values = output.double()
    return float(values.numel()), float(values.sum()), float(values.square().sum())


class _Meter:
    """Follows forward passes: the sums behind each layer's deviation and each unit's ratio."""

    def __init__(self, subject: "Subject") -> None:
        self.network = subject.network
        self.units = subject.units
        self.layers: dict[nn.Module, Sums] = {}
        self.ratios: dict[int, list[float]] = {}
        self._last: tuple[nn.Module, Tensor, int, Sums] | None = None
        self._handles: list[Any] = []

    def __enter__(self) -> None:
        from torch import nn
        from torch.nn.modules.batchnorm import _BatchNorm

        beside = {id(each) for unit in self.units if unit.merge is not None for each in unit.merge.modules()}
        modules = [each for each in self.network.modules() if id(each) not in beside]
        kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
        layers: list[nn.Module] = [each for each in modules if isinstance(each, kinds)]
        linear: list[nn.Module] = [each for each in modules if isinstance(each, nn.Linear)]
        self._handles = [each.register_forward_hook(self._layer_passed) for each in layers or linear[:-1]]
        for norm in modules:
            if isinstance(norm, _BatchNorm):
                self._handles.append(norm.register_forward_hook(self._norm_passed))
        for unit in self.units:
            if unit.merge is not None:
                self._handles.append(unit.merge.register_forward_pre_hook(partial(self._merged, unit.index)))

    def __exit__(self, *_: object) -> None:
        self._add_last()
        for handle in self._handles:
            handle.remove()

    def rows(self) -> list[Row]:
        """Return a row for each layer in the order of the forward pass; a unit's ratio stands at its last layer."""
        names = {module: name for name, module in self.network.named_modules()}
        where = {layer: unit.index for unit in self.units for module in unit.modules for layer in module.modules()}
        last = {where[layer]: layer for layer in self.layers if layer in where}
        responses = [max(squares / n - (total / n) ** 2, 0.0) ** 0.5 for n, total, squares in self.layers.values()]
        strongest = sorted(range(len(responses)), key=lambda number: -responses[number])
        ranks = {number: rank for rank, number in enumerate(strongest)}
        rows = []
        for number, (layer, response) in enumerate(zip(self.layers, responses, strict=True)):
            unit = where.get(layer)
            ratio = self._ratio(unit) if unit is not None and last[unit] is layer else None
            at = {"layer": number, "module": names[layer], "unit": unit, "rank": ranks[number]}
            rows.append(Row(at, {"response": response, "branch_to_shortcut": ratio}))
        return rows

    def _ratio(self, unit: int) -> float | None:
        branch, shortcut = self.ratios.get(unit, (0.0, 0.0))
        return (branch / shortcut) ** 0.5 if shortcut else None

    def _layer_passed(self, layer: "nn.Module", inputs: Any, output: "Tensor") -> None:
        self._add_last()
        self._last = layer, output, output._version, _sums(output)

    def _norm_passed(self, norm: "nn.Module", inputs: tuple["Tensor"], output: "Tensor") -> None:
        if self._last is None:
            return
        layer, before, version, _ = self._last
        if before is inputs[0] and before._version == version:  # the layer's very output, to which nothing was added
            self._last = layer, output, output._version, _sums(output)

    def _add_last(self) -> None:
        """Add the sums of the layer that was passed last: those behind its normalisation, where it has one."""
        if self._last is not None:
            layer, *_, sums = self._last
            before = self.layers.get(layer, (0.0, 0.0, 0.0))
            self.layers[layer] = (before[0] + sums[0], before[1] + sums[1], before[2] + sums[2])
            self._last = None

    def _merged(self, unit: int, merge: Any, inputs: tuple["Tensor", "Tensor"]) -> None:
        x, residual = inputs
        shortcut, residual = merge.weigh(x, x if merge.resize is None else merge.resize(x), residual)
        # A mean a value, since a concatenation's two parts differ in size.
        powers = [float(each.double().square().mean()) * len(x) for each in (residual, shortcut)]
        before = self.ratios.get(unit, [0.0, 0.0])
        self.ratios[unit] = [old + part for old, part in zip(before, powers, strict=True)]
