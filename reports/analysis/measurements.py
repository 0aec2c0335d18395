"""What probes measured, as numbers by arm: the lines, maps and scalars that a probe declares."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from reports.metrics import has_own_loss, loss_unit
from reports.results import Measurement, Study
from reports.trials import State

Points = Mapping[float, tuple[float, ...]]
"""The values at each place along an axis, of every seed and row."""
Grid = Mapping[tuple[float, float], float]
"""The value at each place over two axes."""


@dataclass(frozen=True)
class View:
    """One picture that a probe declares: an output over one or two axes, of the rows whose places are as in `where`."""

    kind: str
    title: str
    output: str
    quantity: str
    unit: str
    is_log: bool
    axes: tuple[str, ...]
    axis_labels: tuple[str, ...]
    continuous: tuple[bool, ...]
    is_scatter: bool
    where: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Return what an axis of the picture says: the quantity and its unit."""
        return f"{self.quantity}, {self.unit}" if self.unit else self.quantity

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Whether a row belongs to the picture."""
        places = {**row["at"], "epoch": row.get("epoch")}
        return all(name in places and places[name] == value for name, value in self.where.items())

    def place(self, row: Mapping[str, Any]) -> tuple[float, ...] | None:
        """Return where on the axes a row stands; None where it has no place there."""
        known = {**row["at"], **row["numbers"], "epoch": row.get("epoch")}
        places = [known.get(name) for name in self.axes]
        numbers = tuple(float(each) for each in places if each is not None and _is_number(each))
        return numbers if len(numbers) == len(places) else None

    def value(self, row: Mapping[str, Any]) -> float | None:
        """Return the row's number; None where there is none that the scale can show."""
        value = row["numbers"].get(self.output)
        return float(value) if _is_number(value) and (value > 0 or not self.is_log) else None


@dataclass(frozen=True)
class Probed:
    """What one probe found in a study: what it declares, its measurements by arm, and what could not be measured."""

    kind: str
    title: str
    source: str
    views: tuple[View, ...]
    scalars: tuple[tuple[str, str, str], ...]
    found: Mapping[str, tuple[Measurement, ...]]
    refused: Mapping[str, str]

    def points(self, view: View, arm: str) -> Points:
        """Return the values of an arm along a view's first axis."""
        points: dict[float, list[float]] = {}
        for place, value in self._rows(view, self.found.get(arm, ())):
            points.setdefault(place[0], []).append(value)
        return {place: tuple(values) for place, values in sorted(points.items())}

    def grid(self, view: View, arm: str) -> Grid:
        """Return the values of an arm over two axes: the median of its seeds, or the first seed's where both are
        coordinates, since each seed has directions of its own.
        """
        measured = self.found.get(arm, ())
        if all(view.continuous):
            measured = measured[:1]
        cells: dict[tuple[float, float], list[float]] = {}
        for place, value in self._rows(view, measured):
            cells.setdefault((place[0], place[1]), []).append(value)
        return {place: median(values) for place, values in cells.items()}

    def scalar(self, name: str, arm: str) -> list[float]:
        """Return a scalar of every seed of an arm that has it."""
        values = (each.values.get("scalars", {}).get(name) for each in self.found.get(arm, ()))
        return [float(value) for value in values if _is_number(value)]

    def _rows(self, view: View, measured: Iterable[Measurement]) -> Iterable[tuple[tuple[float, ...], float]]:
        for each in measured:
            for row in each.values["rows"]:
                place, value = view.place(row), view.value(row)
                if view.keeps(row) and place is not None and value is not None:
                    yield place, value


def probed(study: Study) -> tuple[Probed, ...]:
    """Return what each probe found, in the order of the study file; measurements of older versions are left out."""
    trials = {trial.id: trial for trial in study.trials}
    orphaned = {arm.name for arm in study.arms if arm.orphaned}
    by_kind: dict[str, list[Measurement]] = {}
    for each in study.measurements:
        declared = each.values.get("probe")
        known = each.trial in trials and trials[each.trial].arm not in orphaned
        if known and isinstance(declared, Mapping) and isinstance(each.values.get("rows"), list):
            by_kind.setdefault(each.kind, []).append(each)
    asked = study.settings.get("probes") or []
    order = [each.get("name") for each in asked if isinstance(each, Mapping)]
    kinds = sorted(by_kind, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))
    is_own = has_own_loss(study.settings, study.arms)
    return tuple(_probed(kind, by_kind[kind], trials, is_own) for kind in kinds)


def unmeasured(study: Study) -> tuple[int, int]:
    """Return how many trials diverged, and how many complete ones lack a measurement that others have."""
    kinds = {each.kind for each in study.measurements if not needs_partner(each)}
    pairs = {(each.kind, each.trial) for each in study.measurements}
    orphaned = {arm.name for arm in study.arms if arm.orphaned}
    asked = [trial for trial in study.trials if trial.arm not in orphaned]
    complete = [trial for trial in asked if trial.state is State.COMPLETE]
    lacking = [trial for trial in complete if any((kind, trial.id) not in pairs for kind in kinds)]
    return sum(trial.state is State.DIVERGED for trial in asked), len(lacking)


def needs_partner(measurement: Measurement) -> bool:
    """Whether it is of two networks: then one trial of each arm has none."""
    declared = measurement.values.get("probe")
    return isinstance(declared, Mapping) and bool(declared.get("needs_partner"))


def _probed(kind: str, measured: Sequence[Measurement], trials: Mapping[str, Any], is_own: bool) -> Probed:
    declared = measured[-1].values["probe"]
    by_arm: dict[str, list[Measurement]] = {}
    refused: dict[str, str] = {}
    for each in sorted(measured, key=lambda each: trials[each.trial].seed):
        arm = trials[each.trial].arm
        if "failed" in each.values:
            refused.setdefault(arm, str(each.values["failed"]))
        else:
            by_arm.setdefault(arm, []).append(each)
    return Probed(
        kind,
        str(declared["title"]),
        str(declared["source"]),
        tuple(_view(kind, view, declared, is_own) for view in declared["views"]),
        tuple((each["name"], each["label"], loss_unit(each["unit"], is_own=is_own)) for each in declared["scalars"]),
        {arm: tuple(each) for arm, each in by_arm.items()},
        refused,
    )


def _view(kind: str, view: Mapping[str, Any], declared: Mapping[str, Any], is_own: bool) -> View:
    places = {each["name"]: each for each in declared["places"]}
    outputs = {each["name"]: each for each in declared["outputs"]}
    output = outputs[view["output"]]
    axes = tuple(view["axes"])
    labels = tuple((places.get(name) or outputs.get(name) or {"label": name})["label"] for name in axes)
    return View(
        kind=kind,
        title=view["title"],
        output=view["output"],
        quantity=output["label"],
        unit=loss_unit(output["unit"], is_own=is_own),
        is_log=bool(output["log"]),
        axes=axes,
        axis_labels=labels,
        continuous=tuple(bool(places.get(name, {}).get("continuous")) for name in axes),
        is_scatter=any(name in outputs for name in axes),
        where=view["where"],
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
