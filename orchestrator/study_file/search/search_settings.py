"""The `search:` mapping of a study file, checked and completed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from orchestrator.study_file.search.samplers import SAMPLERS
from orchestrator.study_file.search.schedulers import SCHEDULERS
from reports.metrics import METRICS
from search_spaces.annotations import About, Named, Range, Words
from search_spaces.constraints import Constraint, parse_where
from search_spaces.errors import SettingError, with_key
from search_spaces.settings import read_settings

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


Sampler = Annotated[Any, Named(lambda: SAMPLERS, given=frozenset({"seed"})), About("who proposes the arms")]
Scheduler = Annotated[
    Any, Named(lambda: SCHEDULERS, given=frozenset({"seed"})), About("what stops arms early that look worse")
]
Objective = Annotated[str, Words(OBJECTIVES)]


@dataclass(frozen=True)
class Confirm:
    """The confirmation: the `best` arms and the baseline, each with `seeds` fresh seeds on the whole training set."""

    best: Annotated[Count, About("how many of the best arms are confirmed", "arms")] = 3
    seeds: Annotated[Count, About("how many fresh seeds each is confirmed with", "seeds")] = 5


@dataclass(frozen=True)
class Compare:
    """What a replay holds against random search beside the search itself, each with so many `seeds`."""

    samplers: Annotated[list[Sampler], About("samplers to compare")] = field(default_factory=list)
    schedulers: Annotated[list[Scheduler], About("schedulers to compare")] = field(default_factory=list)
    seeds: Annotated[int, Range(low=2, high=MOST), About("how often each is repeated", "seeds")] = 20


@dataclass(frozen=True, kw_only=True)
class SearchFields:
    """What `search:` may say."""

    arms: Annotated[Count, About("how many different arms are trained", "arms", "arms: 30")]
    sampler: Sampler = "tpe"
    objectives: Annotated[
        list[Objective] | Objective,
        About("what is made small, val_error among it", example="objectives: [val_error, params]"),
    ] = field(default_factory=lambda: ["val_error"])
    seeds_per_arm: Annotated[Count, About("how many seeds an arm is searched with", "seeds")] = 1
    seed: Annotated[int, Range(low=0, high=LAST_SEED), About("the seed of the sampler")] = 0
    validation: Annotated[HeldOut, About("the part of the training images that selects", "share")] = 0.2
    penalty: Annotated[Percent, About("what a seed that diverges counts as", "per cent")] = 100.0
    scheduler: Scheduler = "none"
    constraints: Annotated[
        list[str] | str, About("bounds on what a network may cost", example="constraints: [params <= 300k]")
    ] = field(default_factory=list)
    warm_start: Annotated[bool, About("begin with what earlier studies have trained")] = False
    control: Annotated[bool, About("draw as many arms at random, for comparison")] = False
    confirm: Annotated[Confirm, About("how the best arms are confirmed")] = Confirm()
    compare: Annotated[Compare, About("what a replay compares")] = field(default_factory=Compare)


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

    def conditions(self) -> tuple[Constraint, ...]:
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

    fields = read_settings(SearchFields, mapping, "search setting")
    fields["objectives"] = _objectives(fields["objectives"])
    fields["constraints"] = _constraints(fields["constraints"])
    settings = SearchSettings(**fields)
    if settings.scheduler["name"] != "none" and settings.objectives != ("val_error",):
        raise SettingError(
            "a scheduler stops arms by their val_error, so that must be the only objective", ("scheduler",)
        )
    if len(settings.objectives) > 1 and (settings.compare.samplers or settings.compare.schedulers):
        raise SettingError("samplers are compared by val_error, so that must be the only objective", ("compare",))
    if len(settings.objectives) > 1 and settings.sampler["name"] == "gp" and settings.constraints:
        raise SettingError("the gp sampler takes one objective when there are constraints; use nsga2", ("sampler",))
    return settings


def _objectives(value: list[str] | str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    for at, name in enumerate(names):
        if name in names[:at]:
            raise SettingError(f"the objective {name} stands twice", ("objectives", at))
    if "val_error" not in names:
        raise SettingError(
            "val_error must be one of the objectives: a search is for networks that work", ("objectives",)
        )
    return tuple(names)


def _constraints(value: list[str] | str) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value
    with_key("constraints", parse_where, several)
    return tuple(several)
