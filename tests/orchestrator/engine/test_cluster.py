"""The watch of a Ray cluster, on a cluster that is an open port."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace

import psutil
import pytest

from orchestrator.engine import cluster
from orchestrator.errors import UserError
from tests.integration.test_cluster import wait_for


def test_a_head_that_is_gone_is_noticed_while_rays_client_still_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(cluster, "REFUSED_SECONDS", 0.05)
    is_asked, may_answer = threading.Event(), threading.Event()

    def nodes() -> list[dict[str, object]]:
        if threading.current_thread().name.startswith("watch"):
            is_asked.set()
            may_answer.wait()
        return []

    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        context = SimpleNamespace(get_node_id=lambda: "own", gcs_address=address)
        monkeypatch.setattr("ray.get_runtime_context", lambda: context)
        monkeypatch.setattr(cluster, "_nodes", nodes)
        watch = cluster.ClusterWatch()
        assert is_asked.wait(10)
        assert watch.problem() is None
    wait_for(lambda: watch.problem() is not None, seconds=10)
    assert watch.problem() == f"the head of the Ray cluster ({address}) is gone"
    watch.close()
    may_answer.set()


def test_a_cluster_that_does_not_say_which_nodes_it_has_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    may_answer = threading.Event()
    monkeypatch.setattr(cluster, "SILENT_SECONDS", 0.05)
    monkeypatch.setattr(cluster, "_nodes", may_answer.wait)
    context = SimpleNamespace(get_node_id=lambda: "own", gcs_address="10.0.0.1:6379")
    monkeypatch.setattr("ray.get_runtime_context", lambda: context)
    with pytest.raises(UserError, match=r"the Ray cluster \(10\.0\.0\.1:6379\) does not say which nodes"):
        cluster.ClusterWatch()
    may_answer.set()


ASKS = """
from orchestrator.engine import cluster
import ray
try:
    ray.nodes()
except Exception as error:
    print(error)
"""


def test_a_question_to_a_cluster_that_was_left_starts_no_other() -> None:
    done = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, timeout=200, check=True)
    assert "before ray.init() has been called" in done.stdout


def test_a_ray_that_does_not_start_is_given_up_with_all_that_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    is_started, may_go_on = threading.Event(), threading.Event()
    started: list[subprocess.Popen[bytes]] = []

    def init(**words: object) -> None:
        started.append(subprocess.Popen(["sleep", "100"]))
        is_started.set()
        may_go_on.wait()

    def happens(condition: Callable[[], bool], within_seconds: float) -> bool:
        assert is_started.wait(30)
        return condition()

    monkeypatch.setattr("ray.init", init)
    monkeypatch.setattr(cluster, "_happens", happens)
    says = r"Ray cannot start on this machine: nothing came of it within 300 s; `orchestrate doctor`"
    with pytest.raises(UserError, match=says), cluster.cluster(None):
        pass
    may_go_on.set()
    assert [psutil.pid_exists(process.pid) for process in started] == [False]
    started[0].wait(10)
