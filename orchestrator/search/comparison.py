"""Samplers and schedulers held against random search: the same search replayed with many seeds for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event as Flag
from typing import Any

from orchestrator.engine.dispatch import Dispatcher
from orchestrator.engine.replay import ReplayBackend
from orchestrator.records.study_plan import PlannedArm
from orchestrator.scheduling.replaying import Replay
from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.optimization import OptimizationRun
from orchestrator.search.score import Score
from orchestrator.search.search_plan import SearchPlan
from orchestrator.search.source import SearchSource
from orchestrator.study_file.search.search_settings import NO_SCHEDULER, RANDOM, SearchSettings
from reports.trials import State

EVERY_ARM = 10**6  # more than any record holds


@dataclass(frozen=True)
class SamplerConfiguration:
    """A sampler with a scheduler."""

    sampler: Mapping[str, Any]
    scheduler: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name on the page: that of the sampler, with the scheduler where there is one."""
        return f"{self.sampler['name']}, {self.scheduler['name']}" if self.stops else str(self.sampler["name"])

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of both."""
        return {key: value for key, value in {**self.sampler, **self.scheduler}.items() if key != "name"}

    @property
    def stops(self) -> bool:
        """Whether it stops arms early."""
        return bool(self.scheduler["name"] != NO_SCHEDULER["name"])


def _told_apart(configurations: Sequence[SamplerConfiguration]) -> list[str]:
    """Return the names of configurations; those that share one are told apart by the arguments in which they differ."""
    told = []
    for each in configurations:
        alike = [other.arguments for other in configurations if other.name == each.name]
        own = [f"{key} {value}" for key, value in each.arguments.items() if any(one[key] != value for one in alike)]
        told.append(f"{each.name} ({', '.join(own)})" if own else each.name)
    return told


@dataclass(frozen=True)
class ReplayedSearch:
    """One replayed search: the score of each arm in the order of proposal, and what it took in seconds."""

    scores: tuple[Score, ...]
    training: float
    proposing: float


def sampler_configurations(settings: SearchSettings) -> tuple[SamplerConfiguration, ...]:
    """Return what is compared, random search first: the search itself, other samplers, and schedulers of random arms.

    A sampler is judged with no arm stopped early, a scheduler on arms drawn at random.
    """
    every = [
        SamplerConfiguration(RANDOM, NO_SCHEDULER),
        SamplerConfiguration(settings.sampler, settings.scheduler),
        *(SamplerConfiguration(sampler, NO_SCHEDULER) for sampler in settings.compare.samplers),
        *(SamplerConfiguration(RANDOM, scheduler) for scheduler in settings.compare.schedulers),
    ]
    return tuple(each for at, each in enumerate(every) if each not in every[:at])


def compare(plan: SearchPlan, replay: Replay, slots: int, interrupted: Flag) -> dict[str, Any] | None:
    """Replay the search of `plan` with every configuration and seed on `slots` simulated workers; return plain values.

    None for several objectives, whose searches are not after the least error alone, and when `interrupted` is set.
    """
    settings = plan.search
    if len(settings.objectives) > 1:
        return None
    planned: dict[str, PlannedArm] = {}

    def run(configuration: SamplerConfiguration, seed: int, arms: int = settings.arms) -> ReplayedSearch:
        here = replace(
            settings,
            sampler=configuration.sampler,
            scheduler=configuration.scheduler,
            seed=seed,
            arms=arms,
            control=False,
            warm_start=False,
        )
        return _replayed(replace(plan, search=here), replay, planned, slots, interrupted)

    every = [
        _error(score, settings)
        for score in run(SamplerConfiguration({"name": "grid"}, NO_SCHEDULER), 0, EVERY_ARM).scores
    ]
    configurations = sampler_configurations(settings)
    replayed = [[run(each, seed) for seed in range(settings.compare.seeds)] for each in configurations]
    if interrupted.is_set():
        return None
    return {
        "arms": settings.arms,
        "workers": slots,
        "on_record": every,
        "configurations": [
            {
                "name": name,
                "stops": configuration.stops,
                "sampler": dict(configuration.sampler),
                "best": [_best(each, settings) for each in runs],
                "training_seconds": [each.training for each in runs],
                "proposing_seconds": [each.proposing for each in runs],
            }
            for name, configuration, runs in zip(_told_apart(configurations), configurations, replayed, strict=True)
        ],
    }


def _replayed(
    plan: SearchPlan, replay: Replay, planned: dict[str, PlannedArm], slots: int, interrupted: Flag
) -> ReplayedSearch:
    backend = ReplayBackend(replay.trials, slots)
    moments = [0.0]

    def decided(optimization: OptimizationRun) -> None:
        moments.append(backend.seconds)  # a confirmation that is on record, too, comes after the last of these

    source = SearchSource(plan, MemoryLedger(), decided=decided, on_record=replay.has, planned_arms=planned)
    Dispatcher(source, backend, lambda event: None, interrupted).run()
    optimization = source.optimizations["search"]
    scores = tuple(optimization.scores[arm] for arm in optimization.arms if arm in optimization.scores)
    return ReplayedSearch(scores, moments[-1], optimization.asking_seconds)


def _error(score: Score, settings: SearchSettings) -> float:
    """Return the validation error of an arm; that of a diverged seed where it has none."""
    return score.values[0] if score.state is State.COMPLETE else settings.penalty


def _best(run: ReplayedSearch, settings: SearchSettings) -> list[float]:
    """Return the least error after each arm."""
    best: list[float] = []
    for score in run.scores:
        best.append(min([_error(score, settings), *best[-1:]]))
    return best
