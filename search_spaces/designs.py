"""Designs: which arms of a space run, and the levels that they are compared with."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from search_spaces.arm import Arm, Scalar
from search_spaces.errors import SettingError, unknown
from search_spaces.factors import Factor, level_text
from search_spaces.space import Levels, Space, arm_name

MOST_ARMS = 100_000


@dataclass(frozen=True)
class Request:
    """What a design is asked for: the factors, the baseline (contexts left out) and the design's own options."""

    factors: tuple[Factor, ...]
    baseline: Levels
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def contexts(self) -> tuple[Factor, ...]:
        """The factors that the baseline leaves out: every comparison is repeated at each of their levels."""
        return tuple(factor for factor in self.factors if factor.name not in self.baseline)

    @property
    def varied(self) -> tuple[Factor, ...]:
        """The factors that the baseline names."""
        return tuple(factor for factor in self.factors if factor.name in self.baseline)

    def in_every_context(self, parts: Iterable[Levels]) -> list[Levels]:
        """Cross assignments of the varied factors with the contexts; contexts vary slowest."""
        parts = list(parts)
        return [self._ordered({**context, **part}) for context in assignments(self.contexts) for part in parts]

    def _ordered(self, levels: Levels) -> Levels:
        return {factor.name: levels[factor.name] for factor in self.factors}


Design = Callable[[Request], list[Levels]]


def assignments(factors: tuple[Factor, ...]) -> Iterable[dict[str, Scalar]]:
    """Yield every full assignment of the factors' levels; the last factor varies fastest."""
    for chosen in product(*(factor.levels for factor in factors)):
        yield {factor.name: level.name for factor, level in zip(factors, chosen, strict=True)}


def full_factorial(request: Request) -> list[Levels]:
    """Every combination of levels."""
    size = prod(len(factor.levels) for factor in request.factors)
    if size > MOST_ARMS:
        raise SettingError(
            f"full_factorial would make {size:,} arms, more than {MOST_ARMS:,}: use random, path or fewer levels",
            ("design",),
        )
    return list(assignments(request.factors))


def one_at_a_time(request: Request) -> list[Levels]:
    """The baseline, and each other level of each factor that the baseline names, in every context."""
    parts: list[Levels] = [request.baseline]
    for factor in request.varied:
        base = request.baseline[factor.name]
        parts += [{**request.baseline, factor.name: level.name} for level in factor.levels if level.name != base]
    return request.in_every_context(parts)


DESIGNS: dict[str, Design] = {
    "full_factorial": full_factorial,
    "one_at_a_time": one_at_a_time,
}

# Designs that start from one arm: without a `baseline:` they start from the first level of every factor.
_STARTING_FROM_THE_BASELINE = frozenset({"one_at_a_time"})


def resolve_baseline(
    factors: tuple[Factor, ...], baseline: Mapping[str, Any] | None, design: str = "full_factorial"
) -> dict[str, Scalar]:
    """Return the baseline as level names, in the factors' order; SettingError (key ``baseline.<factor>``) if unknown.

    Factors that it leaves out are contexts. Designs that start from one arm take the first levels when none is given.
    """
    if not baseline:
        if design in _STARTING_FROM_THE_BASELINE:
            return {factor.name: factor.levels[0].name for factor in factors}
        return {}
    by_name = {factor.name: factor for factor in factors}
    resolved = {}
    for name, level in baseline.items():
        resolved[str(name)] = _level(by_name, name, level, ("baseline", str(name)))
    return {factor.name: resolved[factor.name] for factor in factors if factor.name in resolved}


def arms(
    space: Space,
    design: str = "full_factorial",
    baseline: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Arm]:
    """Return the arms of `space` that `design` runs, completed, in the design's order, without the excluded ones.

    Raises SettingError with keys of the study file (``design``, ``baseline``, ``exclude``, ``factors``): unknown
    names, an exclude that matches nothing, two arms with the same settings.
    """
    if design not in DESIGNS:
        raise unknown("design", design, DESIGNS, ("design",))
    request = Request(space.factors, resolve_baseline(space.factors, baseline, design), options or {})
    kept = _without_excluded(DESIGNS[design](request), space)
    if not kept:
        raise SettingError("every arm of the design is excluded: nothing is left to run", ("exclude",))
    found = [space.arm(levels) for levels in kept]
    _refuse_same_settings(found)
    return found


def _level(by_name: Mapping[str, Factor], name: object, level: object, key: tuple[str | int, ...]) -> Scalar:
    if name not in by_name:
        raise unknown("factor", name, by_name, key)
    try:
        return by_name[str(name)].level(level).name
    except SettingError as error:
        raise SettingError(error.message, key) from None


def _without_excluded(candidates: list[Levels], space: Space) -> list[Levels]:
    by_name = {factor.name: factor for factor in space.factors}
    kept = candidates
    for index, pattern in enumerate(space.exclude):
        if not isinstance(pattern, Mapping) or not pattern:
            raise SettingError(f"an exclude is a mapping of factors to levels, not {pattern!r}", ("exclude", index))
        wanted = {}
        for name, levels in pattern.items():
            several = levels if isinstance(levels, list | tuple) else [levels]
            wanted[str(name)] = {
                level_text(_level(by_name, name, level, ("exclude", index, str(name)))) for level in several
            }
        if not any(_shared(each, wanted) == len(wanted) for each in candidates):
            nearest = max(candidates, key=lambda each: _shared(each, wanted))
            raise SettingError(
                f'this exclude matches no arm of the design; the nearest is "{arm_name(nearest)}"', ("exclude", index)
            )
        kept = [each for each in kept if _shared(each, wanted) < len(wanted)]
    return kept


def _shared(levels: Levels, wanted: Mapping[str, set[str]]) -> int:
    return sum(level_text(levels[name]) in texts for name, texts in wanted.items())


def _refuse_same_settings(found: list[Arm]) -> None:
    seen: dict[str, Arm] = {}
    for arm in found:
        if arm.id in seen:
            raise SettingError(
                f'the arms "{seen[arm.id].name}" and "{arm.name}" have the same settings: '
                "drop one of the levels, or exclude one of the arms",
                ("factors",),
            )
        seen[arm.id] = arm
