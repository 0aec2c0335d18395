"""Learning rates: each schedule is a pure function of the iteration, so nothing of it needs saving.

A schedule is a mapping in the settings, ``{name: step, drops: [32000, 48000], unit: iterations, factor: 0.1}``. Its
completer in `COMPLETERS` checks it and fills the defaults in; its function in `SCHEDULES` gives the share of the peak
learning rate at iteration 0, 1, 2, ...
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.errors import SettingError
from trainers.settings import checks

UNITS = ("iterations", "epochs", "fraction")


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
    given = {"name": value} if isinstance(value, str) else checks.mapping(value, ("schedule",))
    name = checks.word(given.get("name"), COMPLETERS, ("schedule", "name"))
    try:
        return {"name": name, **COMPLETERS[name](given)}
    except SettingError as error:
        raise error.under("schedule") from None


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


def _complete_one_cycle(given: Mapping[str, Any]) -> dict[str, Any]:
    checks.known_keys(given, ("name", "warmup", "start", "end", "momentum"), "setting of the one_cycle schedule")
    return {
        "warmup": checks.number(given.get("warmup", 0.2), ("warmup",), 0, 1),
        "start": checks.number(given.get("start", 0.04), ("start",), 0, 1),
        "end": checks.number(given.get("end", 4e-6), ("end",), 0, 1),
        "momentum": _complete_cycled_momentum(given.get("momentum")),
    }


def _complete_cycled_momentum(value: object) -> list[float] | None:
    """Return the lowest and the highest momentum of a cycle; None keeps the momentum constant."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise SettingError(
            f"momentum is its lowest and highest value, for instance [0.85, 0.95], not {value!r}", ("momentum",)
        )
    return [checks.number(each, ("momentum", at), 0, 1, above=True) for at, each in enumerate(value)]


def _complete_cosine(given: Mapping[str, Any]) -> dict[str, Any]:
    checks.known_keys(given, ("name", "warmup", "end"), "setting of the cosine schedule")
    return {
        "warmup": checks.number(given.get("warmup", 0.0), ("warmup",), 0, 1),
        "end": checks.number(given.get("end", 0.0), ("end",), 0, 1),
    }


def _complete_step(given: Mapping[str, Any]) -> dict[str, Any]:
    checks.known_keys(given, ("name", "drops", "unit", "factor", "warmup"), "setting of the step schedule")
    unit = checks.word(given.get("unit", "fraction"), UNITS, ("unit",))
    drops = given.get("drops", [0.5, 0.75] if unit == "fraction" else None)
    if not isinstance(drops, list | tuple):
        raise SettingError(f"drops must be a list of {unit}, for instance [0.5, 0.75] with unit: fraction", ("drops",))
    values = [checks.number(drop, ("drops", at), 0, 1 if unit == "fraction" else None) for at, drop in enumerate(drops)]
    if values != sorted(set(values)):
        raise SettingError(f"drops must rise from one to the next, not {drops}", ("drops",))
    return {
        "drops": values,
        "unit": unit,
        "factor": checks.number(given.get("factor", 0.1), ("factor",), 0, 1, above=True),
        "warmup": _complete_warmup(given.get("warmup")),
    }


def _complete_constant(given: Mapping[str, Any]) -> dict[str, Any]:
    checks.known_keys(given, ("name", "warmup"), "setting of the constant schedule")
    return {"warmup": _complete_warmup(given.get("warmup"))}


def _complete_warmup(value: object) -> dict[str, Any] | None:
    """Return a warm-up at one fixed learning rate, as arXiv:1512.03385 section 4.2 uses it."""
    if value is None:
        return None
    given = checks.mapping(value, ("warmup",))
    checks.known_keys(given, ("lr", "iterations"), "setting of the warm-up", ("warmup",))
    return {
        "lr": checks.number(given.get("lr", 0.01), ("warmup", "lr"), 0, above=True),
        "iterations": checks.integer(given.get("iterations", 400), ("warmup", "iterations"), 0),
    }


Schedule = Callable[[Mapping[str, Any], int, int, int], float]

SCHEDULES: dict[str, Schedule] = {
    "one_cycle": _one_cycle,
    "step": _step,
    "cosine": _cosine_decay,
    "constant": _constant,
}

COMPLETERS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "one_cycle": _complete_one_cycle,
    "step": _complete_step,
    "cosine": _complete_cosine,
    "constant": _complete_constant,
}
