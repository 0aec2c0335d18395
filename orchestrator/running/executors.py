"""The executors by name: what trains the packs of a job, and with which settings of its workers."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from orchestrator.engine.backend import Backend
from orchestrator.engine.checkpoints import share
from orchestrator.engine.inline import InlineBackend
from orchestrator.engine.replay import ReplayBackend
from orchestrator.engine.worker import WorkerSettings, code_digest
from orchestrator.records.environment import host_name
from orchestrator.running.job import Job
from orchestrator.study_file.config import StudyConfig


def _replay(job: Job) -> Backend:
    assert job.replay is not None
    return ReplayBackend(job.replay.trials, simulated_workers(job))


def _inline(job: Job) -> Backend:
    _check_gpu(job.config)
    worker = _worker(job)
    return InlineBackend(replace(worker, threads=min(worker.threads, os.cpu_count() or 1)))


def _ray(job: Job) -> Backend:
    # Ray takes seconds to import, and a study with nothing left to train does not need it.
    from orchestrator.engine.ray_tune import RayBackend

    resources = job.config.file.resources
    return RayBackend(
        _worker(job),
        cpus=resources.cpus,
        gpus=resources.gpus,
        address=job.options.address,
        max_concurrent=resources.max_concurrent,
    )


EXECUTORS: Mapping[str, Callable[[Job], Backend]] = {"ray": _ray, "inline": _inline, "replay": _replay}


def make_backend(job: Job) -> Backend:
    """Return what trains the packs of a job; UserError where this machine or the cluster cannot."""
    return EXECUTORS[job.options.executor](job)


def _worker(job: Job) -> WorkerSettings:
    resources = job.config.file.resources
    share(job.checkpoints)
    return WorkerSettings(
        device="cuda" if resources.gpus else "cpu",
        gpu_share=resources.gpus or 1,
        threads=max(int(resources.cpus), 1),
        checkpoints=job.checkpoints,
        checkpoint_seconds=resources.checkpoint_seconds,
        shared=resources.checkpoints,
        plugins=job.config.folder,
        code=code_digest(),
        driver=host_name(),
        keep=job.plan.settings.get("keep") or "none",
        weights=job.out / "weights",
    )


def _check_gpu(config: StudyConfig) -> None:
    """Raise a UserError for a study that asks for a GPU in a process that has none."""
    if config.file.resources.gpus:
        import torch  # what trains here needs it anyhow

        if not torch.cuda.is_available():
            message = "torch finds no GPU on this machine; ask for 0, or run on a cluster that has some (--address)"
            raise config.source.error(message, ("resources", "gpus"))


def simulated_workers(job: Job) -> int:
    """Return how many workers a replay simulates: what the study file says, or as many as this machine would have."""
    resources = job.config.file.resources
    return resources.max_concurrent or max(int((os.cpu_count() or 1) / resources.cpus), 1)
