"""What trains packs, as the dispatch loop sees it: start one, poll for news, stop one, close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.engine.failures import Failure
from orchestrator.errors import UserError
from orchestrator.records.events import Event
from orchestrator.scheduling.packs import Pack


class ClusterLost(Exception):
    """What trains is gone as a whole; what is recorded stays, and the next run continues."""


class NoUsableNode(UserError):
    """Not a single node can train this study; the message names each with its reason."""


@dataclass(frozen=True)
class Node:
    """A machine that trains: its id in the cluster, and its name for people."""

    id: str
    host: str


@dataclass(frozen=True)
class Report:
    """News of one pack, which goes by the number that it was started under.

    `output` is what the training printed since the last report. A report without events says that the worker is alive.
    `is_over` says that the worker is free again: after the last event of the pack, after a `failure`, or because the
    node is `unfit` to train anything of this study, for that reason. `steps` counts what the pack has trained.
    """

    key: int = 0
    events: Sequence[Event] = ()
    output: str = ""
    is_over: bool = False
    failure: Failure | None = None
    unfit: str | None = None
    node: Node | None = None
    steps: int | None = None


class Backend(Protocol):
    """Trains packs, some of them at once.

    A pack whose report `poll` returned waits until the next `poll`, so that `stop` holds at once.
    """

    def slots(self) -> int:
        """Return how many packs can be in training at this moment."""

    def start(self, key: int, pack: Pack, avoid: frozenset[str]) -> None:
        """Train a pack under a number of its own, away from the nodes to `avoid` where others can train it."""

    def poll(self, timeout: float) -> Report | None:
        """Return the next news, None when there were none within `timeout` seconds; ClusterLost at its end."""

    def stop(self, key: int) -> None:
        """End a pack whose trials have ended, and use its worker again."""

    def kill(self, key: int) -> None:
        """End the worker of a pack, which does not answer; nothing more is reported of the pack."""

    def exclude(self, node: Node, reason: str) -> None:
        """Train nothing more on a node; NoUsableNode when it was the last one."""

    def now(self) -> datetime:
        """Return this moment by the clock that the events are stamped with."""

    def close(self) -> None:
        """End every pack that is in training, each with a checkpoint where that can be done, and free everything."""
