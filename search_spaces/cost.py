"""What a network costs, and the hash of the graph that it computes: parameters, multiply-adds, activations."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch

from search_spaces.behaviour import behaviour_hash
from search_spaces.containment import contained, place_in
from search_spaces.errors import SettingError
from search_spaces.networks.families import build_network
from search_spaces.trace import Operation, Trace, trace
from search_spaces.user_code import line_of

_BATCH = 2
MOST_PARAMS = 10**11
"""Their numbers alone take 400 GB."""
MOST_FLOPS = 10**15
"""A fast GPU takes a minute for three times as many, one step of a single image."""
LARGEST_BUILT = 10**8  # parameters of a network of the user's own that is built in memory while a study is planned


@dataclass(frozen=True)
class Complexity:
    """The cost of one image through a network.

    `flops` are multiply-adds of convolutions and matrix products, one each, as the papers count. `activations` are the
    values that convolutions put out. `graph` is a hash of the computation: operations, shapes, constants, and how every
    parameter starts; of a network of the user's own also its values. Settings that spell one computation differently
    share it.
    """

    params: int
    flops: int
    activations: int
    graph: str


def complexity(
    settings: Mapping[str, Any], input_shape: tuple[int, int, int] = (3, 32, 32), num_classes: int = 10
) -> Complexity:
    """Return the complexity of a `network:` mapping for images (C, H, W), computed on the meta device."""
    return measure(trace_network(settings, input_shape, num_classes))


def trace_network(settings: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int) -> Trace:
    """Return the trace of a `network:` mapping for images (C, H, W).

    Raises SettingError for a network that cannot be computed for such images, that no machine could hold, or, of the
    user's own, that does not compute one logit a class.
    """
    try:
        with contained(str(settings.get("family")), ("family",)):
            traced = trace(lambda: build_network(settings, input_shape, num_classes), input_shape, _BATCH)
    except SettingError:
        raise
    except Exception as error:
        if ":" not in str(settings.get("family")):  # no network of the user's own
            shape, reason = "×".join(map(str, input_shape)), str(error).partition("\n")[0]
            raise SettingError(f"it cannot be computed for images of {shape}: {reason}") from error
        raise SettingError(
            f"its forward pass raised {type(error).__name__}: {line_of(error)}{place_in(error)}", ("family",)
        ) from error
    if traced.output != (_BATCH, num_classes):
        returned = "no tensor" if traced.output is None else f"({', '.join(map(str, traced.output))})"
        wanted = f"for {_BATCH} images it must return logits of shape ({_BATCH}, {num_classes})"
        raise SettingError(f"{wanted}; it returned {returned}", ("family",))
    if traced.dtype is not None and not traced.dtype.is_floating_point:
        kind = str(traced.dtype).removeprefix("torch.")
        raise SettingError(f"it must return logits that are floating-point numbers; it returned {kind}", ("family",))
    _refuse_huge(measure(traced))
    if ":" in str(settings.get("family")) and sum(map(prod, traced.parameters.values())) <= LARGEST_BUILT:
        images = torch.randn(_BATCH, *input_shape, generator=torch.Generator().manual_seed(0))
        with contained(str(settings.get("family")), ("family",)):
            behaviour = behaviour_hash(lambda: build_network(settings, input_shape, num_classes), images)
        traced = replace(traced, behaviour=behaviour)
    return traced


def _refuse_huge(cost: Complexity) -> None:
    for what, value, most in (
        ("parameters", cost.params, MOST_PARAMS),
        ("multiply-adds an image", cost.flops, MOST_FLOPS),
    ):
        if value > most:
            raise SettingError(f"it has {value:.1e} {what}, and {most:.0e} at most can be trained: make it smaller")


def measure(traced: Trace) -> Complexity:
    """Return the complexity of a traced network."""
    return Complexity(
        params=sum(prod(shape) for shape in traced.parameters.values()),
        flops=sum(multiply_adds(operation) for operation in traced.operations),
        activations=sum(activations(operation) for operation in traced.operations),
        graph=graph_hash(traced),
    )


def multiply_adds(operation: Operation) -> int:
    """Return the multiply-adds of one operation for one image."""
    if operation.name == "convolution":
        return prod(operation.shape) * prod(operation.source_shapes[1][1:]) // _BATCH
    if operation.name in ("mm", "addmm", "bmm", "baddbmm"):
        return prod(operation.shape) * operation.source_shapes[-1][-2] // _BATCH
    return 0


def activations(operation: Operation) -> int:
    """Return the values that one operation puts out for one image, if it is a convolution."""
    return prod(operation.shape) // _BATCH if operation.name == "convolution" else 0


def graph_hash(traced: Trace) -> str:
    """Return 16 hexadecimal digits that identify the computation, whatever its modules and parameters are called.

    Parameters are numbered by their first use; ones that are never used count with their shapes.
    """
    digest = hashlib.sha256()
    numbers: dict[str, str] = {}
    for operation in traced.operations:
        sources = []
        for source in operation.sources:
            if isinstance(source, int) or source in ("images", "constant"):
                sources.append(str(source))
                continue
            if source not in numbers:
                numbers[source] = f"p{len(numbers)}"
                digest.update(f"{numbers[source]}={traced.starts.get(source)}\n".encode())
            sources.append(numbers[source])
        line = f"{operation.name} {operation.constants} {sources} {operation.source_shapes} {operation.shape}\n"
        digest.update(line.encode())
    unused = sorted(shape for name, shape in traced.parameters.items() if name not in numbers)
    digest.update(repr(unused).encode() + traced.behaviour.encode())
    return digest.hexdigest()[:16]
