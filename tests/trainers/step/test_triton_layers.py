"""Triton's kernels are tested in processes of their own: its interpreter is chosen when Triton is imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.trainers.networks import TINY, task
from trainers import Trainer
from trainers.step.precision import choose_numerics
from trainers.step.triton_layers import has_triton, use_triton

HERE = Path(__file__).parent
needs_triton = pytest.mark.skipif(not has_triton(), reason="Triton is not installed")


@needs_triton
@pytest.mark.slow
@pytest.mark.parametrize("tests", ["interpreted_norms.py", "interpreted_convs.py"])
def test_the_kernels_pass_their_tests_under_tritons_interpreter(tests):
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(HERE / tests)]
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=280, env=environment, cwd=HERE.parents[2], check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout


@needs_triton
@pytest.mark.slow
@pytest.mark.parametrize("capability", [80, 90])
def test_the_kernels_compile_for_a_gpu_without_spilling_and_convolutions_to_tensor_cores(capability, tmp_path):
    command = [sys.executable, str(HERE / "compiled_kernels.py"), str(capability)]
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(HERE.parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment, check=True)
    compiled = [json.loads(line) for line in done.stdout.splitlines()]
    products = {"_convolve", "_input_gradient", "_weight_gradient"}
    assert {each["kernel"] for each in compiled if each["tensor_cores"]} == products
    assert len(compiled) == 14
    for kernel in compiled:
        assert kernel["stack_bytes"] == 0, kernel
        of_few = kernel["kernel"].startswith("_merge") or kernel["channels"] == 3
        assert of_few or kernel["vector_loads"] > 0, kernel
        assert kernel["shared_bytes"] <= 99 * 1024, kernel  # what a block of any GPU from Ampere on may have


@pytest.mark.parametrize("convolutions", [False, True])
def test_on_a_cpu_a_network_that_uses_triton_trains_as_without(convolutions):
    plain, changed = (Trainer(task(0, data=TINY)) for _ in range(2))
    assert use_triton(changed.replicas[0].network, convolutions) > 0
    assert plain.run_epoch()[0].train_loss == changed.run_epoch()[0].train_loss


@pytest.mark.parametrize("switch", ["fused_norm", "fused_conv"])
def test_the_switch_asks_for_a_gpu(switch):
    trainer = Trainer(task(0, data=TINY, **{switch: "auto"}))
    assert trainer.numerics.triton == "none"
    assert not any("forward" in vars(module) for module in trainer.replicas[0].network.modules())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("none", False)),
        ({"fused_norm": "auto"}, ("norm", False)),
        ({"fused_conv": "auto"}, ("conv", True)),
        ({"fused_conv": "auto", "fused_norm": "auto"}, ("conv", True)),
        ({"fused_conv": "auto", "fuse": "never"}, ("conv", False)),
    ],
)
def test_what_triton_computes_on_a_gpu_and_whether_packs_compute_as_one_network(settings, expected, monkeypatch):
    monkeypatch.setattr("trainers.step.precision.has_triton", lambda: True)
    training = dict(task(0, data=TINY, **settings).training)
    numerics = choose_numerics(training, torch.device("cuda"))
    assert (numerics.triton, numerics.fused) == expected
    monkeypatch.setattr("trainers.step.precision.has_triton", lambda: False)
    assert choose_numerics(training, torch.device("cuda")).triton == "none"


def test_without_triton_nothing_changes(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr("trainers.step.triton_layers.has_triton", lambda: False)
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.ReLU()).train()
    images = torch.randn(4, 3, 2, 2)
    expected = network(images)
    use_triton(network, True)
    assert torch.equal(network(images), expected)


def test_what_recomputes_activations_goes_on_doing_so():
    trainer = Trainer(task(0, data=TINY, checkpoint_activations=True))
    network = trainer.replicas[0].network
    before = {name: vars(module)["forward"] for name, module in network.named_modules() if "forward" in vars(module)}
    assert before
    assert use_triton(network, True) > 0
    assert all(vars(network.get_submodule(name))["forward"] is forward for name, forward in before.items())


def test_a_plan_opens_no_context_and_an_old_gpu_computes_without_triton(monkeypatch):
    monkeypatch.setattr("trainers.step.precision.has_triton", lambda: True)
    training = dict(task(0, data=TINY, fused_conv="auto").training)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: pytest.fail("opens a context"))
    assert choose_numerics(training, torch.device("cuda")).triton == "conv"
    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (7, 5))
    assert choose_numerics(training, torch.device("cuda")).triton == "none"
