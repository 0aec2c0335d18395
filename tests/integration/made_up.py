"""A backend that trains nothing: each trial ends at once with an error that the test made up."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from orchestrator.engine.backend import Node, Report
from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded, now
from orchestrator.scheduling.packs import Pack
from reports.trials import Epoch, State

Errors = Callable[[dict[str, Any], int], float | None]
"""The test error of an arm's settings with a seed; None for a trial that diverges."""


class MadeUp:
    """Answers every pack with `errors`, and keeps the seeds it was asked for by block."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        self.trained: list[tuple[dict[str, Any], int]] = []
        self._reports: list[Report] = []

    def slots(self) -> int:
        return 1

    def start(self, key: int, pack: Pack, avoid: frozenset[str]) -> None:
        self._reports += [Report(key, tuple(self._events(pack))), Report(key, is_over=True)]

    def poll(self, timeout: float) -> Report | None:
        return self._reports.pop(0) if self._reports else None

    def stop(self, key: int) -> None:
        self._reports.clear()

    def kill(self, key: int) -> None:
        self._reports.clear()

    def exclude(self, node: Node, reason: str) -> None:
        raise AssertionError(reason)

    def now(self) -> datetime:
        return now()

    def close(self) -> None:
        self._reports.clear()

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
