"""Make the plan of a search: its space, its settings and its baseline, checked before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import getitem
from typing import Any

import trainers
from orchestrator.records.environment import git_revision
from orchestrator.records.study_plan import PlannedArm, StudyPlan
from orchestrator.scheduling.arm_facts import data_notes, plan_arm, plan_trials
from orchestrator.study_file.arms import Completion, complete_settings
from orchestrator.study_file.changes import refuse_without_effect
from orchestrator.study_file.config import StudyConfig
from orchestrator.study_file.search.axes import Axis, Choices, Interval
from orchestrator.study_file.search.search_settings import SearchSettings
from orchestrator.study_file.search.space import CONFIRM, MOST_POINTS, SEARCH, SearchSpace, parse_space
from reports.wording import counted
from search_spaces import Space
from search_spaces.arm import settings_hash
from search_spaces.errors import SettingError, with_key
from search_spaces.factors import Factor, Level, full_path
from trainers.settings.data import SPLIT_BY_SEED

FIRST_FRESH_SEED = 1000
MANY_ARMS = 1_000
"""Above so many arms, what a sampler takes to propose them is told (docs/search.md)."""


@dataclass(frozen=True, kw_only=True)
class SearchPlan(StudyPlan):
    """The plan of a study that searches: besides what is recorded, where it looks, how, and from which point on."""

    space: SearchSpace
    search: SearchSettings
    start: Mapping[str, Any]

    @property
    def is_search(self) -> bool:
        """Whether a sampler chooses the arms: it does."""
        return True

    @property
    def search_seeds(self) -> tuple[int, ...]:
        """The seeds that an arm is searched with."""
        return tuple(range(self.search.seeds_per_arm))

    @property
    def fresh_seeds(self) -> tuple[int, ...]:
        """The seeds of the confirmation, none of which the search has seen."""
        return tuple(range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + self.search.confirm.seeds))

    def optimization(self, role: str) -> str:
        """Return the name of an optimization run: a hash of all that its proposals follow from."""
        identity = {key: value for key, value in self.search.identity().items() if role == "search" or key != "sampler"}
        factors = self.settings["factors"]
        return settings_hash({"arm": self.arms[0].arm.id, "factors": factors, "how": identity, "role": role})


def plan_search(config: StudyConfig) -> SearchPlan:
    """Plan the search of a study file; UserError with file and line for a mistake."""
    try:
        return _plan(config)
    except SettingError as error:
        raise config.error(error) from None


def _plan(config: StudyConfig) -> SearchPlan:
    file = config.file
    _refuse_what_a_search_has_not(config)
    settings = config.search
    assert settings is not None
    base = Space(
        base={"data": file.data, "network": file.network, "training": file.training},
        factors=(),
        complete=Completion(),
        cosmetic=trainers.COSMETIC_SETTINGS,
    )
    space = _with_whole_ranges(with_key("factors", parse_space, base, file.factors, file.baseline, settings.validation))
    refuse_without_effect(config.source, _always_set(space))
    baseline = with_key("baseline", _baseline, space, file.baseline)
    levels = space.levels(baseline)
    _check_levels(space, baseline)
    _check_ranges(space, levels)
    _check_grid(space, settings)
    arms = tuple(plan_arm(space.arm_of_levels(levels, stage)) for stage in (SEARCH, CONFIRM))
    whole: dict[str, Any] = {
        **file.as_dict(),
        **complete_settings(base.raw([])),
        "search": settings.as_dict(),
    }
    plan = SearchPlan(
        name=file.study,
        question=file.question,
        source=config.source.text,
        settings=whole,
        factors=space.factors,
        baseline={name: level.name for name, level in levels.items()},
        fail_above=file.fail_above,
        arms=arms,
        trials=(),
        plan_hash="",
        git=git_revision(config.folder),
        analysis=config.analysis,
        notes=(_sentence(settings), *_beyond_bounds(settings, arms[0]), *data_notes(arms)),
        notes_before_run=_growth(settings),
        space=space,
        search=settings,
        start=baseline,
    )
    return replace(
        plan,
        trials=plan_trials(arms[0].arm, plan.search_seeds) + plan_trials(arms[1].arm, plan.fresh_seeds),
        plan_hash=settings_hash({"search": plan.optimization("search"), "fail_above": file.fail_above}),
    )


def _sentence(settings: SearchSettings) -> str:
    """Say what the search will do."""
    arguments = ", ".join(f"{key} {value}" for key, value in settings.sampler.items() if key != "name")
    control = f", and as many at random for comparison ({settings.most_arms:,} in all)" if settings.control else ""
    return (
        f"search: the sampler {settings.sampler['name']} proposes {counted(settings.arms, 'arm')}{control}; the best "
        f"{settings.confirm.best:,} and the baseline are confirmed with "
        f"{counted(settings.confirm.seeds, 'fresh seed')}: at most {counted(settings.most_trials, 'trial')}"
        + (f" ({arguments})" if arguments else "")
    )


def _growth(settings: SearchSettings) -> tuple[str, ...]:
    """Say that the sampler of many arms takes more and more time for each; nothing for others."""
    if settings.sampler["name"] != "tpe" or settings.arms <= MANY_ARMS:
        return ()
    return (
        "search: tpe looks at all earlier arms for each new one, so that twice as many arms take about three times as "
        f"long to propose (10 s of a processor for {MANY_ARMS:,} arms of two factors); random takes 2",
    )


def _beyond_bounds(settings: SearchSettings, baseline: PlannedArm) -> list[str]:
    """Say which constraints keep the baseline out of the search."""
    conditions = zip(settings.constraints, settings.conditions(), strict=True)
    broken = [text for text, each in conditions if not each.holds(baseline.arm, lambda _: baseline)]
    if not broken:
        return []
    return [
        f"search: the baseline ({baseline.params:,} params, {baseline.flops:,} flops) is beyond the constraint "
        f"{' and '.join(broken)}: it is confirmed and not searched, so that no gain over it is seen in the search"
    ]


def _refuse_what_a_search_has_not(config: StudyConfig) -> None:
    remedies = {
        "seeds": "a search takes its seeds from search.seeds_per_arm and search.confirm.seeds",
        "claims": "a search declares no claims: declare them in a study of the arms that it finds",
        "where": "a search takes its bounds from search.constraints",
        "match": "a search does not adjust widths: make the width a factor, or bound the cost by search.constraints",
        "exclude": "a search has nothing to exclude: take the levels out of the factors",
    }
    for key, remedy in remedies.items():
        if key in config.source.data:
            raise SettingError(remedy, (key,))
    if isinstance(config.file.data, Mapping) and SPLIT_BY_SEED in config.file.data:
        raise SettingError("the seeds of a search share their test images", ("data", SPLIT_BY_SEED))


def _baseline(space: SearchSpace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the point of the baseline; a factor left out has the network's own setting, or its first level."""
    names = {axis.name for axis in space.axes}
    for name in given:
        if name not in names:
            raise SettingError(f"{name} is not one of the factors: {', '.join(sorted(names))}", (str(name),))
    return space.point(
        {**{axis.name: _own_level(space, axis) for axis in space.axes if axis.name not in given}, **given}
    )


