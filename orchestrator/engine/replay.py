"""Replay trials that are on record: their curves and times on a simulated clock, without training anything."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from orchestrator.engine.backend import Node, Report
from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.trials import State, Trial

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
HOST = "replayed-worker"  # no word of the page, in which names of hosts are replaced

Step = tuple[float, list[Event]]


@dataclass(order=True)
class _Worker:
    """One pack on its simulated worker: when it reports next, what, and what comes then."""

    at: float
    key: int
    events: list[Event] = field(compare=False)
    rest: Iterator[Step] | None = field(compare=False)


class ReplayBackend:
    """Answers packs from `recorded` trials as if `slots` workers trained them side by side.

    Events carry the moments of a clock that starts in 1970; `seconds` is where it stands. A trial that is not on
    record ends as FAILED.
    """

    def __init__(self, recorded: Mapping[str, Trial], slots: int) -> None:
        self._recorded = recorded
        self._slots = slots
        self._workers: list[_Worker] = []
        self._reported: _Worker | None = None
        self.seconds = 0.0

    def slots(self) -> int:
        """Return how many workers are simulated."""
        return self._slots

    def start(self, key: int, pack: Pack, avoid: frozenset[str]) -> None:
        """Begin with a pack at the moment where the clock stands."""
        begun: list[Event] = [AttemptStarted(trial, "cpu", HOST, {}, self.now()) for trial in pack.trials.values()]
        heapq.heappush(self._workers, _Worker(self.seconds, key, begun, self._steps(pack, self.seconds)))

    def poll(self, timeout: float) -> Report | None:
        """Move the clock to the next report of a worker, and return it."""
        self._go_on()
        if not self._workers:
            return None
        worker = self._reported = heapq.heappop(self._workers)
        self.seconds = worker.at
        return Report(worker.key, tuple(worker.events), is_over=worker.rest is None)

    def stop(self, key: int) -> None:
        """End a pack."""
        self._workers = [each for each in self._workers if each.key != key]
        heapq.heapify(self._workers)
        if self._reported is not None and self._reported.key == key:
            self._reported = None

    def kill(self, key: int) -> None:
        """End a pack."""
        self.stop(key)

    def exclude(self, node: Node, reason: str) -> None:
        """Do nothing: a simulated worker fits every study."""

    def now(self) -> datetime:
        """Return where the simulated clock stands."""
        return self._moment(self.seconds)

    def close(self) -> None:
        """End every pack."""
        self._workers, self._reported = [], None

    def _go_on(self) -> None:
        """Let the worker that reported last prepare its next report."""
        worker, self._reported = self._reported, None
        if worker is not None and worker.rest is not None:
            following = next(worker.rest, None)
            if following is None:
                worker.rest, worker.events = None, []
            else:
                worker.at, worker.events = following
            heapq.heappush(self._workers, worker)

    def _moment(self, at: float) -> datetime:
        return BEGINNING + timedelta(seconds=at)

    def _steps(self, pack: Pack, start: float) -> Iterator[Step]:
        """Yield the moments of a pack's reports with their events.

        The trials of a pack share their worker, so an epoch of the pack lasts as long as all of theirs.
        """
        records = {trial: self._recorded.get(trial) for trial in pack.trials.values()}
        unknown: list[Event] = [
            TrialEnded(trial, State.FAILED, "not on record", at=self._moment(start))
            for trial, record in records.items()
            if record is None
        ]
        if unknown:
            yield start, unknown
        at = start
        going = {trial: (record, iter(record.curve)) for trial, record in records.items() if record is not None}
        while going:
            epochs = {trial: next(rest, None) for trial, (_, rest) in going.items()}
            at += sum(epoch.seconds for epoch in epochs.values() if epoch is not None)
            events: list[Event] = []
            for trial, epoch in epochs.items():
                record, _ = going[trial]
                if epoch is not None:
                    events.append(EpochDone(trial, epoch, self._moment(at)))
                if epoch is None or epoch is record.curve[-1]:
                    events.append(_ended(record, self._moment(at)))
                    del going[trial]
            yield at, events


def _ended(record: Trial, at: datetime) -> TrialEnded:
    return TrialEnded(
        record.id,
        record.state,
        record.reason,
        seconds=record.seconds,
        images_per_second=record.images_per_second,
        diverged_at=record.diverged_at,
        loss_before_divergence=record.loss_before_divergence,
        at=at,
    )
