"""Designs: which arms of a space run, and the levels that they are compared with."""

from collections.abc import Callable, Iterable, Mapping
from math import prod
from random import Random
from typing import Any

from search_spaces.annotations import Positive
from search_spaces.arm import Arm, Scalar
from search_spaces.errors import SettingError, unknown
from search_spaces.factors import Factor, level_text
from search_spaces.fractional import aliasing, fractional_factorial
from search_spaces.request import Request, assignments
from search_spaces.settings import read_settings
from search_spaces.space import Levels, Space, arm_name

MOST_ARMS = 100_000

Design = Callable[..., list[Levels]]


def full_factorial(request: Request) -> list[Levels]:
    """Every combination of levels."""
    size = prod(len(factor.levels) for factor in request.factors)
    if size > MOST_ARMS:
        raise SettingError(
            f"full_factorial would make {size:,} arms, more than {MOST_ARMS:,}: use random, path or fewer levels"
        )
    return list(assignments(request.factors))


def one_at_a_time(request: Request) -> list[Levels]:
    """The baseline, and each other level of each factor that the baseline names, in every context."""
    parts: list[Levels] = [request.baseline]
    for factor in request.varied:
        base = request.baseline[factor.name]
        parts += [{**request.baseline, factor.name: level.name} for level in factor.levels if level.name != base]
    return request.in_every_context(parts)


def leave_one_out(request: Request, *, without: Any = None) -> list[Levels]:
    """The baseline as the full model, and the full model without each component in turn.

    `without` names each factor's level that stands for the component's absence; two-level factors need not be named.

    without: each factor's level that stands for the component's absence.
    """
    absent = request.other_levels(without, "without")
    parts = [{**request.baseline, name: level} for name, level in absent.items()]
    return request.in_every_context([request.baseline, *parts])


def add_one_in(request: Request, *, target: Any = None) -> list[Levels]:
    """The baseline as the bare model, each component added alone, and all of them together.

    `target` names each factor's level that stands for the component's presence; two-level factors need not be named.

    target: each factor's level that stands for the component's presence.
    """
    present = request.other_levels(target, "target")
    parts: list[Levels] = [{**request.baseline, name: level} for name, level in present.items()]
    if len(present) > 1:
        parts.append({**request.baseline, **present})
    return request.in_every_context([request.baseline, *parts])


def path(request: Request, *, target: Any = None, order: Any = None) -> list[Levels]:
    """From the baseline to `target`, one factor changed at a time, in `order` (the factors' order by default).

    target: the levels at the end of the path.
    order: the factors in the order in which they change.
    """
    changes = request.other_levels(target, "target")
    names = list(changes) if order is None else _order(order, changes)
    parts: list[Levels] = [request.baseline]
    for name in names:
        parts.append({**parts[-1], name: changes[name]})
    return request.in_every_context(parts)


def random(request: Request, *, arms: Positive, seed: int = 0) -> list[Levels]:
    """`arms` different combinations drawn with `seed`; the baseline, if given, comes first, in every context.

    arms: how many arms are drawn.
    seed: the seed that draws them.
    """
    size = prod(len(factor.levels) for factor in request.factors)
    first = request.in_every_context([request.baseline]) if request.baseline else []
    if not len(first) <= arms <= size:
        raise SettingError(f"random can draw from {max(1, len(first))} to {size} arms here, not {arms}", ("arms",))
    chosen = {arm_name(levels): levels for levels in first}
    generator = Random(seed)
    while len(chosen) < arms:
        for index in generator.sample(range(size), min(size, 2 * arms)):
            if len(chosen) < arms:
                levels = _combination(request.factors, index)
                chosen.setdefault(arm_name(levels), levels)
    return list(chosen.values())


DESIGNS: dict[str, Design] = {
    "full_factorial": full_factorial,
    "one_at_a_time": one_at_a_time,
    "leave_one_out": leave_one_out,
    "add_one_in": add_one_in,
    "path": path,
    "fractional_factorial": fractional_factorial,
    "random": random,
}

