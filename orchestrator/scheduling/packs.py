"""What is trained next: packs of trials, and the source that hands them out in a sensible order."""

from bisect import insort
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event as Flag
from typing import Any, Protocol

from orchestrator.records.events import Event, ProbesEnded, TrialEnded
from trainers.probes import ProbeRequest

ROUNDING = 1 + 1e-9
"""Packs of equal length, one for each slot, are fair whatever the rounding of their sum."""


@dataclass(frozen=True)
class Pack:
    """The trials that one worker trains side by side: some seeds of one arm.

    `settings` are the arm's complete settings, `trials` maps each seed to its trial id, and `cost` is the expected
    work in any unit that all packs of a study share. Packs of a lower `rank` come first, whatever they cost.
    `fingerprint` is that of the data that the arm was planned with. `probes` measure the trained networks. A pack with
    `weights`, the file of each seed's, is trained already: it is measured from them, and where a probe needs another
    seed's network too, together with that of `partners`.
    """

    settings: Mapping[str, Any]
    trials: Mapping[int, str]
    cost: float = 0.0
    rank: int = 0
    fingerprint: str | None = None
    probes: tuple[ProbeRequest, ...] = ()
    weights: Mapping[int, str] = field(default_factory=dict)
    partners: Mapping[int, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The pack's name in paths: its only trial's id, or the first one's with the number of seeds."""
        first = min(self.trials.values())
        return first if len(self.trials) == 1 else f"{first}-{len(self.trials)}"

    @property
    def work(self) -> float:
        """How long a worker has the pack, in the unit of `cost`: each further seed takes about a third of the first."""
        count = len(self.trials)
        return self.cost * (count + 2) / (3 * count)

    def halves(self) -> "tuple[Pack, Pack]":
        """Return the same trials as two packs."""
        trials = list(self.trials.values())
        middle = (len(trials) + 1) // 2
        return self.part(trials[:middle]), self.part(trials[middle:])

    def part(self, kept: Collection[str]) -> "Pack":
        """Return the pack of those of its trials that are kept, at least one."""
        trials = {seed: trial for seed, trial in self.trials.items() if trial in kept}
        return replace(self, trials=trials, cost=self.cost * len(trials) / len(self.trials))

    def without_graph(self) -> "Pack":
        """Return the same trials, trained without recording their step on a GPU."""
        training = {**self.settings["training"], "cuda_graph": "never"}
        return replace(self, settings={**self.settings, "training": training})


class PackSource(Protocol):
    """Answers "what next, given what is known": a fixed plan, seeds added look by look, or a search."""

    def next(self) -> Pack | None:
        """Return the next pack, or None when there is none at this moment."""

    def is_waiting(self) -> bool:
        """Whether a pack may come although nothing is in training here."""

    def tell(self, event: Event) -> None:
        """Learn what became of a trial."""

    def stopped(self, pack: Pack) -> Sequence[Event]:
        """Return the ends of the trials of a pack that is to be stopped early; nothing while it goes on."""


class Work(Protocol):
    """What one run of a study is to train: a plan with its looks, or a search."""

    def begin(self) -> None:
        """Choose what is trained first, and record it where it is new."""

    def has_work(self) -> bool:
        """Whether anything is left to train; asked once it has begun, and nothing is written."""

    def source(self, recorded: Callable[[], object], slots: Callable[[], int] | None = None) -> PackSource:
        """Return what is trained next; `recorded` waits until all that was told is in the database.

        With `slots`, which tells how many packs train at once, packs may be handed out in parts to keep all busy.
        """

    def finish(self, interrupted: Flag) -> None:
        """Do what follows the training."""


class BlockSource:
    """Hands out blocks of packs, the longest first, so that no worker idles at the end.

    When every trial of a block has ended, `more` is asked for the next block; an empty one ends the study. Without
    `more` the plan is fixed, a single block. With `slots`, a pack that would take longer than its fair share, the work
    of all packs that have not ended divided by the number of slots, is halved until it does not, or is a single trial.
    """

    def __init__(
        self,
        block: Sequence[Pack],
        more: Callable[[], Sequence[Pack]] | None = None,
        slots: Callable[[], int] | None = None,
    ) -> None:
        self._more = more
        self._slots = slots
        self._waiting: list[Pack] = []
        self._open: dict[str, float] = {}
        self._left = 0.0
        self._begin(block)

    def next(self) -> Pack | None:
        """Return the longest pack left in this block."""
        while self._waiting:
            pack = self._waiting.pop()
            if not self._is_unfair(pack):
                return pack
            for half in pack.halves():
                insort(self._waiting, half, key=_order)
                self._note(half)
        return None

    def _is_unfair(self, pack: Pack) -> bool:
        """Whether a pack would be in training when the other slots have nothing left to do."""
        if self._slots is None or len(pack.trials) == 1:
            return False
        return pack.work > ROUNDING * self._left / max(self._slots(), 1)

    def is_waiting(self) -> bool:
        """Return False: what comes next follows from what is trained here."""
        return False

    def tell(self, event: Event) -> None:
        """Note an ended trial; the last one of a block opens the next block."""
        if isinstance(event, TrialEnded | ProbesEnded) and event.trial in self._open:
            self._left -= self._open.pop(event.trial)
            if not self._open and self._more:
                self._begin(self._more())

    def stopped(self, pack: Pack) -> Sequence[Event]:
        """Return nothing: what was planned trains to its end."""
        return ()

    def _begin(self, block: Sequence[Pack]) -> None:
        self._waiting = sorted(block, key=_order)
        self._open, self._left = {}, 0.0
        for pack in block:
            self._note(pack)

    def _note(self, pack: Pack) -> None:
        """Note the trials of a pack as open, each with its share of the pack's work."""
        for trial in pack.trials.values():
            share = pack.work / len(pack.trials)
            self._left += share - self._open.get(trial, 0.0)
            self._open[trial] = share


def _order(pack: Pack) -> tuple[int, float]:
    """Return where a pack stands among those that wait, of which the last one comes next."""
    return -pack.rank, pack.work