def _own_level(space: SearchSpace, axis: Axis) -> Any:
    """Return the level that the study's own network or training has, or the first one that is listed."""
    raw = space.base.raw([])
    for settings in (raw, space.base.complete(raw)):
        try:
            own = reduce(getitem, full_path(axis.name).split("."), settings)
            axis.params(own)
            return own
        except (SettingError, KeyError, TypeError):
            continue
    if isinstance(axis, Choices):
        return axis.factor.levels[0].name
    raise SettingError(f"the baseline must say which {axis.name} it has, for it is no listed level")


def _always_set(space: SearchSpace) -> list[Factor]:
    """Return the factors that set their settings in every arm, ranges and wirings with a level that stands for all."""
    axes = [axis for axis in space.axes if axis.name not in space.conditions]
    return [
        axis.factor
        if isinstance(axis, Choices)
        else Factor(axis.name, (Level(axis.name, {full_path(axis.name): None}),))
        for axis in axes
    ]


def _with_whole_ranges(space: SearchSpace) -> SearchSpace:
    """Return the space with a range such as 4 to 1e1 made one of whole numbers where its setting takes no others."""
    axes = []
    for axis in space.axes:
        if isinstance(axis, Interval) and not axis.is_whole and _takes_whole_numbers(space.base, axis):
            bounds = {"low": axis.low, "high": axis.high, "step": 1 if axis.step is None else axis.step}
            for part, value in bounds.items():
                if value != int(value):
                    message = f"{axis.name} takes whole numbers, so a range of it has whole bounds, not {value}"
                    raise SettingError(message, ("factors", axis.name, part))
            step = None if axis.step is None else int(axis.step)
            axis = replace(axis, low=int(axis.low), high=int(axis.high), step=step)
        axes.append(axis)
    return replace(space, axes=tuple(axes))


def _takes_whole_numbers(base: Space, axis: Interval) -> bool:
    path = full_path(axis.name)
    try:
        base.complete(base.raw([], {path: int(axis.low) + 0.5}))
    except SettingError as error:
        return "whole number" in error.message and ".".join(map(str, error.key)) == path
    return False


def _check_ranges(space: SearchSpace, levels: Mapping[str, Level]) -> None:
    """Raise SettingError for a range of fractions with a bound that its setting cannot have."""
    for axis in space.axes:
        if not isinstance(axis, Interval) or axis.is_whole or axis.name in space.conditions:
            continue
        for part, value in (("low", axis.low), ("high", axis.high)):
            try:
                space.arm_of_levels({**levels, axis.name: axis.level({axis.name: value})}, SEARCH)
            except SettingError as error:
                raise SettingError(error.message, ("factors", axis.name, part)) from None


def _check_grid(space: SearchSpace, settings: SearchSettings) -> None:
    """Raise SettingError for a grid over what has no end of points, or more than anyone lists."""
    if "grid" not in (each["name"] for each in (settings.sampler, *settings.compare.samplers)):
        return
    endless = [axis.name for axis in space.axes if axis.points() is None]
    if endless:
        remedy = f"give it a step, for instance {endless[0]}: {{low: 0.1, high: 0.5, step: 0.1}}, or list its levels"
        raise SettingError(
            f"a grid needs points, and {endless[0]} is a range without any: {remedy}", ("factors", endless[0])
        )
    if space.points(MOST_POINTS) is None:
        message = f"a grid has at most {MOST_POINTS:,} points: take fewer levels or another sampler"
        raise SettingError(message, ("search", "sampler"))


def _check_levels(space: SearchSpace, baseline: Mapping[str, Any]) -> None:
    """Raise SettingError for a listed level that cannot be built beside the baseline's other levels."""
    if space.conditions:
        return
    levels = space.levels(baseline)
    for axis in space.axes:
        if isinstance(axis, Choices):
            for level in axis.factor.levels:
                space.arm_of_levels({**levels, axis.name: level}, SEARCH)
