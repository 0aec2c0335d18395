"""How signal and gradient flow through the units of a network, at its start and during training (arXiv:1603.05027)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import log10, prod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from search_spaces.annotations import Positive, Range
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View, Workload

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.autograd.graph import GradientEdge

    from search_spaces.units import NetworkUnit
    from trainers.probes.subject import Subject


class GradientFlow(Probe):
    """The signal and the gradient at the input of every unit, in training mode, over one batch of training images.

    `signal_sd` is the standard deviation of the unit's input, `gradient_norm` the L2 norm of the gradient of the
    batch's mean loss with respect to it, `weight_gradient_norm` that with respect to the unit's parameters.
    `shortcut_factor` is the constant factor on the unit's shortcut, 1 for the identity and none where it is not
    constant: their product is what equations 3 to 5 predict for the gradient at the first unit over that at the last.
    The network is measured on `images` images at the start, after every `every` epochs, and at the end.

    every: epochs between two measurements.
    images: images of the batch.
    """

    title: ClassVar[str] = "Gradient flow"
    source: ClassVar[str] = "arXiv:1603.05027, equations 3 to 8"
    places: ClassVar[tuple[Place, ...]] = (Place("unit", "unit"),)
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("signal_sd", "standard deviation of the signal", log=True),
        Output("gradient_norm", "norm of the gradient", log=True),
        Output("weight_gradient_norm", "norm of the weights' gradient", log=True),
        Output("shortcut_factor", "factor on the shortcut"),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("first_to_last", "gradient at the first unit over the last, at the start"),
        Scalar("first_to_last_trained", "gradient at the first unit over the last, trained"),
        Scalar("expected_first_to_last", "product of the shortcuts' factors"),
        Scalar("log10_over_expected", "powers of ten by which the gradient at the start exceeds the product"),
        Scalar("signal_growth", "signal at the last unit over the first, at the start"),
    )
    views: ClassVar[tuple[View, ...]] = (
        View("gradient_norm", ("unit",), "Gradient at the start", {"epoch": 0}),
        View("gradient_norm", ("unit", "epoch"), "Gradient during training"),
        View("signal_sd", ("unit",), "Signal at the start", {"epoch": 0}),
    )
    needs_units: ClassVar[bool] = True

    def __init__(self, *, every: Positive = 2, images: Annotated[int, Range(low=2)] = 64) -> None:
        self.every = every
        self.images = images

    def moments(self, epochs: int) -> tuple[int, ...]:
        """Return the start, every `every`-th epoch, and the end."""
        return tuple(sorted({*range(0, epochs, self.every), epochs}))

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield a row for each unit, by depth."""
        import torch

        batches = subject.training_images(self.images)
        images = torch.cat([images for images, _ in batches]).requires_grad_()
        labels = torch.cat([labels for _, labels in batches])
        units = subject.units
        subject.network.train()
        with _Meter(units) as meter:
            loss = subject.loss(images, labels)
        weights = [[each for each in _parameters(unit) if each.requires_grad] for unit in units]
        wanted: list[Any] = [*meter.edges.values(), *(each for group in weights for each in group)]
        gradients = iter(torch.autograd.grad(loss, wanted, allow_unused=True))
        at_inputs = {index: _norm([next(gradients)]) for index in meter.edges}
        at_weights = [_norm([next(gradients) for _ in group]) for group in weights]
        yield [
            Row(
                {"unit": unit.index},
                {
                    "signal_sd": _number(meter.deviations.get(unit.index)),
                    "gradient_norm": _number(at_inputs.get(unit.index)),
                    "weight_gradient_norm": _number(norm),
                    "shortcut_factor": _factor(unit),
                },
            )
            for unit, norm in zip(units, at_weights, strict=True)
        ]

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the ratios between the first and the last unit."""
        start = [row for row in rows if row.epoch == 0]
        last = max((row.epoch or 0 for row in rows), default=0)
        trained = [row for row in rows if row.epoch == last and last > 0]
        factors = [row.numbers["shortcut_factor"] for row in (start or trained)[:-1]]
        known = [factor for factor in factors if factor is not None]
        growth, ratio = _ratio(start, "signal_sd"), _ratio(start, "gradient_norm")
        expected = prod(known) if known and len(known) == len(factors) else None
        return {
            "first_to_last": ratio,
            "first_to_last_trained": _ratio(trained, "gradient_norm"),
            "expected_first_to_last": expected,
            "log10_over_expected": log10(ratio / expected) if ratio and expected and expected > 0 else None,
            "signal_growth": 1 / growth if growth else None,
        }

    def forward_passes(self, load: Workload) -> float:
        """Return a forward and a backward pass at each moment."""
        return 3.0 * len(self.moments(load.epochs)) * min(self.images, load.train_size)


class _Meter:
    """Notes in a forward pass, where each unit is first entered, the signal's deviation and the place in the graph.

    The place is that before the unit: what works in place on its input does not move it.
    """

    def __init__(self, units: Sequence["NetworkUnit"]) -> None:
        self.units = units
        self.deviations: dict[int, Tensor] = {}
        self.edges: dict[int, GradientEdge] = {}
        self._handles: list[Any] = []

    def __enter__(self) -> "_Meter":
        for unit in self.units:
            hook = partial(self._entered, unit.index)
            self._handles.append(unit.modules[0].register_forward_pre_hook(hook))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _entered(self, unit: int, module: "nn.Module", inputs: "tuple[Tensor, ...]") -> None:
        from torch.autograd.graph import get_gradient_edge

        signal = inputs[0]
        if unit in self.deviations:
            return
        self.deviations[unit] = signal.detach().double().std(correction=0)
        if signal.requires_grad:
            self.edges[unit] = get_gradient_edge(signal)


def _parameters(unit: "NetworkUnit") -> "Iterator[nn.Parameter]":
    return (each for module in unit.modules for each in module.parameters())


def _norm(gradients: Sequence["Tensor | None"]) -> "Tensor | None":
    """Return the L2 norm of all values together; None where the loss depends on none of them."""
    import torch

    flat = [each.flatten() for each in gradients if each is not None]
    return torch.cat(flat).double().norm() if flat else None


def _number(value: "Tensor | None") -> float | None:
    return None if value is None else float(value)


def _factor(unit: "NetworkUnit") -> float | None:
    """Return the constant factor on the shortcut of a residual unit."""
    from search_spaces.shortcuts import Scale, Shortcut

    if isinstance(unit.merge, Scale):
        return float(unit.merge.factors[0])
    return 1.0 if type(unit.merge) is Shortcut else None


def _ratio(rows: Sequence[Row], name: str) -> float | None:
    """Return the number at the first unit over that at the last."""
    if len(rows) < 2:
        return None
    ordered = sorted(rows, key=lambda row: row.count("unit"))
    first, last = ordered[0].numbers[name], ordered[-1].numbers[name]
    return first / last if first is not None and last else None
