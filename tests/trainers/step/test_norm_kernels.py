"""Triton's kernels are tested in a process of their own: its interpreter is chosen when Triton is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.trainers.networks import TINY, task
from trainers import Trainer
from trainers.step.fused_norm import has_triton, use_fused_norms

TESTS = Path(__file__).with_name("interpreted_kernels.py")


@pytest.mark.skipif(not has_triton(), reason="Triton is not installed")
def test_the_kernels_pass_their_tests_under_tritons_interpreter():
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(TESTS)]
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=250, env=environment, cwd=TESTS.parents[3], check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout


def test_on_a_cpu_a_network_with_fused_norms_trains_as_without():
    plain, fused = (Trainer(task(0, data=TINY)) for _ in range(2))
    assert use_fused_norms(fused.replicas[0].network) > 0
    assert plain.run_epoch()[0].train_loss == fused.run_epoch()[0].train_loss


def test_the_switch_asks_for_a_gpu():
    trainer = Trainer(task(0, data=TINY, fused_norm="auto"))
    assert not any("forward" in vars(module) for module in trainer.replicas[0].network.modules())


def test_without_triton_nothing_changes(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr("trainers.step.fused_norm.has_triton", lambda: False)
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.ReLU()).train()
    images = torch.randn(4, 3, 2, 2)
    expected = network(images)
    use_fused_norms(network)
    assert torch.equal(network(images), expected)
