"""The space that a search draws from: its axes, their conditions, and the arm that each point stands for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from orchestrator.study_file.search.axes import INACTIVE, Axis, Choices, Params, Slots, parse_interval, parse_merges
from search_spaces.annotations import LAST_SEED, About, Positive, Range
from search_spaces.arm import Arm, Scalar
from search_spaces.errors import Key, SettingError, unknown
from search_spaces.factors import Factor, Level, full_path, is_bundles, level_text, parse_factors
from search_spaces.settings import read_settings
from search_spaces.space import Space
from search_spaces.wiring import CONVS, parse_wiring, wiring_name
from search_spaces.wiring_space import sample_wirings

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial


@dataclass(frozen=True, kw_only=True)
class WiringFields:
    """What `{wirings: ...}` may say."""

    merges: Annotated[Any, About("how shortcut and branch may meet: add, concat, or both")] = None
    count: Annotated[Positive | None, About("how many wirings are drawn; all by default", "wirings")] = None
    seed: Annotated[int, Range(0, LAST_SEED), About("the seed that draws them")] = 0
    convs: Annotated[Positive | None, About("convolutions of a branch; those of the network's block")] = None


STAGE, SEARCH, CONFIRM = "stage", "search", "confirm"
MOST_POINTS = 20_000
"""A space of more points is not listed."""
_RANGE = frozenset(["low", "high", "step", "log"])


@dataclass(frozen=True)
class Condition:
    """The levels (as text) that other factors must have for an axis to be chosen at all."""

    levels: Mapping[str, frozenset[str]]

    def __str__(self) -> str:
        return " and ".join(f"{factor} is {' or '.join(sorted(texts))}" for factor, texts in self.levels.items())

    def holds(self, chosen: Mapping[str, Level]) -> bool:
        """Whether every factor that is named has one of the levels."""
        return all(chosen[factor].text in texts for factor, texts in self.levels.items())


@dataclass(frozen=True)
class SearchSpace:
    """Axes over the raw settings of a study. `validation` is held out while searching, and given back to confirm."""

    base: Space
    axes: tuple[Axis, ...]
    conditions: Mapping[str, Condition]
    validation: float

    @property
    def factors(self) -> dict[str, tuple[Scalar, ...]]:
        """Every factor, the stage first, with the levels that are known beforehand."""
        known: dict[str, tuple[Scalar, ...]] = {STAGE: (SEARCH, CONFIRM)}
        for axis in self.axes:
            inactive = (INACTIVE,) if axis.name in self.conditions else ()
            known[axis.name] = (*axis.known_levels(), *inactive)
        return known

    def distributions(self) -> dict[str, "BaseDistribution"]:
        """Return every parameter that a sampler may be asked for."""
        return {name: each for axis in self.axes for name, each in axis.distributions().items()}

    def suggest(self, trial: "Trial") -> dict[str, Any]:
        """Let a sampler choose the parameters of every axis whose condition holds."""
        params: dict[str, Any] = {}
        chosen: dict[str, Level] = {}
        for axis in self.axes:
            if self._is_active(axis, chosen):
                own = {name: _suggested(trial, name, each) for name, each in axis.distributions().items()}
                params.update(own)
                chosen[axis.name] = _level_or_none(axis, own)
            else:
                chosen[axis.name] = Level(INACTIVE, {})
        return params

    def levels(self, params: Params) -> dict[str, Level]:
        """Return the level of every factor at a point; SettingError for a point that is no arm."""
        chosen: dict[str, Level] = {}
        for axis in self.axes:
            chosen[axis.name] = axis.level(params) if self._is_active(axis, chosen) else Level(INACTIVE, {})
        return chosen

    def arm(self, params: Params, stage: str) -> Arm:
        """Return the arm of a point at one stage; SettingError when its settings cannot be."""
        return self.arm_of_levels(self.levels(params), stage)

    def arm_of_levels(self, levels: Mapping[str, Level], stage: str) -> Arm:
        """Return the arm of a level for each factor at one stage."""
        held_out = {"data.validation": self.validation if stage == SEARCH else 0.0}
        factors = [Factor(STAGE, (Level(stage, held_out),))]
        factors += [Factor(name, (level,)) for name, level in levels.items()]
        here = replace(self.base, factors=tuple(factors))
        return here.arm({factor.name: factor.levels[0].name for factor in factors})

    def point(self, levels: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of named levels, one for each factor whose condition holds; SettingError (factor)."""
        params: dict[str, Any] = {}
        chosen: dict[str, Level] = {}
        for axis in self.axes:
            if not self._is_active(axis, chosen):
                chosen[axis.name] = Level(INACTIVE, {})
                continue
            if axis.name not in levels:
                raise SettingError(f"it must name a level of {axis.name}", ())
            try:
                own = axis.params(levels[axis.name])
                chosen[axis.name] = axis.level(own)
            except SettingError as error:
                raise SettingError(error.message, (axis.name,)) from None
            params.update(own)
        return params

    def points(self, most: int) -> list[dict[str, Any]] | None:
        """Return every point in order; None when they are more than `most`, or without end."""
        points: list[dict[str, Any]] = []
        for point in self._points({}, {}, 0):
            if point is None or len(points) == most:
                return None
            points.append(point)
        return points

    def _points(self, params: dict[str, Any], chosen: dict[str, Level], at: int) -> Iterator[dict[str, Any] | None]:
        if at == len(self.axes):
            yield params
            return
        axis = self.axes[at]
        if not self._is_active(axis, chosen):
            yield from self._points(params, {**chosen, axis.name: Level(INACTIVE, {})}, at + 1)
            return
        several = axis.points()
        if several is None:
            yield None
            return
        for own in several:
            yield from self._points({**params, **own}, {**chosen, axis.name: axis.level(own)}, at + 1)

    def _is_active(self, axis: Axis, chosen: Mapping[str, Level]) -> bool:
        condition = self.conditions.get(axis.name)
        return condition is None or condition.holds(chosen)


