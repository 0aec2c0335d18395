"""Train packs on a Ray cluster: Ray Tune places the workers, which train one pack after the other.

A trial of Tune is a worker at work: it begins with the pack that needs a place, takes the next one from the driver
directly, and ends when none is left for it. A trial of Tune for each pack would cost the driver several round trips to
the cluster and some 100 KB of memory that is never freed.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any

from orchestrator.engine.cluster import ClusterWatch, cluster, node_of  # sets what Ray reads at import

# isort: split
import ray
from ray import tune
from ray.tune.schedulers import TrialScheduler

from orchestrator.deadline import within
from orchestrator.engine.backend import ClusterLost, Node, NoUsableNode, Report
from orchestrator.engine.failures import Failure
from orchestrator.engine.losses import error_of, loss_of
from orchestrator.engine.pack_trainable import PackTrainable
from orchestrator.engine.tune_folder import tune_folder
from orchestrator.engine.tune_hooks import PlanSearcher, ReportScheduler, StopWhen, TrialCallback
from orchestrator.engine.worker import WorkerSettings
from orchestrator.errors import UserError
from orchestrator.records.causes import Cause
from orchestrator.records.events import now
from orchestrator.scheduling.packs import Pack
from reports.wording import counted

NO_NODE_SECONDS = 120.0
CLOSE_SECONDS = 90.0
KILL_SECONDS = 5.0
RESTART_PAUSES = (0.0, 2.0, 8.0, 30.0)
"""Seconds before Tune begins anew after it has given up, by when a full disk may have room again."""


@dataclass
class _Handed:
    """A pack that a worker has or will have: the trial of Tune that trains it, once it has begun."""

    pack: Pack
    trial: Any = None
    node: Node | None = None


class RayBackend:
    """Trains packs on a Ray cluster: the one at `address`, or one started here for the duration of the study.

    Every pack asks for `cpus` and `gpus`; as many run at once as the cluster holds, at most `max_concurrent`. Tune runs
    in a thread of its own, so that nothing that Ray does can hold up the driver. UserError when the cluster cannot be
    reached or can never hold one pack. `trainable` is what a worker runs.
    """

    trainable: type[PackTrainable] = PackTrainable

    def __init__(
        self,
        worker: WorkerSettings,
        *,
        cpus: float = 1,
        gpus: float = 0,
        address: str | None = None,
        max_concurrent: int | None = None,
    ) -> None:
        self._worker = worker
        self._share = {"CPU": cpus} | ({"GPU": gpus} if gpus else {})
        self._max_concurrent = max_concurrent
        self._waiting: deque[tuple[int, Pack, frozenset[str]]] = deque()
        self._handed: dict[int, _Handed] = {}
        self._excluded: dict[str, str] = {}
        self._reports: SimpleQueue[tuple[Report, SimpleQueue[str] | None]] = SimpleQueue()
        self._unanswered: tuple[int, SimpleQueue[str]] | None = None
        self._decision: str = TrialScheduler.CONTINUE
        self._at_work: dict[str, int] = {}
        self._closing = threading.Event()
        self._gave_up: str | None = None
        self._held_at = time.monotonic()
        self._tune = threading.Thread(target=self._run_tune, name="Ray Tune", daemon=True)
        self._exit = ExitStack()
        try:
            self._watch: ClusterWatch = self._exit.enter_context(cluster(address))
            self._folder = self._exit.enter_context(tune_folder())
            self._check_room()
        except BaseException:
            self._exit.close()
            raise

    def slots(self) -> int:
        """Return how many packs the nodes hold at once that can train this study."""
        nodes = [each["Resources"] for each in self._watch.nodes if each["NodeID"] not in self._excluded]
        slots = sum(min(int(node.get(name, 0) / share) for name, share in self._share.items()) for node in nodes)
        return min(slots, self._max_concurrent or slots)

    def start(self, key: int, pack: Pack, avoid: frozenset[str]) -> None:
        """Hand a pack to Tune."""
        self._handed[key] = _Handed(pack)
        self._waiting.append((key, pack, avoid))
        if self._tune.ident is None:
            self._tune.start()

    def poll(self, timeout: float) -> Report | None:
        """Return the next report; ClusterLost when the cluster is gone."""
        self._answer(self._decision)
        try:
            report, reply = self._reports.get(timeout=timeout)
        except Empty:
            self._check_cluster()
            return None
        if reply is not None:
            self._unanswered = report.key, reply
        if report.is_over or report.failure:
            self._handed.pop(report.key, None)
        return report

    def stop(self, key: int) -> None:
        """End the pack that has reported last."""
        self._handed.pop(key, None)
        if self._unanswered is not None and self._unanswered[0] == key:
            self._decision = TrialScheduler.STOP  # told with the next poll, by when the worker's next pack is known

    def kill(self, key: int) -> None:
        """End the process that trains a pack."""
        handed = self._handed.pop(key, None)
        if handed is not None and handed.trial is not None:
            _kill(handed.trial)

    def exclude(self, node: Node, reason: str) -> None:
        """Place no further packs on a node; NoUsableNode when none is left that could hold one."""
        self._excluded[node.id] = f"{node.host}: {reason}"
        if self.slots() == 0:
            raise NoUsableNode(f"no node of the cluster can train this study: {'; '.join(self._excluded.values())}")

    def now(self) -> datetime:
        """Return this moment."""
        return now()

    def close(self) -> None:
        """End what is in training with a checkpoint, and leave the cluster."""
        try:
            self._end_tune()
        finally:
            self._exit.close()

    def _end_tune(self) -> None:
        """Let Tune stop its workers, each of which saves a checkpoint; give it up after `CLOSE_SECONDS`."""
        self._closing.set()
        self._answer(TrialScheduler.STOP)
        until = time.monotonic() + CLOSE_SECONDS
        while self._tune.is_alive() and time.monotonic() < until and self._watch.problem() is None:
            self._tune.join(0.2)
            with suppress(Empty):
                _, reply = self._reports.get_nowait()
                if reply is not None:
                    reply.put(TrialScheduler.STOP)

    def _answer(self, decision: str) -> None:
        if self._unanswered is not None:
            self._unanswered[1].put(decision)
            self._unanswered, self._decision = None, TrialScheduler.CONTINUE

    def _check_room(self) -> None:
        if self.slots():
            return
        nodes = [each["Resources"] for each in self._watch.nodes]
        have = ", ".join(_in_words(node) for node in nodes)
        raise UserError(
            f"resources: a pack asks for {_in_words(self._share)}, but no node of the cluster has as much ({have}): "
            "ask for less under `resources:`, or add a node"
        )

    def _check_cluster(self) -> None:
        """Raise ClusterLost when the cluster is gone, or has had no node that holds a pack for long."""
        problem = self._watch.problem()
        if problem is not None:
            time.sleep(3)  # this process may have been stopped, and its watch with it
            problem = self._watch.problem()
        if problem is None and self.slots():
            self._held_at = time.monotonic()
        elif problem is None and time.monotonic() - self._held_at > NO_NODE_SECONDS:
            problem = f"no node of the Ray cluster has been able to hold a pack for {NO_NODE_SECONDS:.0f} s"
        problem = problem or self._gave_up
        if problem is not None:
            raise ClusterLost(problem)

    # What follows runs in Tune's thread.

    def next_pack(self) -> dict[str, Any] | None:
        """Return the configuration of the next Tune trial; None when no pack waits."""
        if not self._waiting:
            return None
        key, pack, avoid = self._waiting.popleft()
        excluded = set(self._excluded)
        usable = {each["NodeID"] for each in self._watch.nodes} - excluded
        avoided = excluded | (avoid if usable - avoid else set())
        return {"key": key, "pack": pack, "avoid": tuple(sorted(avoided))}

    def is_closing(self) -> bool:
        """Whether nothing more is to be trained."""
        return self._closing.is_set()

    def begun(self, trial: Any) -> None:
        """Note which Tune trial trains its first pack."""
        self._began(trial, trial.config["key"])

    def _began(self, trial: Any, key: int) -> None:
        self._at_work[trial.trial_id] = key
        handed = self._handed.get(key)
        if handed is not None:
            handed.trial = trial
            self._reports.put((Report(key), None))

    def reported(self, trial: Any, report: Report) -> str:
        """Pass a report on and return whether the worker goes on, be it with its next pack."""
        key = self._at_work[trial.trial_id]
        handed = self._handed.get(key)
        if handed is None:  # the driver has ended this worker
            return str(TrialScheduler.STOP)
        handed.node = report.node
        if report.key != key:
            report = Report(key, failure=Failure(Cause.WORKER_LOST, "the worker could not read its next pack"))
        if report.failure is not None and report.failure.cause is Cause.WORKER_LOST:
            self._reports.put((report, None))
            _kill(trial)  # a device that is broken stays so for the process
            return str(TrialScheduler.CONTINUE)
        decision = self._asked(report)
        if decision == TrialScheduler.CONTINUE and not report.is_over:
            return decision
        return self._with_next_pack(trial, report.node)

    def _with_next_pack(self, trial: Any, node: Node | None) -> str:
        """Give a worker that is free the next pack that its node may train; return whether there was one."""
        del self._at_work[trial.trial_id]
        following = None if self.is_closing() or node is None else self._waiting_for(node)
        if following is None:
            return str(TrialScheduler.STOP)
        key, pack = following
        trial.temporary_state.ray_actor.take.remote({"key": key, "pack": pack})  # before Tune asks it to go on
        self._began(trial, key)
        return str(TrialScheduler.CONTINUE)

    def _waiting_for(self, node: Node) -> tuple[int, Pack] | None:
        """Take the first pack that waits and may be trained on a node."""
        if node.id in self._excluded:
            return None
        for each in tuple(self._waiting):  # the driver's thread may add to it meanwhile
            key, pack, avoid = each
            if node.id not in avoid:
                self._waiting.remove(each)
                return key, pack
        return None

    def _asked(self, report: Report) -> str:
        """Wait for the driver's answer, before which it hands out the next pack; a sign of life needs none."""
        if not report.events and not report.is_over:
            self._reports.put((report, None))
            return str(TrialScheduler.CONTINUE)
        reply: SimpleQueue[str] = SimpleQueue()
        self._reports.put((report, reply))
        return str(reply.get())

    def failed(self, trial: Any) -> None:
        """Report that the process of a pack is gone."""
        key = self._at_work.pop(trial.trial_id, trial.config["key"])
        handed = self._handed.get(key)
        if handed is not None:
            failure = loss_of(error_of(trial))
            if failure.cause is Cause.WORKER_LOST and handed.node and self._watch.is_gone(handed.node):
                failure = Failure(Cause.NODE_LOST, f"its node {handed.node.host} is gone")
            self._asked(Report(key, is_over=True, failure=failure, node=handed.node))

    def _run_tune(self) -> None:
        """Let Tune work until the end; where it gives up, the packs it had are lost and it begins anew."""
        pauses = iter(RESTART_PAUSES)
        while True:
            last: BaseException | None = None
            try:
                self._fit()
            except BaseException as error:
                last = error
            if self.is_closing():
                return
            failure = loss_of(last)
            waiting = {key for key, _, _ in tuple(self._waiting)}
            for key in [key for key in list(self._handed) if key not in waiting]:
                self._reports.put((Report(key, is_over=True, failure=failure), None))
            if failure.cause is Cause.OOM:  # Tune ends whenever Ray's memory monitor does a worker's process
                continue
            pause = next(pauses, None)
            if pause is None:
                said = (str(last).splitlines() or [repr(last)])[-1]
                where = f"; it writes into {self._folder}" if failure.cause is Cause.DISK else ""
                self._gave_up = f"Ray Tune ended {len(RESTART_PAUSES) + 1} times: {said}{where}"
                return
            self._closing.wait(pause)

    def _fit(self) -> None:
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # what it would say comes as reports
        tune.Tuner(
            self.trainable,
            param_space={"worker": self._worker, "share": self._share},
            tune_config=tune.TuneConfig(
                search_alg=PlanSearcher(self),
                scheduler=ReportScheduler(self),
                num_samples=-1,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                storage_path=str(self._folder),
                name=f"study-{time.monotonic_ns()}",
                verbose=0,
                callbacks=[TrialCallback(self)],
                stop=StopWhen(self._closing),
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            ),
        ).fit()


def _kill(trial: Any) -> None:
    """End the process of a Tune trial; one that is stopped is ended by Ray after five seconds."""
    actor = trial.temporary_state.ray_actor
    if actor is not None:
        # It may have died in this moment; and Ray's client waits for minutes for a head that is gone, which only the
        # thread that calls this would notice.
        with suppress(Exception):
            within(KILL_SECONDS, lambda: ray.kill(actor, no_restart=True))


def _in_words(resources: Mapping[str, float]) -> str:
    return f"{counted(resources.get('CPU', 0), 'CPU')} and {counted(resources.get('GPU', 0), 'GPU')}"


__all__ = ["ClusterLost", "RayBackend", "node_of"]
