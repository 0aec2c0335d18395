"""Where a search keeps what it proposed and learned: the results DB, or memory alone for replays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.records.proposal import Proposal
from orchestrator.records.study_plan import PlannedArm, PlannedTrial
from orchestrator.search.score import TrialHistory
from orchestrator.storage import Store, patiently


class Ledger(Protocol):
    """Remembers proposals and answers from trials that are on record."""

    def proposals(self, optimization: str) -> tuple[Proposal, ...]:
        """Return what an optimization run proposed so far, in order."""

    def record(
        self,
        optimization: str,
        made: Sequence[Proposal],
        arms: Sequence[PlannedArm],
        trials: Sequence[PlannedTrial],
    ) -> None:
        """Record proposals, with the arm and trials that follow, all or nothing."""

    def known(self, trials: Iterable[str]) -> dict[str, TrialHistory]:
        """Return what is on record of trials of this study."""

    def arms_with(self, factors: Sequence[str]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Return hash and levels of every arm on record that has these factors."""


@dataclass(frozen=True)
class StoreLedger:
    """Keeps everything in the results DB."""

    store: Store
    study: str

    def proposals(self, optimization: str) -> tuple[Proposal, ...]:
        """Return what an optimization run proposed so far, in order."""
        return patiently(lambda: self.store.proposals(self.study, optimization))

    def record(
        self,
        optimization: str,
        made: Sequence[Proposal],
        arms: Sequence[PlannedArm],
        trials: Sequence[PlannedTrial],
    ) -> None:
        """Record proposals, with the arm and trials that follow, in one transaction."""
        patiently(lambda: self.store.propose(self.study, optimization, made, arms, trials))

    def known(self, trials: Iterable[str]) -> dict[str, TrialHistory]:
        """Return what the results DB holds of trials of this study."""
        wanted = set(trials)
        # Most arms are new: their trials are not worth reading the study for.
        if not any(state.is_finished() for state in patiently(lambda: self.store.states(wanted)).values()):
            return {}
        study = patiently(lambda: self.store.load_study(self.study))
        return {trial.id: TrialHistory.of(trial) for trial in study.trials if trial.id in wanted}

    def arms_with(self, factors: Sequence[str]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Return hash and levels of every arm, of any study, that has these factors."""
        return patiently(lambda: self.store.levels_of_arms(factors))


@dataclass(frozen=True)
class MemoryLedger:
    """Keeps the proposals for as long as the process lives; knows no trial."""

    made: dict[str, list[Proposal]] = field(default_factory=dict)

    def proposals(self, optimization: str) -> tuple[Proposal, ...]:
        """Return what an optimization run proposed so far, in order."""
        return tuple(self.made.get(optimization, ()))

    def record(
        self,
        optimization: str,
        made: Sequence[Proposal],
        arms: Sequence[PlannedArm],
        trials: Sequence[PlannedTrial],
    ) -> None:
        """Remember the proposals."""
        self.made.setdefault(optimization, []).extend(made)

    def known(self, trials: Iterable[str]) -> dict[str, TrialHistory]:
        """Return nothing."""
        return {}

    def arms_with(self, factors: Sequence[str]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Return nothing."""
        return ()
