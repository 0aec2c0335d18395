"""Which packs the workers of the Ray backend take, without a cluster: Tune is played by the test."""

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import OutOfMemoryError
from ray.tune.schedulers import TrialScheduler

from orchestrator.engine import ray_tune
from orchestrator.engine.backend import ClusterLost, Node, Report
from orchestrator.engine.ray_tune import RayBackend
from orchestrator.engine.worker import WorkerSettings
from orchestrator.records.causes import Cause
from orchestrator.records.events import TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.trials import State

NODE = Node("a", "host-a")


class Actor:
    """The worker process of a trial of Tune: notes the packs that it is given."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.take = SimpleNamespace(remote=lambda config: self.taken.append(config["key"]))


class WithoutTune(RayBackend):
    """A backend whose thread of Tune does nothing."""

    def _fit(self) -> None:
        self._closing.wait()


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[RayBackend]:
    @contextmanager
    def two_nodes(address: str | None) -> Iterator[Any]:
        nodes = [{"NodeID": name, "Resources": {"CPU": 1.0}} for name in "ab"]
        yield SimpleNamespace(nodes=nodes, problem=lambda: None, is_gone=lambda node: False)

    monkeypatch.setattr(ray_tune, "cluster", two_nodes)
    backend = WithoutTune(WorkerSettings())
    yield backend
    backend.close()


def pack(number: int) -> Pack:
    return Pack({}, {0: f"trial-{number}"})


def worker(backend: RayBackend) -> Any:
    """Return a trial of Tune that has begun with the pack that waits."""
    state = SimpleNamespace(ray_actor=Actor())
    trial = SimpleNamespace(trial_id="first", config=backend.next_pack(), temporary_state=state)
    backend.begun(trial)
    assert backend.poll(1) == Report(trial.config["key"])
    return trial


def ended(key: int) -> Report:
    return Report(key, [TrialEnded(f"trial-{key}", State.COMPLETE)], is_over=True, node=NODE)


class Answer:
    """What Tune is told about a report."""

    def __init__(self, backend: RayBackend, trial: Any, report: Report) -> None:
        self._thread = Thread(target=self._ask, args=(backend, trial, report))
        self._thread.start()
        self.report = backend.poll(5)

    def _ask(self, backend: RayBackend, trial: Any, report: Report) -> None:
        self.decision = backend.reported(trial, report)

    def after(self, backend: RayBackend) -> str:
        """Let the driver listen for the next report, and return the answer."""
        following = backend.poll(0.05)
        assert following is None or not following.events
        self._thread.join(5)
        return self.decision


def test_a_worker_takes_the_pack_that_the_driver_hands_out_after_its_report(backend: RayBackend) -> None:
    backend.start(1, pack(1), frozenset())
    trial = worker(backend)
    answer = Answer(backend, trial, ended(1))
    backend.start(2, pack(2), frozenset())
    assert answer.after(backend) == TrialScheduler.CONTINUE
    assert trial.temporary_state.ray_actor.taken == [2]
    assert backend.next_pack() is None


def test_a_worker_ends_when_no_pack_waits(backend: RayBackend) -> None:
    backend.start(1, pack(1), frozenset())
    trial = worker(backend)
    assert Answer(backend, trial, ended(1)).after(backend) == TrialScheduler.STOP
    assert trial.temporary_state.ray_actor.taken == []


def test_a_pack_that_avoids_a_node_waits_for_another_worker(backend: RayBackend) -> None:
    backend.start(1, pack(1), frozenset())
    trial = worker(backend)
    answer = Answer(backend, trial, ended(1))
    backend.start(2, pack(2), frozenset({NODE.id}))
    assert answer.after(backend) == TrialScheduler.STOP
    config = backend.next_pack()
    assert config is not None
    assert (config["key"], config["avoid"]) == (2, (NODE.id,))


def test_a_node_that_is_left_out_takes_no_further_pack(backend: RayBackend) -> None:
    backend.start(1, pack(1), frozenset())
    trial = worker(backend)
    answer = Answer(backend, trial, Report(1, is_over=True, unfit="other code", node=NODE))
    backend.exclude(NODE, "other code")
    backend.start(2, pack(1), frozenset())
    assert answer.after(backend) == TrialScheduler.STOP


def test_a_worker_whose_pack_is_stopped_early_takes_the_next_one(backend: RayBackend) -> None:
    backend.start(1, pack(1), frozenset())
    trial = worker(backend)
    answer = Answer(backend, trial, Report(1, [TrialEnded("trial-1", State.PRUNED)], node=NODE))
    backend.stop(1)
    backend.start(2, pack(2), frozenset())
    assert answer.after(backend) == TrialScheduler.CONTINUE
    assert trial.temporary_state.ray_actor.taken == [2]


def test_a_worker_that_reports_another_pack_than_it_was_given_is_lost(
    backend: RayBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[Any] = []
    monkeypatch.setattr(ray_tune, "_kill", killed.append)
    backend.start(1, pack(1), frozenset())
    trial = worker(backend)
    backend.reported(trial, Report(7, is_over=True, node=NODE))
    report = backend.poll(1)
    assert report is not None
    assert report.failure is not None
    assert (report.key, report.failure.cause) == (1, Cause.WORKER_LOST)
    assert killed == [trial]


@pytest.mark.parametrize(
    ("error", "cause", "told"),
    [
        (ValueError("unknown"), Cause.WORKER_LOST, "Ray Tune ended 5 times: unknown$"),
        (OSError(errno.ENOSPC, "no room"), Cause.DISK, r"ended 5 times: \[Errno 28\] no room; it writes into /"),
    ],
)
def test_tune_is_begun_anew_as_often_as_memory_runs_out_and_a_few_times_after_other_errors(
    backend: RayBackend, monkeypatch: pytest.MonkeyPatch, error: Exception, cause: Cause, told: str
) -> None:
    killed = OutOfMemoryError("Task was killed due to the node running low on memory.")
    errors = [error, *[killed] * 20, *[error] * 4]
    monkeypatch.setattr(ray_tune, "RESTART_PAUSES", (0.0,) * 4)

    def fit() -> None:
        backend._waiting.clear()
        raise errors.pop(0)

    monkeypatch.setattr(backend, "_fit", fit)
    backend.start(1, pack(1), frozenset())
    backend._tune.join()
    assert errors == []
    report = backend.poll(0.01)
    assert report is not None
    assert report.failure is not None
    assert report.failure.cause is cause
    while not backend._reports.empty():
        backend.poll(0.01)
    with pytest.raises(ClusterLost, match=told):
        backend.poll(0.01)


def test_a_head_that_is_gone_holds_up_nobody_who_ends_a_worker(
    backend: RayBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = Event()
    monkeypatch.setattr(ray_tune, "KILL_SECONDS", 0.05)
    monkeypatch.setattr("ray.kill", lambda actor, no_restart: may_answer.wait(30))
    backend.start(1, pack(1), frozenset())
    backend.begun(worker(backend))
    began = time.monotonic()
    backend.kill(1)
    assert time.monotonic() - began < 5
    may_answer.set()
