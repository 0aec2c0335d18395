"""SIGTERM reaches the handler that Python knows, whatever Ray's own part does with it."""

import os
import subprocess
import sys

import pytest

from tests.faults.test_killed import ROOT

TAKEN = """
import os, signal, threading, time

taken = []
signal.signal(signal.SIGTERM, lambda number, frame: taken.append(time.monotonic()))
from orchestrator.engine.cluster import cluster
is_over = threading.Event()

def send():
    while not is_over.wait(0.5):
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

sent = []
threading.Thread(target=send, daemon=True).start()
with cluster(None):
    time.sleep(4)
time.sleep(4)
is_over.set()
time.sleep(0.5)
print(len(sent), len(taken))
"""


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.cluster
def test_every_sigterm_before_in_and_after_a_cluster_is_taken() -> None:
    environment = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run([sys.executable, "-c", TAKEN], env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    sent, taken = map(int, done.stdout.split())
    assert sent > 16
    assert taken == sent
