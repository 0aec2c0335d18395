"""What the loss of single units, of several, and of their order costs a trained network (arXiv:1605.06431)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean, median
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from search_spaces.annotations import Positive, Range
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View, Workload

if TYPE_CHECKING:
    import torch

    from search_spaces.units import NetworkUnit
    from trainers.probes.subject import Subject

    Pair = tuple[NetworkUnit, NetworkUnit]

T = TypeVar("T")


class Lesion(Probe):
    """The test error after units are deleted or swapped, nothing being trained again.

    A deleted residual unit keeps its shortcut; a plain layer or unit passes its input on, where it changes no shape.
    After each unit alone come `draws` random choices of each number of units, then the units in the order of the harm
    that each did alone, then `draws` choices of each number of `swaps` of units of one kind. The effective depth is
    the number of units that must stay for the error to rise by at most `tolerance` points, those that do least harm
    alone being deleted first.

    draws: random choices of each number of units.
    tolerance: points by which the error may rise for the effective depth.
    swaps: whether units are also swapped.
    counts: the numbers of units, `doubling` (1, 2, 4, ... and all) or `every` (1, 2, 3, ... up to all).
    """

    title: ClassVar[str] = "Lesion"
    source: ClassVar[str] = "arXiv:1605.06431, section 4"
    places: ClassVar[tuple[Place, ...]] = (
        Place("unit", "deleted unit"),
        Place("count", "number of units"),
        Place("mode", "mode"),
        Place("order", "order"),
        Place("deleted", "units concerned"),
    )
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("test_error", "test error", "%"),
        Output("increase", "increase of the test error", "points"),
        Output("rank_correlation", "Kendall's rank correlation of the order"),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("one_unit", "increase by deleting one unit, median", "points", "lower"),
        Scalar("one_unit_mean", "increase by deleting one unit, mean", "points", "lower"),
        Scalar("worst_unit", "increase by deleting one unit, most", "points", "lower"),
        Scalar("effective_depth", "units that must stay"),
        Scalar("removable_share", "share of units that can go", "%"),
    )
    views: ClassVar[tuple[View, ...]] = (
        View("increase", ("unit",), "Deleting one unit", {"order": "single"}),
        View("test_error", ("count",), "Deleting random units", {"mode": "delete", "order": "random"}),
        View("test_error", ("rank_correlation",), "Swapping units", {"mode": "swap"}),
    )
    needs_units: ClassVar[bool] = True
    later_settings: ClassVar[Mapping[str, Any]] = {"counts": "doubling"}

    def __init__(
        self,
        *,
        draws: Positive = 3,
        tolerance: Annotated[float, Range(low=0)] = 1.0,
        swaps: bool = True,
        counts: Literal["doubling", "every"] = "doubling",
    ) -> None:
        self.draws = draws
        self.tolerance = tolerance
        self.swaps = swaps
        self.counts = counts

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield the single deletions, the random ones by number, the ordered ones, and the swaps by number."""
        whole = _error(subject, ())
        known = list(done)
        finished = {_part(row) for row in known}
        for part, rows_of in self._parts(subject, whole, known):
            if part not in finished:
                known += (chunk := list(rows_of()))
                yield chunk

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the scalars; an effective depth also counts the units that cannot be deleted."""
        single = [row for row in rows if row.at["order"] == "single"]
        increases = [increase for row in single if (increase := row.numbers["increase"]) is not None]
        ordered = sorted((row for row in rows if row.at["order"] == "ordered"), key=lambda row: row.count("count"))
        gone = 0
        for row in ordered:
            if (row.numbers["increase"] or 0.0) > self.tolerance:
                break
            gone = row.count("count")
        units = len(single)
        return {
            "one_unit": median(increases) if increases else None,
            "one_unit_mean": fmean(increases) if increases else None,
            "worst_unit": max(increases, default=None),
            "effective_depth": float(units - gone) if increases else None,
            "removable_share": 100 * gone / len(increases) if increases else None,
        }

    def forward_passes(self, load: Workload) -> float:
        """Return a pass over the test set for each choice of units."""
        numbers = len(self._counts(load.units)) + (len(self._counts(load.units // 2)) if self.swaps else 0)
        return load.test_size * (1 + 2 * load.units + self.draws * numbers)

    def _parts(
        self, subject: "Subject", whole: float, known: Sequence[Row]
    ) -> Iterator[tuple[tuple[str, int | None], Callable[[], Iterator[Row]]]]:
        """Yield what is to be measured, one part after the other, and what measures it."""
        removable = [unit for unit in subject.units if unit.can_be_left_out]
        yield ("single", None), partial(self._single, subject, whole)
        for count in self._counts(len(removable)):
            yield ("random", count), partial(self._random, subject, whole, removable, count)
        yield ("ordered", None), partial(self._ordered, subject, whole, known)
        if self.swaps:
            pairs = _pairs(subject.units)
            for count in self._counts(len(_apart(pairs, len(pairs)))):
                yield ("swap", count), partial(self._swapped, subject, whole, pairs, count)

    def _counts(self, most: int) -> list[int]:
        """Return the numbers of units up to `most`, which is the last."""
        if self.counts == "every":
            return list(range(1, most + 1))
        counts = [2**power for power in range(max(most, 1).bit_length()) if 2**power < most]
        return [*counts, most] if most else []

    def _single(self, subject: "Subject", whole: float) -> Iterator[Row]:
        for unit in subject.units:
            error = _error(subject, (unit,)) if unit.can_be_left_out else None
            yield _row(_deleted("single", [unit.index], unit.index), error, whole)

    def _random(self, subject: "Subject", whole: float, units: Sequence["NetworkUnit"], count: int) -> Iterator[Row]:
        for draw in range(self.draws):
            chosen = _choose(units, count, subject.generator(1000 * count + draw))
            yield _row(_deleted("random", [unit.index for unit in chosen]), _error(subject, chosen), whole)

    def _ordered(self, subject: "Subject", whole: float, known: Sequence[Row]) -> Iterator[Row]:
        harm = {row.at["unit"]: row.numbers["increase"] for row in known if row.at["order"] == "single"}
        units = [unit for unit in subject.units if harm[unit.index] is not None]
        units.sort(key=lambda unit: harm[unit.index] or 0.0)
        for count in range(1, len(units) + 1):
            chosen = units[:count]
            error = _error(subject, chosen)
            yield _row(_deleted("ordered", [unit.index for unit in chosen]), error, whole)
            if error - whole > self.tolerance:
                return

    def _swapped(self, subject: "Subject", whole: float, pairs: Sequence["Pair"], count: int) -> Iterator[Row]:
        from search_spaces.units import swapped

        for draw in range(self.draws):
            shuffled = _choose(pairs, len(pairs), subject.generator(10**6 + 1000 * count + draw))
            chosen = _apart(shuffled, count)
            with swapped(subject.network, chosen):
                error = subject.error(subject.test_images())
            moved = [each.index for pair in chosen for each in pair]
            at = {**_deleted("random", moved), "count": len(chosen), "mode": "swap"}
            yield _row(at, error, whole, _kendall(len(subject.units), chosen))


def _part(row: Row) -> tuple[str, int | None]:
    """Return the part of the measurement that a row belongs to."""
    name = "swap" if row.at["mode"] == "swap" else str(row.at["order"])
    return name, row.count("count") if name in ("random", "swap") else None


def _deleted(order: str, units: list[int], unit: int | None = None) -> dict[str, Any]:
    """Return the place of a row about the deletion of these units; `unit` is the only one, where each has its row."""
    return {"unit": unit, "count": len(units), "mode": "delete", "order": order, "deleted": units}


def _row(at: Mapping[str, Any], error: float | None, whole: float, correlation: float | None = None) -> Row:
    increase = None if error is None else error - whole
    return Row(at, {"test_error": error, "increase": increase, "rank_correlation": correlation})


def _error(subject: "Subject", units: Sequence["NetworkUnit"]) -> float:
    from search_spaces.units import left_out

    with left_out(units):
        return subject.error(subject.test_images())


def _choose(items: Sequence[T], count: int, generator: "torch.Generator") -> list[T]:
    import torch

    return [items[at] for at in torch.randperm(len(items), generator=generator)[:count].tolist()]


def _pairs(units: Sequence["NetworkUnit"]) -> list["Pair"]:
    return [
        (one, other)
        for at, one in enumerate(units)
        for other in units[at + 1 :]
        if len(one.modules) == 1 and one.in_shape == one.out_shape and one.kind == other.kind
    ]


def _apart(pairs: Sequence["Pair"], count: int) -> list["Pair"]:
    """Return the first `count` of the pairs that have no unit in common."""
    chosen: list[Pair] = []
    moved: set[int] = set()
    for one, other in pairs:
        if len(chosen) < count and moved.isdisjoint((one.index, other.index)):
            chosen.append((one, other))
            moved.update((one.index, other.index))
    return chosen


def _kendall(total: int, pairs: Sequence["Pair"]) -> float:
    """Return Kendall's rank correlation of the units' order with these pairs swapped."""
    order = list(range(total))
    for one, other in pairs:
        order[one.index], order[other.index] = order[other.index], order[one.index]
    concordant = sum(1 if order[i] < order[j] else -1 for i in range(total) for j in range(i + 1, total))
    return 2 * concordant / (total * (total - 1))
