"""Train packs in this process, one after the other, without a cluster."""

import time
from dataclasses import replace
from datetime import datetime

from orchestrator.engine.backend import Node, NoUsableNode, Report
from orchestrator.engine.pack_run import PackRun
from orchestrator.engine.worker import WorkerSettings
from orchestrator.records.environment import host_name
from orchestrator.records.events import now
from orchestrator.scheduling.packs import Pack


class InlineBackend:
    """Trains every pack here and now; for debugging, notebooks, and machines without Ray."""

    def __init__(self, worker: WorkerSettings) -> None:
        self._worker = worker
        self._node = Node("", host_name())
        self._running: tuple[int, PackRun] | None = None

    def slots(self) -> int:
        """Return 1: this process trains one pack at a time."""
        return 1

    def start(self, key: int, pack: Pack, avoid: frozenset[str]) -> None:
        """Begin with a pack."""
        self._running = key, PackRun(pack, self._worker)

    def poll(self, timeout: float) -> Report | None:
        """Train until there is news of the pack."""
        if self._running is None:
            time.sleep(timeout)
            return None
        key, run = self._running
        report = run.step()
        if report.is_over:
            self._running = None
        return replace(report, key=key, node=self._node)

    def stop(self, key: int) -> None:
        """End the pack."""
        self.close()

    def kill(self, key: int) -> None:
        """Do nothing: while this process trains, nobody watches it."""

    def exclude(self, node: Node, reason: str) -> None:
        """Raise NoUsableNode: there is no other."""
        raise NoUsableNode(f"this machine cannot train the study: {reason}")

    def now(self) -> datetime:
        """Return this moment."""
        return now()

    def close(self) -> None:
        """End the pack in training with a checkpoint."""
        if self._running is not None:
            self._running[1].close()
            self._running = None
