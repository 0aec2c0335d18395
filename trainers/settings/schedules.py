"""Learning rates: each schedule is a pure function of the iteration, so nothing of it needs saving.

A schedule is a mapping in the settings, ``{name: step, drops: [32000, 48000], unit: iterations, factor: 0.1}``. What
it takes stands in `fields.py`; its function in `SCHEDULES` gives the share of the peak learning rate at iteration 0, 1,
2, ...
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.annotations import Named
from search_spaces.errors import SettingError, shown
from search_spaces.settings import as_plain, read_named
from trainers.settings.fields import SCHEDULE_SETTINGS


def learning_rate(training: Mapping[str, Any], iteration: int, total: int, per_epoch: int) -> float:
    """Return the learning rate of one step.

    `iteration` counts from 0, `total` is the number of steps of the whole training, `per_epoch` that of one epoch.
    During the warm-up of a constant or step schedule the learning rate is the warm-up's own.
    """
    schedule = training["schedule"]
    warmup = schedule.get("warmup")
    if isinstance(warmup, Mapping) and iteration < warmup["iterations"]:
        return float(warmup["lr"])
    return float(training["lr"] * SCHEDULES[schedule["name"]](schedule, iteration, total, per_epoch))


def momentum(training: Mapping[str, Any], iteration: int, total: int) -> float:
    """Return the momentum of one step: the recipe's, unless a one-cycle schedule cycles it against the rate."""
    cycle = training["schedule"].get("momentum")
    if cycle is None:
        return float(training["momentum"])
    low, high = cycle
    return _cycle(training["schedule"], iteration, total, high, low, high)


def complete_schedule(value: object) -> dict[str, Any]:
    """Return the schedule, a name or a mapping, with every default filled in; SettingError for a wrong one."""
    schedule: dict[str, Any] = as_plain(read_named(value, "schedule", Named(lambda: SCHEDULE_SETTINGS), ("schedule",)))
    if schedule["name"] == "step":
        schedule["drops"] = _drops(schedule["drops"], schedule["unit"])
    return schedule


def _drops(drops: list[float] | None, unit: str) -> list[float]:
    """Return when the rate drops, checked against what the drops count."""
    if drops is None and unit != "fraction":
        raise SettingError(f"drops must be a list of {unit}, for instance [80, 121]", ("schedule", "drops"))
    points = [0.5, 0.75] if drops is None else drops
    for at, drop in enumerate(points):
        if unit == "fraction" and drop > 1:
            message = f"with unit: fraction a drop must be a number from 0 to 1, not {shown(drop)}"
            raise SettingError(message, ("schedule", "drops", at))
    if points != sorted(set(points)):
        raise SettingError(f"drops must rise from one to the next, not {shown(points)}", ("schedule", "drops"))
    return points


def _one_cycle(schedule: Mapping[str, Any], iteration: int, total: int, per_epoch: int) -> float:
    """Rise from `start` to 1 and fall to `end` along two half cosines (Smith and Topin, arXiv:1708.07120)."""
    return _cycle(schedule, iteration, total, schedule["start"], 1.0, schedule["end"])


def _cycle(schedule: Mapping[str, Any], iteration: int, total: int, start: float, turn: float, end: float) -> float:
    """Go from `start` to `turn` during the warm-up and from there to `end`, along two half cosines."""
    top = max(schedule["warmup"] * total - 1, 0)
    if iteration < top:
        return _cosine(start, turn, iteration / top)
    rest = total - 1 - top
    return _cosine(turn, end, min((iteration - top) / rest, 1.0)) if rest > 0 else turn


def _step(schedule: Mapping[str, Any], iteration: int, total: int, per_epoch: int) -> float:
    """Multiply by `factor` at each drop."""
    size = {"iterations": 1, "epochs": per_epoch, "fraction": total}[schedule["unit"]]
    passed = sum(iteration >= round(drop * size) for drop in schedule["drops"])
    return float(schedule["factor"] ** passed)


def _cosine_decay(schedule: Mapping[str, Any], iteration: int, total: int, per_epoch: int) -> float:
    """Rise linearly for the `warmup` share of the steps, then fall to `end` along half a cosine (arXiv:1608.03983)."""
    rise = float(schedule["warmup"] * total)
    if iteration < rise:
        return (iteration + 1) / (rise + 1)
    return _cosine(1.0, schedule["end"], (iteration - rise) / max(total - rise, 1))


def _constant(schedule: Mapping[str, Any], iteration: int, total: int, per_epoch: int) -> float:
    return 1.0


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


Schedule = Callable[[Mapping[str, Any], int, int, int], float]

SCHEDULES: dict[str, Schedule] = {
    "one_cycle": _one_cycle,
    "step": _step,
    "cosine": _cosine_decay,
    "constant": _constant,
}