# Designs that start from one arm: without a `baseline:` they start from the first level of every factor.
_STARTING_FROM_THE_BASELINE = frozenset(
    {"one_at_a_time", "leave_one_out", "add_one_in", "path", "fractional_factorial"}
)


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
    request = _request(space, design, baseline)
    try:
        settings = read_settings(DESIGNS[design], options or {}, f"{design} option", given=frozenset({"request"}))
        candidates = DESIGNS[design](request, **settings)
    except SettingError as error:
        raise error.under("design") from None
    kept = _without_excluded(candidates, space)
    if not kept:
        raise SettingError("every arm of the design is excluded: nothing is left to run", ("exclude",))
    made = [space.arm(levels) for levels in kept]
    _refuse_same_settings(made)
    return made


def design_notes(space: Space, design: str = "full_factorial", baseline: Mapping[str, Any] | None = None) -> list[str]:
    """Return what a reader of the design must know: for a fractional factorial, which effects it cannot tell apart."""
    request = _request(space, design, baseline)
    return aliasing(request) if design == "fractional_factorial" else []


def _request(space: Space, design: str, baseline: Mapping[str, Any] | None) -> Request:
    if design not in DESIGNS:
        raise unknown("design", design, DESIGNS, ("design",))
    return Request(space.factors, resolve_baseline(space.factors, baseline, design))


def _combination(factors: tuple[Factor, ...], index: int) -> Levels:
    chosen = {}
    for factor in reversed(factors):
        index, position = divmod(index, len(factor.levels))
        chosen[factor.name] = factor.levels[position].name
    return {factor.name: chosen[factor.name] for factor in factors}


def _order(order: object, changes: Mapping[str, Scalar]) -> list[str]:
    names = [str(name) for name in order] if isinstance(order, list | tuple) else []
    for name in names:
        if name not in changes:
            raise unknown("factor in order", name, changes, ("order",))
    if sorted(names) != sorted(changes):
        raise SettingError(f"order must name each of {', '.join(changes)} once", ("order",))
    return names


def _level(by_name: Mapping[str, Factor], name: object, level: object, key: tuple[str | int, ...]) -> Scalar:
    if name not in by_name:
        raise unknown("factor", name, by_name, key)
    try:
        return by_name[str(name)].level(level).name
    except SettingError as error:
        raise SettingError(error.message, key) from None


def _without_excluded(candidates: Iterable[Levels], space: Space) -> list[Levels]:
    by_name = {factor.name: factor for factor in space.factors}
    candidates = list(candidates)
    kept = candidates
    for index, pattern in enumerate(space.exclude):
        if not isinstance(pattern, Mapping) or not pattern:
            raise SettingError(f"an exclude is a mapping of factors to levels, not {pattern!r}", ("exclude", index))
        wanted = {}
        for name, levels in pattern.items():
            several = levels if isinstance(levels, list | tuple) else [levels]
            key = ("exclude", index, str(name))
            if name not in by_name:
                raise unknown("factor", name, by_name, key)
            wanted[str(name)] = {level_text(_level(by_name, name, level, key)) for level in several}
        if not any(_shared(each, wanted) == len(wanted) for each in candidates):
            nearest = max(candidates, key=lambda each: _shared(each, wanted))
            raise SettingError(
                f'this exclude matches no arm of the design; the nearest is "{arm_name(nearest)}"', ("exclude", index)
            )
        kept = [each for each in kept if _shared(each, wanted) < len(wanted)]
    return kept


def _shared(levels: Levels, wanted: Mapping[str, set[str]]) -> int:
    return sum(level_text(levels[name]) in texts for name, texts in wanted.items())


def _refuse_same_settings(made: list[Arm]) -> None:
    seen: dict[str, Arm] = {}
    for arm in made:
        if arm.id in seen:
            raise SettingError(
                f'the arms "{seen[arm.id].name}" and "{arm.name}" have the same settings: '
                "drop one of the levels, or exclude one of the arms",
                ("factors",),
            )
        seen[arm.id] = arm
