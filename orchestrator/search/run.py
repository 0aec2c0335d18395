"""Run the search of a study: its source over the results DB, Optuna's copy, and the record of what it showed."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag

from orchestrator.records.study_plan import PlannedArm, PlannedTrial
from orchestrator.scheduling.arm_facts import trial_cost, trial_epochs
from orchestrator.scheduling.progress import Progress
from orchestrator.scheduling.replaying import Replay
from orchestrator.search.comparison import compare
from orchestrator.search.ledger import StoreLedger
from orchestrator.search.optimization import OptimizationRun
from orchestrator.search.optuna_copy import OptunaCopy, optuna_address
from orchestrator.search.record import search_record
from orchestrator.search.search_plan import SearchPlan
from orchestrator.search.source import SearchSource
from orchestrator.storage import Store
from reports.trials import State


class SearchRun:
    """One run of a search: its source says what is trained next, `finish` stores what it showed.

    A search that is replayed is repeated at its end with many seeds and samplers on `slots` simulated workers.
    """

    def __init__(
        self,
        store: Store,
        plan: SearchPlan,
        progress: Progress,
        out: Path,
        slots: int,
        replay: Replay | None = None,
    ) -> None:
        self._slots = slots
        self._store = store
        self._progress = progress
        progress.most = plan.search.most_trials
        self._out = out
        self._plan = plan
        self._replay = replay
        self._copy = OptunaCopy(optuna_address(store, out), self._plan.name)
        ledger = StoreLedger(store, self._plan.name)
        on_record = replay.has if replay else lambda trials: True
        self._source = SearchSource(self._plan, ledger, self._follow, self._decided, on_record)
        for optimization in self._source.optimizations.values():
            self._decided(optimization)

    def begin(self) -> None:
        """Choose what is trained first, and record the proposals that it took."""
        self._source.begin()

    def has_work(self) -> bool:
        """Whether anything is left to train."""
        return self._source.has_work()

    def source(self, recorded: Callable[[], object], slots: Callable[[], int] | None = None) -> SearchSource:
        """Return the source of the search, which follows from what it is told, recorded or not; packs stay whole."""
        return self._source

    def finish(self, interrupted: Flag) -> None:
        """Store what the search showed, and remove what only a trial that goes on would need."""
        record = search_record(self._source)
        if self._replay:
            record["comparison"] = compare(self._plan, self._replay, self._slots, interrupted)
        self._store.save_search(self._plan.name, record)
        self._copy.close()
        for trial in self._store.load_study(self._plan.name).trials:
            if trial.state is State.PRUNED:
                for left in (self._out / "checkpoints").glob(f"{trial.id}*.pt"):
                    with suppress(OSError):
                        left.unlink(missing_ok=True)

    def _follow(self, arm: PlannedArm, trial: PlannedTrial, state: State) -> None:
        self._progress.add(trial, state, trial_cost(arm.arm), trial_epochs(arm.arm))

    def _decided(self, optimization: OptimizationRun) -> None:
        self._copy.write(optimization, self._plan.optimization(optimization.role)[:8])