def _level_or_none(axis: Axis, params: Params) -> Level:
    """Return the level, or an inactive one where a sampler chose what is none: its arm is rejected as a whole later."""
    try:
        return axis.level(params)
    except SettingError:
        return Level(INACTIVE, {})


def _suggested(trial: "Trial", name: str, distribution: Any) -> Any:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(
            name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
        )
    return trial.suggest_float(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)


def parse_space(base: Space, factors: Mapping[str, Any], baseline: Mapping[str, Any], validation: float) -> SearchSpace:
    """Read the `factors:` of a search; SettingError with the key inside them.

    Beside the lists and bundles of every design a factor may be a range ``{low, high, step, log}``, wirings
    ``{wirings: {merges, count, seed, convs}}``, or any of these (lists and bundles as ``{levels: ...}``) with
    ``when: {other factor: its levels}``. A count of drawn wirings has the baseline's beside them.
    """
    if not factors:
        raise SettingError("a search needs factors to vary")
    axes: list[Axis] = []
    conditions: dict[str, Condition] = {}
    parts: dict[str, Any] = {}
    for name, given in factors.items():
        if name == STAGE:
            raise SettingError('the name "stage" is taken: it says whether an arm is searched or confirmed', (name,))
        if _has_condition(name, given):
            conditions[name] = _condition(name, given["when"], axes)
            given = {key: value for key, value in given.items() if key != "when"}
        else:
            _refuse_condition_among_bundles(name, given, axes)
        if isinstance(given, Mapping) and set(given) == {"levels"}:
            given = given["levels"]
        axes.append(_axis(name, given, base, baseline.get(name)))
        parts[name] = given if isinstance(axes[-1], Choices) and not _are_wirings(name, given) else [0]
    parse_factors(parts)
    return SearchSpace(base, tuple(axes), conditions, validation)


