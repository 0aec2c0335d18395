"""The `search:` mapping of a study file, checked and completed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from orchestrator.search.samplers import SAMPLERS
from orchestrator.search.schedulers import SCHEDULERS
from reports.metrics import METRICS
from search_spaces.constraints import Condition, parse_where
from search_spaces.errors import Key, SettingError, unknown
from search_spaces.settings import Range, read_settings

OBJECTIVES = tuple(name for name, metric in METRICS.items() if metric.is_objective)
RANDOM: Mapping[str, Any] = {"name": "random"}
NO_SCHEDULER: Mapping[str, Any] = {"name": "none"}

_BESIDE = frozenset({"arms", "control", "confirm", "compare"})

MOST = 100_000
"""No search has more arms, or seeds of an arm, than a study may have."""
LAST_SEED = 4_000_000_000
"""Those who compute what the factors explain take no seed beyond 32 bits."""
Count = Annotated[int, Range(low=1, high=MOST)]
HeldOut = Annotated[float, Range(low=0.01, high=0.5)]
Percent = Annotated[float, Range(low=0, high=100)]


@dataclass(frozen=True)
class Confirm:
    """The confirmation: the `best` arms and the baseline, each with `seeds` fresh seeds on the whole training set."""

    best: Count = 3
    seeds: Count = 5


@dataclass(frozen=True)
class Compare:
    """What a replay holds against random search beside the search itself, each with so many `seeds`."""

    samplers: tuple[Mapping[str, Any], ...] = ()
    schedulers: tuple[Mapping[str, Any], ...] = ()
    seeds: int = 20


@dataclass(frozen=True)
class SearchSettings:
    """What a search is asked for.

    `arms` counts the different arms that it trains; `sampler` and `scheduler` hold their name and every argument.
    `validation` is the share of the training images that the search selects on. A seed that diverges counts as
    `penalty` per cent. With `control`, as many arms are drawn at random, for comparison.
    """

    arms: int
    sampler: Mapping[str, Any]
    objectives: tuple[str, ...]
    seeds_per_arm: int
    seed: int
    validation: float
    penalty: float
    scheduler: Mapping[str, Any]
    constraints: tuple[str, ...]
    warm_start: bool
    control: bool
    confirm: Confirm
    compare: Compare

    @property
    def most_arms(self) -> int:
        """How many arms are searched at most, those of the control included."""
        return self.arms * (1 + self.control)

    @property
    def most_trials(self) -> int:
        """How many trials are trained at most, those of the confirmation included."""
        return self.most_arms * self.seeds_per_arm + (self.confirm.best + 1) * self.confirm.seeds

    def conditions(self) -> tuple[Condition, ...]:
        """Return the bounds on what a network may cost."""
        return parse_where(list(self.constraints))

    def as_dict(self) -> dict[str, Any]:
        """Return every setting as plain values, to be stored with the study."""
        return {**asdict(self), "objectives": list(self.objectives), "constraints": list(self.constraints)}

    def identity(self) -> dict[str, Any]:
        """Return what the sequence of proposals depends on: all but its length, and what is done beside it or after."""
        return {key: value for key, value in self.as_dict().items() if key not in _BESIDE}


def parse_search(mapping: Mapping[str, Any]) -> SearchSettings:
    """Read the `search:` mapping; SettingError with the key inside it."""

    def schema(
        *,
        arms: Count,
        sampler: Any = "tpe",
        objectives: Any = ("val_error",),
        seeds_per_arm: Count = 1,
        seed: Annotated[int, Range(low=0, high=LAST_SEED)] = 0,
        validation: HeldOut = 0.2,
        penalty: Percent = 100.0,
        scheduler: Any = "none",
        constraints: Any = (),
        warm_start: bool = False,
        control: bool = False,
        confirm: Any = None,
        compare: Any = None,
    ) -> None: ...

    found = read_settings(schema, mapping, "search setting")
    found["sampler"] = _named(found["sampler"], SAMPLERS, "sampler", ("sampler",))
    found["scheduler"] = _named(found["scheduler"], SCHEDULERS, "scheduler", ("scheduler",))
    found["objectives"] = _objectives(found["objectives"])
    found["constraints"] = _constraints(found["constraints"])
    found["confirm"] = _confirm(found["confirm"])
    found["compare"] = _compare(found["compare"])
    settings = SearchSettings(**found)
    if settings.scheduler["name"] != "none" and settings.objectives != ("val_error",):
        raise SettingError(
            "a scheduler stops arms by their val_error, so that must be the only objective", ("scheduler",)
        )
    if len(settings.objectives) > 1 and (settings.compare.samplers or settings.compare.schedulers):
        raise SettingError("samplers are compared by val_error, so that must be the only objective", ("compare",))
    if len(settings.objectives) > 1 and settings.sampler["name"] == "gp" and settings.constraints:
        raise SettingError("the gp sampler takes one objective when there are constraints; use nsga2", ("sampler",))
    return settings


def _named(value: object, registry: Mapping[str, Any], what: str, key: Key) -> dict[str, Any]:
    """Return the name of a sampler or scheduler with every one of its arguments."""
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or "name" not in given:
        raise SettingError(f"{what} is one of {', '.join(registry)}, or a mapping with its name and arguments", key)
    name = given["name"]
    if not isinstance(name, str) or name not in registry:
        raise unknown(what, name, registry, key)
    arguments = {key: each for key, each in given.items() if key != "name"}
    try:
        return {"name": name, **read_settings(registry[name], arguments, f"{name} argument", frozenset({"seed"}))}
    except SettingError as error:
        raise error.under(*key) from None


def _objectives(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not names:
        raise SettingError(f"objectives are a list of {', '.join(OBJECTIVES)}, not {value!r}", ("objectives",))
    for at, name in enumerate(names):
        if name not in OBJECTIVES:
            raise unknown("objective", name, OBJECTIVES, ("objectives", at))
        if name in names[:at]:
            raise SettingError(f"the objective {name} stands twice", ("objectives", at))
    if "val_error" not in names:
        raise SettingError(
            "val_error must be one of the objectives: a search is for networks that work", ("objectives",)
        )
    return tuple(names)


def _constraints(value: object) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, Sequence):
        raise SettingError(f"constraints are a list such as [params <= 300k], not {value!r}", ("constraints",))
    try:
        parse_where(list(several))
    except SettingError as error:
        raise error.under("constraints") from None
    return tuple(str(each) for each in several)


def _confirm(value: object) -> Confirm:
    if value is not None and not isinstance(value, Mapping):
        raise SettingError(f"confirm is a mapping such as {{best: 3, seeds: 5}}, not {value!r}", ("confirm",))
    try:
        return Confirm(**read_settings(Confirm, value or {}, "confirm setting"))
    except SettingError as error:
        raise error.under("confirm") from None


def _compare(value: object) -> Compare:
    def schema(
        *, samplers: Any = (), schedulers: Any = (), seeds: Annotated[int, Range(low=2, high=MOST)] = 20
    ) -> None: ...

    if value is not None and not isinstance(value, Mapping):
        raise SettingError(f"compare is a mapping such as {{samplers: [tpe, gp]}}, not {value!r}", ("compare",))
    try:
        found = read_settings(schema, value or {}, "compare setting")
    except SettingError as error:
        raise error.under("compare") from None
    several = {"samplers": (SAMPLERS, "sampler"), "schedulers": (SCHEDULERS, "scheduler")}
    return Compare(**found | {key: _several(found[key], *what, ("compare", key)) for key, what in several.items()})


def _several(value: object, registry: Mapping[str, Any], what: str, key: Key) -> tuple[dict[str, Any], ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SettingError(f"{key[-1]} are a list of {', '.join(registry)}, not {value!r}", key)
    return tuple(_named(each, registry, what, (*key, at)) for at, each in enumerate(value))
