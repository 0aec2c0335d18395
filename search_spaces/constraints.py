"""Constraints on the arms of a design by what their networks cost: keep those within bounds, or make them equal."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Annotated, Any, Literal, Protocol

from search_spaces.annotations import About, Rate
from search_spaces.arm import Arm
from search_spaces.errors import SettingError, unknown
from search_spaces.settings import read_settings
from search_spaces.space import Levels, Space


class Cost(Protocol):
    """What a network costs; `search_spaces.Complexity` is one."""

    @property
    def params(self) -> int:
        """Parameters."""

    @property
    def flops(self) -> int:
        """Multiply-adds of one image."""


Measure = Callable[[Arm], Cost]
_COMPARE = {"<=": le, ">=": ge, "<": lt, ">": gt}
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_QUANTITIES = ("params", "flops", "depth")
_CONDITION = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*((?:\d+\.?\d*|\.\d+)(?:e\d+)?)\s*([a-zA-Z]?)")


@dataclass(frozen=True)
class Constraint:
    """One bound such as ``params <= 300k``."""

    quantity: str
    comparison: str
    bound: float

    def holds(self, arm: Arm, measure: Measure) -> bool:
        """Whether the arm is within the bound; its network is measured only where that is needed."""
        if self.quantity == "depth":
            value = arm.settings["network"].get("depth")
            if value is None:
                raise SettingError(f'"{arm.name}" has no depth to compare with {self.bound:g}')
        else:
            value = getattr(measure(arm), self.quantity)
        return bool(_COMPARE[self.comparison](value, self.bound))


@dataclass(frozen=True)
class Match:
    """Give every arm its baseline's parameters or multiply-adds, within `tolerance` (a share), by its width."""

    what: str
    tolerance: float
    by: str | None


@dataclass(frozen=True, kw_only=True)
class MatchFields:
    """What `match:` may say."""

    what: Annotated[Literal["params", "flops"], About("the cost that is made equal")]
    tolerance: Annotated[Rate, About("how far it may be off", "share")] = 0.05
    by: Annotated[str | None, About("the setting that is changed; the network's width, or a DenseNet's growth")] = None


def parse_where(value: object) -> tuple[Constraint, ...]:
    """Read ``where:``, one condition or a list of them; the error's key is the position in the list."""
    several = list(value) if isinstance(value, list | tuple) else [value]
    return tuple(_condition(each, (index,) if value is not each else ()) for index, each in enumerate(several))


def parse_match(value: object) -> Match:
    """Read ``match:``, ``params`` or ``flops``, or a mapping {what, tolerance (0.05 by default), by}."""

    mapping = {"what": value} if isinstance(value, str) else value
    if not isinstance(mapping, Mapping):
        raise SettingError(f"match is params, flops or a mapping of what, tolerance and by, not {value!r}")
    try:
        return Match(**read_settings(MatchFields, mapping, "match setting"))
    except SettingError as error:
        raise SettingError(error.message, error.key if isinstance(value, Mapping) else ()) from None


def keep_where(arms: list[Arm], conditions: tuple[Constraint, ...], measure: Measure) -> list[Arm]:
    """Return the arms that meet every condition; SettingError (key ``where``) when none does."""
    kept = [arm for arm in arms if all(condition.holds(arm, measure) for condition in conditions)]
    if not kept:
        raise SettingError("no arm of the design meets the conditions", ("where",))
    return kept


def match_costs(space: Space, arms: list[Arm], baseline: Levels, match: Match, measure: Measure) -> list[Arm]:
    """Return the arms with widths changed so that each costs what the baseline costs in the arm's context.

    Raises SettingError (key ``match``) where no width comes within the tolerance, saying how near the nearest does.
    """
    if not baseline:
        raise SettingError(f"match: {match.what} needs a baseline to match", ("match",))
    references: dict[str, Arm] = {}
    matched = []
    for arm in arms:
        levels = {**arm.levels, **baseline}
        if levels == dict(arm.levels):
            matched.append(arm)
            continue
        name = repr(levels)
        if name not in references:
            references[name] = space.arm(levels)
        matched.append(_matched(space, arm, references[name], match, measure))
    return matched


def _condition(text: object, key: tuple[int, ...]) -> Constraint:
    parts = _CONDITION.fullmatch(text.strip()) if isinstance(text, str) else None
    if parts is None:
        raise SettingError(f'a condition reads "params <= 300k", not {text!r}', key)
    quantity, comparison, number, unit = parts.groups()
    if quantity not in _QUANTITIES:
        raise unknown("quantity", quantity, _QUANTITIES, key)
    if unit.lower() not in _UNITS:
        raise unknown("unit", unit, [each for each in _UNITS if each], key)
    return Constraint(quantity, comparison, float(number) * _UNITS[unit.lower()])


def _matched(space: Space, arm: Arm, reference: Arm, match: Match, measure: Measure) -> Arm:
    path = match.by or ("network.growth" if arm.settings["network"].get("family") == "densenet" else "network.width")
    for factor in space.factors:
        if path in factor.paths:
            raise SettingError(f"match adjusts {path}, which factor {factor.name} sets already", ("match",))
    target = getattr(measure(reference), match.what)

    def with_width(width: int) -> tuple[Arm, int]:
        try:
            changed = space.arm(arm.levels, {path: width})
        except SettingError as error:
            raise SettingError(f'match cannot set {path} of "{arm.name}": {error.message}', ("match",)) from None
        return changed, getattr(measure(changed), match.what)

    best, cost = _nearest(with_width, _width(arm, path), target)
    if abs(cost / target - 1) > match.tolerance:
        raise SettingError(
            f'"{arm.name}" cannot have the {match.what} of "{reference.name}" ({target:,}) within '
            f"{match.tolerance:.1%}: the nearest, {path} {_width(best, path)}, has {cost:,} "
            f"({cost / target - 1:+.1%}); widen the tolerance or the networks",
            ("match",),
        )
    return best


def _width(arm: Arm, path: str) -> int:
    value: Any = arm.settings
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise SettingError(f'match cannot adjust {path} of "{arm.name}": it is {value!r}', ("match",))
    return value


def _nearest(with_width: Callable[[int], tuple[Arm, int]], width: int, target: int) -> tuple[Arm, int]:
    """Search the widths for the cost nearest to `target`; costs rise with the width, about as its square."""
    tried: dict[int, tuple[Arm, int]] = {width: with_width(width)}
    guess = max(1, round(width * (target / tried[width][1]) ** 0.5))
    tried.setdefault(guess, with_width(guess))
    step = 1 if tried[guess][1] < target else -1
    while (tried[guess][1] - target) * step < 0 and guess + step >= 1:
        guess += step
        if guess not in tried:
            tried[guess] = with_width(guess)
    return min(tried.values(), key=lambda each: abs(each[1] - target))
