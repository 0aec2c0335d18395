"""Networks that are spelt differently and compute the same: a ReLU of what is never negative changes nothing."""

from collections.abc import Sequence
from dataclasses import replace

from search_spaces.cost import graph_hash
from search_spaces.trace import Operation, Trace

# What is never negative where no source is.
_KEEPING = frozenset(
    {"add", "cat", "slice", "constant_pad_nd", "mean", "sum", "view", "clone", "select", "_unsafe_view"}
    | {"max_pool2d_with_indices", "avg_pool2d", "_adaptive_avg_pool2d", "adaptive_avg_pool2d", "alias", "expand"}
)
_NEVER_NEGATIVE = frozenset({"relu", "sigmoid", "exp", "softplus", "_softmax"})


def effect_hash(traced: Trace) -> str:
    """Return 16 hexadecimal digits that networks share whose outputs and gradients are the same for all weights.

    Beyond `search_spaces.cost.graph_hash`, ReLUs are left out whose input is never negative, such as a second one in a
    row, or one after the sum of two. Networks with other hashes may still be equal in ways that are not looked for.
    """
    return graph_hash(replace(traced, operations=tuple(_without_redundant_relus(traced.operations))))


def _without_redundant_relus(operations: Sequence[Operation]) -> list[Operation]:
    kept: list[Operation] = []
    now: dict[int, int] = {}  # the number of each operation, or of the one that stands for it, among those kept
    never_negative: set[int] = set()
    for number, operation in enumerate(operations):
        sources = tuple(now[each] if isinstance(each, int) else each for each in operation.sources)
        inputs_are = bool(sources) and all(each in never_negative for each in sources)
        if operation.name == "relu" and inputs_are and isinstance(sources[0], int):
            now[number] = sources[0]
            continue
        now[number] = len(kept)
        if operation.name in _NEVER_NEGATIVE or (operation.name in _KEEPING and inputs_are and _adds(operation)):
            never_negative.add(len(kept))
        kept.append(replace(operation, sources=sources))
    return kept


def _adds(operation: Operation) -> bool:
    """Whether constants beside the sources cannot make the result negative, as a factor or a padding could."""
    return not any("-" in each for each in operation.constants) or operation.name not in ("add", "constant_pad_nd")
