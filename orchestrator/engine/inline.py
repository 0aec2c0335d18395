"""Run a study in this process: the same trials, one after the other, without a cluster."""

from collections.abc import Callable
from threading import Event as Flag

from orchestrator.engine.worker import WorkerSettings, train_pack
from orchestrator.records.events import Event
from orchestrator.scheduling.packs import PackSource


class InlineExecutor:
    """Trains every pack here and now; for debugging, notebooks, and machines without Ray."""

    def __init__(self, worker: WorkerSettings) -> None:
        self._worker = worker

    def execute(self, source: PackSource, sink: Callable[[Event], None], interrupted: Flag) -> None:
        """Train until the source is exhausted or `interrupted` is set; every event goes to `sink`."""
        while not interrupted.is_set() and (pack := source.next()) is not None:
            steps = train_pack(pack, self._worker)
            for events in steps:
                for event in events:
                    sink(event)
                    source.tell(event)
                ends = source.stopped(pack)
                for event in ends:
                    sink(event)
                    source.tell(event)
                if ends or interrupted.is_set():
                    break
            steps.close()
