"""A network in words, as a table of its stages, and as a block diagram."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from search_spaces.cost import Complexity, activations, measure, multiply_adds, trace_network
from search_spaces.drawing import UnitDrawing
from search_spaces.networks.families import complete_network, family_of
from search_spaces.trace import Trace


@dataclass(frozen=True)
class StageCost:
    """One part of a network: what comes out of it for one image (C, H, W, or features), and what it costs.

    `units` is how many units it has, None for a part without.
    """

    name: str
    shape: tuple[int, ...]
    units: int | None
    convolutions: int
    params: int
    flops: int
    activations: int


@dataclass(frozen=True)
class NetworkDescription:
    """Everything that `orchestrate describe` shows about a network; `unit` is None for families without units."""

    words: tuple[str, ...]
    stages: tuple[StageCost, ...]
    unit: UnitDrawing | None
    total: Complexity

    def text(self) -> str:
        """Return words, table and diagram as plain text."""
        parts = ["\n".join(self.words), _table(self.stages, self.total)]
        if self.unit is not None:
            parts.append(self.unit.text())
        return "\n\n".join(parts)

    def as_mapping(self) -> dict[str, Any]:
        """Return words, stages and unit as JSON-able values: what is kept of an arm's network beside its total."""
        return {key: value for key, value in asdict(self).items() if key != "total"}


def describe_network(
    settings: Mapping[str, Any], input_shape: tuple[int, int, int] = (3, 32, 32), num_classes: int = 10
) -> NetworkDescription:
    """Describe a `network:` mapping for images (C, H, W), without building it in memory."""
    completed = complete_network(settings)
    return describe_trace(completed, trace_network(completed, input_shape, num_classes))


def describe_trace(completed: Mapping[str, Any], traced: Trace) -> NetworkDescription:
    """Describe a completed `network:` mapping that was traced before."""
    family = family_of(completed["family"])
    rest = {key: value for key, value in completed.items() if key != "family"}
    return NetworkDescription(
        words=tuple(family.words(rest)),
        stages=stage_costs(traced, family.units(rest)),
        unit=family.draw_unit(rest),
        total=measure(traced),
    )


def stage_costs(traced: Trace, units: tuple[int, ...] = ()) -> tuple[StageCost, ...]:
    """Return the cost of each section of a traced network, in the order in which they run.

    `units` are the counts of stage1, stage2 and so on.
    """
    counts = {f"stage{number}": count for number, count in enumerate(units, start=1)}
    names = list(dict.fromkeys(operation.section for operation in traced.operations if operation.section))
    costs, counted = [], set[str]()
    for name in names:
        operations = [operation for operation in traced.operations if operation.section == name]
        used = {source for each in operations for source in each.sources if source in traced.parameters}
        mine = {str(source) for source in used} - counted
        counted |= mine
        costs.append(
            StageCost(
                name=name,
                shape=operations[-1].shape[1:],
                units=counts.get(name),
                convolutions=sum(each.name == "convolution" for each in operations),
                params=sum(prod(traced.parameters[source]) for source in mine),
                flops=sum(map(multiply_adds, operations)),
                activations=sum(map(activations, operations)),
            )
        )
    return tuple(costs)


def _table(stages: tuple[StageCost, ...], total: Complexity) -> str:
    header = ("stage", "output", "units", "convolutions", "parameters", "multiply-adds")
    rows = [(each.name, "×".join(map(str, each.shape)), *_counts(each)) for each in stages]
    convolutions = sum(each.convolutions for each in stages)
    rows.append(("total", "", "", str(convolutions), f"{total.params:,}", f"{total.flops:,}"))
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )


def _counts(stage: StageCost) -> tuple[str, ...]:
    units = "" if stage.units is None else str(stage.units)
    return units, str(stage.convolutions), f"{stage.params:,}", f"{stage.flops:,}"
