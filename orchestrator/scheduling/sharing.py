"""Leave trials that another study trains at this moment to it, and take its results."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from orchestrator.records.events import Event
from orchestrator.scheduling.packs import Pack, PackSource
from orchestrator.storage import Reserved, Store

LOOK_SECONDS = 2.0


class SharedTrials:
    """Hands out the packs of a source without the trials that another driver trains, each reserved before it goes out.

    These come back when that driver is gone or has not finished them. Their results, if they get some, are told to the
    source and to `told` as if they had been trained here. `notify` is given what whoever runs the study should know.
    """

    def __init__(
        self,
        source: PackSource,
        store: Store,
        study: str,
        told: Callable[[Event], object],
        notify: Callable[[str], object],
    ) -> None:
        self._source = source
        self._reservations = store.reservations(study)
        self._told = told
        self._notify = notify
        self._elsewhere: list[Pack] = []
        self._look_at = 0.0
        self._has_results = False
        self._named: set[str] = set()

    def next(self) -> Pack | None:
        """Return the next pack that nobody else trains, new ones first."""
        while True:
            self._has_results = False
            while (pack := self._source.next()) is not None:
                if mine := self._reserved(pack):
                    return mine
            pack = self._given_up()
            if pack is not None or not self._has_results:  # results of others may have opened the next block
                return pack

    def is_waiting(self) -> bool:
        """Whether others train what this study needs."""
        return bool(self._elsewhere) or self._source.is_waiting()

    def tell(self, event: Event) -> None:
        """Learn what became of a trial."""
        self._source.tell(event)

    def stopped(self, pack: Pack) -> Sequence[Event]:
        """Return the ends of the trials of a pack that is to be stopped early."""
        return self._source.stopped(pack)

    def _given_up(self) -> Pack | None:
        """Return a pack that another driver had and has no more; look only every few seconds."""
        if not self._elsewhere or time.monotonic() < self._look_at:
            return None
        waiting, self._elsewhere = self._elsewhere, []
        while waiting:
            if mine := self._reserved(waiting.pop(0)):
                self._elsewhere += waiting
                return mine
        self._look_at = time.monotonic() + LOOK_SECONDS
        return None

    def _reserved(self, pack: Pack) -> Pack | None:
        """Return the part of a pack that is this driver's now, None where nothing is."""
        if pack.weights:  # to measure a trained network again does no harm
            return pack
        reserved = self._reservations.take(pack.trials.values())
        results = self._reservations.outcomes(reserved.ended) if reserved.ended else {}
        self._tell(results)
        self._keep(pack, reserved, reserved.ended - results.keys())
        return _part(pack, reserved.mine)

    def _keep(self, pack: Pack, reserved: Reserved, unread: Collection[str]) -> None:
        """Come back later to what others train, and to results that could not be read."""
        for who in sorted(set(reserved.elsewhere.values()) - self._named):
            self._named.add(who)
            self._notify(f"trials that this study needs are being trained by {who}: it takes their results")
        if left := _part(pack, {*reserved.elsewhere, *unread}):
            self._elsewhere.append(left)

    def _tell(self, results: Mapping[str, Sequence[Event]]) -> None:
        self._has_results = self._has_results or bool(results)
        for events in results.values():
            for event in events:
                self._told(event)
                self._source.tell(event)


def _part(pack: Pack, kept: Collection[str]) -> Pack | None:
    """Return a pack of those of its trials that are kept; None where none is."""
    return pack.part(kept) if any(trial in kept for trial in pack.trials.values()) else None
