"""Replay trials that are on record: their curves and times on a simulated clock, without training anything."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.scheduling.packs import Pack, PackSource
from reports.results import State, Trial

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
HOST = "replayed-worker"  # no word of the page, in which names of hosts are replaced

Step = tuple[float, list[Event]]


@dataclass(order=True)
class _Worker:
    """One pack on its simulated worker: when it reports next, what, and what comes then."""

    at: float
    number: int
    events: list[Event] = field(compare=False)
    rest: Iterator[Step] = field(compare=False)
    pack: Pack = field(compare=False)


class ReplayExecutor:
    """Answers packs from `recorded` trials as if `slots` workers trained them side by side.

    Events carry the moments of a clock that starts in 1970; `seconds` is where it stands. A trial that is not on
    record ends as FAILED.
    """

    def __init__(self, recorded: Mapping[str, Trial], slots: int) -> None:
        self._recorded = recorded
        self._slots = slots
        self.seconds = 0.0

    def execute(self, source: PackSource, sink: Callable[[Event], None], interrupted: Flag) -> None:
        """Replay until the source is exhausted or `interrupted` is set; every event goes to `sink`."""
        workers: list[_Worker] = []
        number = 0
        while not interrupted.is_set():
            while len(workers) < self._slots and (pack := source.next()) is not None:
                number += 1
                steps = self._steps(pack, self.seconds)
                heapq.heappush(workers, _Worker(self.seconds, number, [], steps, pack))
                for trial in pack.trials.values():
                    self._pass_on(source, sink, [AttemptStarted(trial, "cpu", HOST, {}, self._now())])
            if not workers:
                return
            worker = heapq.heappop(workers)
            self.seconds = worker.at
            self._pass_on(source, sink, worker.events)
            ends: list[Event] = [replace(end, at=self._now()) for end in source.stopped(worker.pack)]
            self._pass_on(source, sink, ends)
            following = None if ends else next(worker.rest, None)
            if following is not None:
                worker.at, worker.events = following
                heapq.heappush(workers, worker)

    def _pass_on(self, source: PackSource, sink: Callable[[Event], None], events: list[Event]) -> None:
        for event in events:
            sink(event)
            source.tell(event)

    def _now(self, at: float | None = None) -> datetime:
        return BEGINNING + timedelta(seconds=self.seconds if at is None else at)

    def _steps(self, pack: Pack, start: float) -> Iterator[Step]:
        """Yield the moments of a pack's reports with their events.

        The members of a pack share their worker, so an epoch of the pack lasts as long as all of theirs.
        """
        found = {trial: self._recorded.get(trial) for trial in pack.trials.values()}
        unknown: list[Event] = [
            TrialEnded(trial, State.FAILED, "not on record", at=self._now(start))
            for trial, record in found.items()
            if record is None
        ]
        if unknown:
            yield start, unknown
        at = start
        going = {trial: (record, iter(record.curve)) for trial, record in found.items() if record is not None}
        while going:
            epochs = {trial: next(rest, None) for trial, (_, rest) in going.items()}
            at += sum(epoch.seconds for epoch in epochs.values() if epoch is not None)
            events: list[Event] = []
            for trial, epoch in epochs.items():
                record, _ = going[trial]
                if epoch is not None:
                    events.append(EpochDone(trial, epoch, self._now(at)))
                if epoch is None or epoch is record.curve[-1]:
                    events.append(_ended(record, self._now(at)))
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
        last_sound_loss=record.last_sound_loss,
        at=at,
    )
