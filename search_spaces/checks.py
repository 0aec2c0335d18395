"""Checks that an ablation compares what it says: identical networks, parameters without gradient, unequal costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.constraints import Cost
from search_spaces.cost import Complexity, trace_network
from search_spaces.trace import Operation, Trace

_ZERO = frozenset({"0", "0.0", "-0.0"})


@dataclass(frozen=True)
class CostGap:
    """An arm whose `what` (``params`` or ``flops``) is `share` above (or, negative, below) its baseline's."""

    arm: str
    baseline: str
    what: str
    value: int
    baseline_value: int
    share: float

    @property
    def text(self) -> str:
        """The gap as a sentence."""
        return f"{self.arm}: {self.value:,} {self.what}, {self.share:+.1%} of {self.baseline}'s {self.baseline_value:,}"


def identical_graphs(costs: Mapping[str, Complexity]) -> list[tuple[str, ...]]:
    """Return the groups of arms (by name) that build one and the same network."""
    groups: dict[str, list[str]] = {}
    for name, cost in costs.items():
        groups.setdefault(cost.graph, []).append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def unequal_costs(costs: Mapping[str, Cost], baselines: Mapping[str, str], share: float = 0.05) -> list[CostGap]:
    """Return where an arm's parameters or multiply-adds differ from its baseline's by more than `share`.

    `baselines` maps each arm that is compared to the arm it is compared with.
    """
    gaps = []
    for name, baseline in baselines.items():
        for what in ("params", "flops"):
            value, base = getattr(costs[name], what), getattr(costs[baseline], what)
            if base and abs(value / base - 1) > share:
                gaps.append(CostGap(name, baseline, what, value, base, value / base - 1))
    return gaps


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
