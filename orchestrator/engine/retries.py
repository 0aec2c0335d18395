"""What follows an attempt that ended without a result: another one, a smaller pack, or the end of the trial."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.engine.failures import Failure
from orchestrator.records.causes import Cause
from orchestrator.scheduling.packs import Pack

TRIES: Mapping[Cause, int] = {
    Cause.CODE: 1,
    Cause.OOM: 2,
    Cause.TIMEOUT: 2,
    Cause.WORKER_LOST: 3,
    Cause.DATA: 4,
    Cause.DISK: 4,
}
"""How many attempts in a row may end so without a new epoch; losses from outside may come as often as they like."""

DELAYS = (2.0, 8.0, 30.0)
"""Seconds before the second, third and fourth attempt where data or a disk may come back."""


@dataclass(frozen=True)
class Again:
    """The packs to try after `delay` seconds, elsewhere if `elsewhere`."""

    packs: tuple[Pack, ...]
    delay: float = 0.0
    elsewhere: bool = False


class Retries:
    """Counts the attempts of each trial that ended without a result and without progress."""

    def __init__(self) -> None:
        self._best: dict[str, int] = {}
        self._fruitless: dict[str, Counter[Cause]] = {}

    def progressed(self, trial: str, epoch: int) -> None:
        """Note an epoch of a trial; one that no attempt had reached forgives the failures before it."""
        if epoch > self._best.get(trial, 0):
            self._best[trial] = epoch
            self._fruitless.pop(trial, None)

    def after(self, pack: Pack, unfinished: Collection[str], failure: Failure) -> Again | None:
        """Return what follows a failed attempt at a pack, some of whose trials are unfinished; None: nothing."""
        cause = failure.cause
        if cause.is_loss():
            return Again((pack,))
        if cause is Cause.OOM and len(unfinished) > 1:
            return Again(pack.part(unfinished).halves())
        failed = max(self._count(trial, cause) for trial in unfinished)
        if failed >= TRIES[cause]:
            return None
        if failure.in_graph:
            return Again((pack.without_graph(),))
        is_of_place = cause in (Cause.DATA, Cause.DISK)
        return Again((pack,), DELAYS[failed - 1] if is_of_place else 0.0, elsewhere=is_of_place)

    def _count(self, trial: str, cause: Cause) -> int:
        counts = self._fruitless.setdefault(trial, Counter())
        counts[cause] += 1
        return counts[cause]
