"""What Ray runs in a worker process: a Trainable of Ray Tune that trains one pack after the other."""

import gc
import inspect
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from typing import Any

import orchestrator.engine.cluster  # noqa: F401 (sets what Ray reads at import)

# isort: split
import ray
from ray import tune

from orchestrator.engine.backend import Node, Report
from orchestrator.engine.pack_run import PackRun
from orchestrator.records.environment import host_name
from orchestrator.scheduling.packs import Pack

SIGN_SECONDS = 5.0
"""A worker says at least so often that it is alive."""
SELECTS_NODES = "bundle_label_selector" in inspect.signature(ray.util.placement_group).parameters


class PackTrainable(tune.Trainable):
    """Trains one pack, in a process that then takes the next one, and says every few seconds that it is alive."""

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> tune.PlacementGroupFactory:
        """Return what a pack asks for, and which nodes it must not get."""
        avoid = config.get("avoid", ())
        if not avoid or not SELECTS_NODES:
            return tune.PlacementGroupFactory([config["share"]])
        selector = {"ray.io/node-id": f"!in({','.join(avoid)})"}
        return tune.PlacementGroupFactory([config["share"]], bundle_label_selector=[selector])

    def setup(self, config: dict[str, Any]) -> None:
        """Begin with the first pack of this process."""
        gc.disable()  # it would look a hundred times at all that torch makes, most of which stays
        import_module("orchestrator.engine.probing")  # with torch, whose seconds are no part of the first pack
        gc.enable()
        # One thread for every pack: what a library keeps for a thread is then the same for all of them.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="training")
        self._node = Node(ray.get_runtime_context().get_node_id(), host_name())
        self._future: Future[Report] | None = None
        self._worker = config["worker"]
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin with the first pack of another Tune trial; the data set and the imported packages stay."""
        self.take(new_config)
        return True

    def take(self, config: dict[str, Any]) -> None:
        """Begin with the next pack."""
        self.cleanup()
        self._begin(config)

    def step(self) -> dict[str, Any]:
        """Train until there is news, or until it is time for a sign of life."""
        if self._future is None:
            self._future = self._thread.submit(self._run.step)
        try:
            report = self._future.result(timeout=SIGN_SECONDS)
            self._future = None
        except TimeoutError:
            report = Report(steps=self._run.progress)
        return {"report": replace(report, key=self._key, node=self._node)}

    def cleanup(self) -> None:
        """Save a checkpoint when the pack is not finished."""
        self._thread.submit(self._run.close).result()

    def _begin(self, config: dict[str, Any]) -> None:
        self._key = config["key"]
        self._run = self._run_of(config["pack"])
        self._future = None
        self.config = {}  # Tune would send it back with every report

    def _run_of(self, pack: Pack) -> PackRun:
        return PackRun(pack, self._worker)