def _has_condition(name: str, given: Any) -> bool:
    """Whether a factor has a `when`; among bundles that is the name of one of them."""
    if not isinstance(given, Mapping) or "when" not in given:
        return False
    others = {key: value for key, value in given.items() if key != "when"}
    return not is_bundles(given) or set(others) == {"levels"} or _are_wirings(name, others)


def _refuse_condition_among_bundles(name: str, given: Any, before: list[Axis]) -> None:
    """Raise SettingError for a bundle called `when` that reads as a condition: which of the two is meant?"""
    when = given.get("when") if isinstance(given, Mapping) else None
    if isinstance(when, Mapping) and when and set(when) <= {axis.name for axis in before}:
        raise SettingError(
            "beside named bundles `when` is one of them; for a condition write "
            f"{name}: {{levels: {{...}}, when: {{...}}}}",
            (name, "when"),
        )


def _are_wirings(name: str, given: Any) -> bool:
    """Whether a factor stands for wirings; among bundles of another factor that is the name of one of them."""
    if not isinstance(given, Mapping) or "wirings" not in given:
        return False
    return not is_bundles(given) or (set(given) == {"wirings"} and name.rpartition(".")[2] == "activation")


def _axis(name: str, given: object, base: Space, baseline: object) -> Axis:
    if isinstance(given, Mapping) and _are_wirings(name, given):
        others = sorted(set(given) - {"wirings"})
        if others:
            raise unknown("key beside wirings", others[0], ["wirings", "when"], (name, others[0]))
        return _wirings(name, given["wirings"], base, baseline)
    if isinstance(given, Mapping) and {"low", "high"} & set(given) and not is_bundles(given):
        for key in given:
            if key not in _RANGE:
                raise unknown("key of a range", key, sorted(_RANGE | {"when"}), (name, str(key)))
        return parse_interval(name, given, (name,))
    return Choices(parse_factors({name: given})[0])


def _wirings(name: str, given: object, base: Space, baseline: object) -> Axis:
    key: Key = (name, "wirings")
    if not isinstance(given, Mapping | None):
        raise SettingError(f"wirings is a mapping such as {{merges: [add], count: 50}}, not {given!r}", key)
    try:
        fields = read_settings(WiringFields, given or {}, "wirings setting")
    except SettingError as error:
        raise SettingError(error.message, (*key, *error.key)) from None
    merges = parse_merges(["add"] if fields["merges"] is None else fields["merges"], (*key, "merges"))
    block = base.base["network"].get("block", "basic")
    convs = fields["convs"] or CONVS.get(str(block), CONVS["basic"])
    if full_path(name, (name,)) != "network.activation":
        raise SettingError(f"wirings are levels of the factor activation, not of {name}", (name,))
    if fields["count"] is None:
        return Slots(name, convs, merges)
    try:
        drawn = sample_wirings(convs, fields["count"], fields["seed"], merges)
    except ValueError as error:
        raise SettingError(str(error), (*key, "count")) from None
    names = [wiring_name(each) for each in drawn]
    if baseline is not None:
        names = list(dict.fromkeys([wiring_name(parse_wiring(str(baseline), convs)), *names]))
    return Choices(parse_factors({name: names})[0])


def _condition(name: str, given: object, before: list[Axis]) -> Condition:
    if not isinstance(given, Mapping) or not given:
        raise SettingError(f"when is a mapping such as {{block: bottleneck}}, not {given!r}", (name, "when"))
    axes = {axis.name: axis for axis in before}
    levels = {}
    for other, wanted in given.items():
        if other not in axes:
            raise unknown("factor above this one", other, axes, (name, "when", str(other)))
        several = wanted if isinstance(wanted, list) else [wanted]
        axis = axes[other]
        try:
            levels[str(other)] = frozenset(axis.level(axis.params(each)).text for each in several)
        except SettingError as error:
            raise SettingError(error.message, (name, "when", str(other))) from None
    return Condition(levels)


def texts(levels: Mapping[str, Level]) -> dict[str, str]:
    """Return the levels of a point as text, by factor."""
    return {name: level_text(level.name) for name, level in levels.items()}
