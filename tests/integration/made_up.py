"""An executor that trains nothing: each trial ends at once with an error that the test made up."""

from collections.abc import Callable
from threading import Event as Flag
from typing import Any

from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.scheduling.packs import Pack, PackSource
from reports.results import Epoch, State

Errors = Callable[[dict[str, Any], int], float | None]
"""The test error of an arm's settings with a seed; None for a trial that diverges."""


class MadeUp:
    """Answers every pack with `errors`, and keeps the seeds it was asked for by block."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        self.trained: list[tuple[dict[str, Any], int]] = []

    def execute(self, source: PackSource, sink: Callable[[Event], None], interrupted: Flag) -> None:
        while (pack := source.next()) is not None:
            for event in self._events(pack):
                sink(event)
                source.tell(event)

    def _events(self, pack: Pack) -> list[Event]:
        events: list[Event] = []
        for seed, trial in pack.trials.items():
            error = self.errors(dict(pack.settings), seed)
            self.trained.append((dict(pack.settings), seed))
            events.append(AttemptStarted(trial, "cpu", "here", {}))
            value = 90.0 if error is None else error
            events.append(EpochDone(trial, Epoch(1, value / 40, value / 2, value / 40, value, 0.1, 1.0)))
            events.append(TrialEnded(trial, State.DIVERGED if error is None else State.COMPLETE, seconds=36.0))
        return events
