"""Checks that an ablation compares what it says: identical networks, parameters without gradient."""

from collections.abc import Mapping
from typing import Any

from search_spaces.cost import Complexity, trace_network
from search_spaces.trace import Operation, Trace

_ZERO = frozenset({"0", "0.0", "-0.0"})


def identical_graphs(costs: Mapping[str, Complexity]) -> list[tuple[str, ...]]:
    """Return the groups of arms (by name) that build one and the same network."""
    groups: dict[str, list[str]] = {}
    for name, cost in costs.items():
        groups.setdefault(cost.graph, []).append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def without_gradient(
    settings: Mapping[str, Any], input_shape: tuple[int, int, int] = (3, 32, 32), num_classes: int = 10
) -> tuple[str, ...]:
    """Return the names of the parameters of a `network:` mapping that the loss cannot move.

    They are never used, cut off by a detach, or multiplied by zero on every way to the output.
    """
    return parameters_without_gradient(trace_network(settings, input_shape, num_classes))


def parameters_without_gradient(traced: Trace) -> tuple[str, ...]:
    """Return the parameters of a traced network from which no path leads to the output."""
    reached: set[int | str] = {len(traced.operations) - 1}
    for number in range(len(traced.operations) - 1, -1, -1):
        operation = traced.operations[number]
        if number in reached and not _cuts(operation):
            reached.update(operation.sources)
    return tuple(name for name in traced.parameters if name not in reached)


def _cuts(operation: Operation) -> bool:
    if operation.name == "detach":
        return True
    return operation.name == "mul" and any(constant in _ZERO for constant in operation.constants)
