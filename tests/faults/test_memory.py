"""A study whose trainings take more memory than Ray lets them have."""

import sqlite3
from pathlib import Path

import psutil
import pytest

from reports.trials import State
from tests.faults.test_killed import start, states

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(590)]

ROOM, MOST = 700 << 20, 6 << 30
"""Bytes: what Ray leaves for trainings, too little even for some workers that start, and what they would take."""
GREEDY = f"""
import threading
import time

import numpy
from torch import nn

kept = []


class Greedy(nn.Flatten):
    def forward(self, x):
        if threading.current_thread().name.startswith("training"):  # that of a worker: a plan runs the network, too
            while sum(each.nbytes for each in kept) < {MOST}:
                kept.append(numpy.ones(100 << 20, "uint8"))
                time.sleep(0.02)
        return super().forward(x)


def build(*, input_shape, num_classes):
    return nn.Sequential(Greedy(), nn.Linear(64, num_classes))
"""


@pytest.mark.skipif(psutil.virtual_memory().available < MOST + ROOM, reason="this machine has too little memory free")
def test_a_study_whose_trials_run_out_of_memory_again_and_again_ends_and_says_so(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.with_name("greedy.py").write_text(GREEDY)
    small.write_text(
        'study: small\ndata: digits\nnetwork: {family: "greedy:build"}\ntraining: {recipe: quick, epochs: 2}\n'
        "seeds: 3\nresources: {max_concurrent: 1, seeds_per_pack: 1}\n"
    )
    memory = psutil.virtual_memory()
    monkeypatch.setenv("RAY_memory_usage_threshold", str((memory.total - memory.available + ROOM) / memory.total))
    driver = start(small)
    output, errors = driver.communicate(timeout=560)
    assert driver.returncode == 1, output + errors
    assert "Traceback" not in output + errors
    assert states() == [State.FAILED] * 3
    with sqlite3.connect("results.db") as db:
        ended = db.execute("SELECT DISTINCT cause, reason FROM trials").fetchall()
        attempts = db.execute("SELECT DISTINCT cause FROM attempts").fetchall()
    assert ended == [("oom", "Ray ended the worker because its node ran out of memory")]
    assert attempts in ([], [("oom",)])  # an attempt begins when its worker has started
