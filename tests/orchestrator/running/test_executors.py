"""What trains and measures packs is made in one place, for runs and for `orchestrate probe` alike."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from orchestrator.engine.worker import WorkerSettings
from orchestrator.errors import UserError
from orchestrator.running.executors import NoGpu, check_executor, inline_backend, ray_backend, worker_settings
from orchestrator.running.probe_study import _resources
from orchestrator.study_file.sections import Resources


def test_a_worker_has_the_share_that_the_file_gives(tmp_path: Path) -> None:
    worker = worker_settings(Resources(cpus=2.5, gpus=0.25), tmp_path / "checkpoints", tmp_path)
    assert (worker.device, worker.gpu_share, worker.threads) == ("cuda", 0.25, 2)
    assert (worker.checkpoints, worker.plugins) == (tmp_path / "checkpoints", tmp_path)
    on_a_cpu = worker_settings(Resources(cpus=0.5), tmp_path, tmp_path)
    assert (on_a_cpu.device, on_a_cpu.gpu_share, on_a_cpu.threads) == ("cpu", 1, 1)


def test_workers_of_ray_share_a_gpu_as_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[WorkerSettings] = []
    monkeypatch.setattr("orchestrator.engine.ray_tune.RayBackend", lambda worker, **words: told.append(worker))
    monkeypatch.setattr("orchestrator.running.executors.InlineBackend", told.append)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for resources in (Resources(gpus=0.5), Resources(gpus=0.5, mps="never")):
        ray_backend(worker_settings(resources, tmp_path, tmp_path), resources, None)
    inline_backend(worker_settings(Resources(gpus=0.5), tmp_path, tmp_path), Resources(gpus=0.5))
    assert [worker.starts_mps for worker in told] == [True, False, False]


def test_what_measures_later_shares_a_gpu_as_what_trained_did() -> None:
    study = SimpleNamespace(settings={"resources": {"cpus": 2, "gpus": 0.5, "mps": "never", "timeout": 60}})
    assert _resources(study) == Resources(cpus=2, gpus=0.5, mps="never")  # type: ignore[arg-type]


def test_this_process_uses_no_more_threads_than_it_has_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    told: list[WorkerSettings] = []
    monkeypatch.setattr("orchestrator.running.executors.InlineBackend", told.append)
    for cpus in (64, 1):
        resources = Resources(cpus=cpus)
        inline_backend(worker_settings(resources, tmp_path, tmp_path), resources)
    assert [worker.threads for worker in told] == [2, 1]


def test_a_gpu_that_this_process_lacks_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = Resources(gpus=1)
    worker = worker_settings(resources, tmp_path, tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NoGpu, match=r"torch finds no GPU on this machine; set resources\.gpus to 0"):
        inline_backend(worker, resources)


def test_unknown_executors_name_the_nearest() -> None:
    with pytest.raises(UserError, match=r'--executor: unknown executor "inlin": did you mean "inline"\?'):
        check_executor("inlin", None)
    with pytest.raises(UserError, match=r'--executor: unknown executor "replay": .*known: inline, ray'):
        check_executor("replay", None, known=("ray", "inline"))
