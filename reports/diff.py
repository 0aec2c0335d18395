"""What differs between two reports: settings, arms, results with intervals, verdicts, and what trained them.

Both sides are what `study.json` holds, so that a report on disk, one that was published and a study in a database are
compared in the same way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.analysis.badges import SKEWED, UNLIKE
from reports.analysis.contrasts import has_unlike_spreads
from reports.analysis.effects import welch
from reports.analysis.skewness import is_skewed_sample
from reports.wording import shortened

Summary = Mapping[str, Any]
_NONE = "none"


@dataclass(frozen=True)
class ArmChange:
    """One arm that both have: its mean and number of seeds in each, and the second less the first.

    The interval is Welch's at 95 %, as of two independent studies; None where they share trials (`shared` of them), or
    a side has fewer than two seeds or a fail. `badges` say where it may be too narrow.
    """

    arm: str
    first: float | None
    second: float | None
    first_n: int
    second_n: int
    first_fails: int
    second_fails: int
    difference: float | None
    low: float | None
    high: float | None
    same: bool
    shared: int = 0
    badges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Differences:
    """All that differs; `settings`, `verdicts` and `environments` are (what, in the first, in the second)."""

    settings: tuple[tuple[str, str, str], ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    arms: tuple[ArmChange, ...]
    verdicts: tuple[tuple[str, str, str], ...]
    environments: tuple[tuple[str, str, str], ...]

    def is_empty(self) -> bool:
        """Whether nothing differs: the same settings, trials, verdicts and environments."""
        sides = (self.settings, self.added, self.removed, self.verdicts, self.environments)
        return not any(sides) and all(each.same for each in self.arms)

    def has_moved(self) -> bool:
        """Whether a claim that both declare has another verdict."""
        return any("none" not in (first, second) for _, first, second in self.verdicts)


def compare(first: Summary, second: Summary) -> Differences:
    """Compare two summaries; ValueError when one is not what `study.json` holds."""
    try:
        mine, theirs = ({arm["name"]: arm for arm in each["arms"]} for each in (first, second))
        return Differences(
            settings=tuple(_changed(_flat(first["settings"]), _flat(second["settings"]))),
            added=tuple(name for name in theirs if name not in mine),
            removed=tuple(name for name in mine if name not in theirs),
            arms=tuple(_arm(mine[name], theirs[name]) for name in mine if name in theirs),
            verdicts=tuple(_changed(_verdicts(first), _verdicts(second))),
            environments=tuple(_changed(_environments(first), _environments(second))),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no summary of a study: {error!r} is missing or of another kind") from error


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the settings by their paths; what is null counts as what is left out, and claims go by their ids."""
    flat: dict[str, str] = {}
    for key, value in settings.items():
        inner = _by_id(value)
        if isinstance(inner, Mapping) and inner:
            flat |= _flat(inner, f"{prefix}{key}.")
        elif (prefix, key) != ("", "study"):
            flat[f"{prefix}{key}"] = _NONE if value is None else shortened(str(value), 80)
    return flat


def _by_id(value: Any) -> Any:
    """Return a list of things with ids of their own as a mapping by id; anything else as it is."""
    if not (isinstance(value, list) and value and all(isinstance(each, Mapping) and "id" in each for each in value)):
        return value
    return {str(each["id"]): {key: inner for key, inner in each.items() if key != "id"} for each in value}


def _changed(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for key in {**first, **second}:
        one, other = first.get(key, _NONE), second.get(key, _NONE)
        if one != other:
            yield key, one, other


def _verdicts(summary: Summary) -> dict[str, str]:
    return {each["claim"]: each["verdict"] for each in summary["verdicts"]}


def _environments(summary: Summary) -> dict[str, str]:
    """The facts of all environments, several values of one fact side by side."""
    facts: dict[str, list[str]] = {}
    for environment in summary["environments"]:
        for key, value in _flat(environment["facts"]).items():
            facts.setdefault(key, []).append(value)
    return {key: ", ".join(dict.fromkeys(values)) for key, values in facts.items()}


def _arm(first: Mapping[str, Any], second: Mapping[str, Any]) -> ArmChange:
    sound = not first["n_fail"] and not second["n_fail"]
    values = [{int(seed): float(value) for seed, value in each["values"].items()} for each in (first, second)]
    alike = first["settings"] == second["settings"]
    shared = sum(values[1].get(seed) == value for seed, value in values[0].items()) if alike else 0
    same = alike and values[0] == values[1] and first["n_fail"] == second["n_fail"]
    independent = sound and not shared and not same
    sides, weights = {"first": values[0], "second": values[1]}, {"second": 1.0, "first": -1.0}
    effect = welch(sides, weights) if independent else None
    low, high = effect.interval(0.95) if effect is not None else (None, None)
    means = [each["mean"] if sound else None for each in (first, second)]
    return ArmChange(
        first["name"],
        means[0],
        means[1],
        first["n"],
        second["n"],
        first["n_fail"],
        second["n_fail"],
        None if means[0] is None or means[1] is None else means[1] - means[0],
        low,
        high,
        same,
        shared,
        ()
        if effect is None
        else (
            *((SKEWED,) if any(map(is_skewed_sample, values)) else ()),
            *((UNLIKE,) if has_unlike_spreads(sides, weights) else ()),
        ),
    )
