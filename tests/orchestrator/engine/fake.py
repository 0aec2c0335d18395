"""A backend that plays back what a test says happens to each attempt at a pack."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from orchestrator.engine.backend import Node, NoUsableNode, Report
from orchestrator.engine.failures import Failure
from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded, now
from orchestrator.scheduling.packs import Pack
from reports.trials import Epoch, State

Script = Callable[[Pack, int], Iterable[Report]]
"""What an attempt at a pack reports, by the number of the attempt at its first trial, from 1."""
NODES = (Node("a", "host-a"), Node("b", "host-b"))


class FakeBackend:
    """Answers each start with the reports of a script, one pack at a time."""

    def __init__(self, script: Script, slots: int = 1) -> None:
        self.script = script
        self.places = slots
        self.started: list[tuple[tuple[int, ...], frozenset[str]]] = []
        self.killed: list[int] = []
        self.excluded: list[str] = []
        self.closed = False
        self._reports: list[Report] = []
        self._attempts: dict[str, int] = {}

    def slots(self) -> int:
        return self.places

    def start(self, key: int, pack: Pack, avoid: frozenset[str]) -> None:
        self.started.append((tuple(pack.trials), avoid))
        first = min(pack.trials.values())
        self._attempts[first] = self._attempts.get(first, 0) + 1
        self._reports += [replace(each, key=key) for each in self.script(pack, self._attempts[first])]

    def poll(self, timeout: float) -> Report | None:
        return self._reports.pop(0) if self._reports else None

    def stop(self, key: int) -> None:
        self._reports = [each for each in self._reports if each.key != key]

    def kill(self, key: int) -> None:
        self.killed.append(key)
        self.stop(key)

    def exclude(self, node: Node, reason: str) -> None:
        self.excluded.append(node.id)
        if len(self.excluded) == len(NODES):
            raise NoUsableNode(f"{node.host}: {reason}")

    def now(self) -> datetime:
        return now()

    def close(self) -> None:
        self.closed = True


def begun(pack: Pack) -> Report:
    return Report(events=[AttemptStarted(each, "cpu", "here", {}) for each in pack.trials.values()], node=NODES[0])


def epoch(pack: Pack, number: int) -> Report:
    value = Epoch(number, 1.0, 10.0, 1.0, 10.0, 0.1, 1.0)
    return Report(events=[EpochDone(each, value) for each in pack.trials.values()])


def complete(pack: Pack) -> list[Report]:
    ends: list[Event] = [TrialEnded(each, State.COMPLETE) for each in pack.trials.values()]
    return [begun(pack), Report(events=ends), Report(is_over=True)]


def failed(cause: Cause) -> Report:
    return Report(is_over=True, failure=Failure(cause, f"it was {cause}", "Traceback ..."), node=NODES[0])
