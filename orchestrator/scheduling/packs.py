"""What is trained next: packs of trials, and the source that hands them out in a sensible order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event as Flag
from typing import Any, Protocol

from orchestrator.records.events import Event, ProbesEnded, TrialEnded
from trainers.probes import ProbeRequest


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

    def source(self, recorded: Callable[[], object]) -> PackSource:
        """Return what is trained next; `recorded` waits until all that was told is in the database."""

    def finish(self, interrupted: Flag) -> None:
        """Do what follows the training."""


class BlockSource:
    """Hands out blocks of packs, the most expensive first, so that no worker idles at the end.

    When every trial of a block has ended, `more` is asked for the next block; an empty one ends the study. Without
    `more` the plan is fixed, a single block.
    """

    def __init__(self, block: Sequence[Pack], more: Callable[[], Sequence[Pack]] | None = None) -> None:
        self._more = more
        self._waiting: list[Pack] = []
        self._open: set[str] = set()
        self._begin(block)

    def next(self) -> Pack | None:
        """Return the most expensive pack left in this block."""
        return self._waiting.pop() if self._waiting else None

    def is_waiting(self) -> bool:
        """Return False: what comes next follows from what is trained here."""
        return False

    def tell(self, event: Event) -> None:
        """Note an ended trial; the last one of a block opens the next block."""
        if isinstance(event, TrialEnded | ProbesEnded) and event.trial in self._open:
            self._open.discard(event.trial)
            if not self._open and self._more:
                self._begin(self._more())

    def stopped(self, pack: Pack) -> Sequence[Event]:
        """Return nothing: what was planned trains to its end."""
        return ()

    def _begin(self, block: Sequence[Pack]) -> None:
        self._waiting = sorted(block, key=lambda pack: (-pack.rank, pack.cost))
        self._open = {trial for pack in block for trial in pack.trials.values()}
