"""The executors by name: what trains and measures packs, and what their workers are told."""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.engine.address import check_reachable
from orchestrator.engine.backend import Backend
from orchestrator.engine.checkpoints import share
from orchestrator.engine.inline import InlineBackend
from orchestrator.engine.replay import ReplayBackend
from orchestrator.engine.worker import WorkerSettings, code_digest
from orchestrator.errors import UserError
from orchestrator.records.environment import host_name, numeric_versions
from orchestrator.running.job import Job
from orchestrator.study_file.sections import Resources
from orchestrator.surroundings.packages import check_workers
from search_spaces.errors import unknown
from search_spaces.imported_code import planned_code


def _replay(job: Job) -> Backend:
    assert job.replay is not None
    return ReplayBackend(job.replay.trials, simulated_workers(job))


def _inline(job: Job) -> Backend:
    resources = job.config.file.resources
    try:
        return inline_backend(_worker(job), resources)
    except NoGpu as error:
        raise job.config.source.error(str(error), ("resources", "gpus")) from None


def _ray(job: Job) -> Backend:
    return ray_backend(_worker(job), job.config.file.resources, job.options.address)


EXECUTORS: Mapping[str, Callable[[Job], Backend]] = {"ray": _ray, "inline": _inline, "replay": _replay}


class NoGpu(UserError):
    """What is to run in this process asks for a GPU, and the process has none."""


def check_executor(name: str, address: str | None, known: Collection[str] = tuple(EXECUTORS)) -> None:
    """Raise UserError for an executor that is not among the `known`, and for workers of Ray that could not start."""
    if name not in known:
        raise UserError(f"--executor: {unknown('executor', name, known).message}")
    if name == "ray":
        check_workers(address)
        if address is not None:
            check_reachable(address)


def make_backend(job: Job) -> Backend:
    """Return what trains the packs of a job; UserError where this machine or the cluster cannot."""
    return EXECUTORS[job.options.executor](job)


def inline_backend(worker: WorkerSettings, resources: Resources) -> Backend:
    """Return what runs packs in this process, with no more threads than it has cores; NoGpu where it lacks one."""
    if resources.gpus:
        import torch  # what trains here needs it anyhow

        if not torch.cuda.is_available():
            remedy = "set resources.gpus to 0, or use a cluster that has some (--address)"
            raise NoGpu(f"torch finds no GPU on this machine; {remedy}")
    return InlineBackend(replace(worker, threads=min(worker.threads, os.cpu_count() or 1)))


def ray_backend(worker: WorkerSettings, resources: Resources, address: str | None) -> Backend:
    """Return what runs packs on the Ray cluster at `address`, or on one that is started here."""
    # Ray takes seconds to import, and a study with nothing left to do does not need it.
    from orchestrator.engine.ray_tune import RayBackend

    return RayBackend(
        replace(worker, starts_mps=resources.mps == "auto"),
        cpus=resources.cpus,
        gpus=resources.gpus,
        address=address,
        max_concurrent=resources.max_concurrent,
    )


def worker_settings(resources: Resources, checkpoints: Path, plugins: Path) -> WorkerSettings:
    """Return what every worker is told of its share of a machine, and of the folders of the run."""
    return WorkerSettings(
        device="cuda" if resources.gpus else "cpu",
        gpu_share=resources.gpus or 1,
        threads=max(int(resources.cpus), 1),
        checkpoints=checkpoints,
        plugins=plugins,
        code=code_digest(),
        versions=numeric_versions(),
    )


def own_code(settings: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the digests of the user's own modules that the settings of a study name, and of what these import."""
    return planned_code([settings.get(key) for key in ("network", "data", "training", "probes", "factors")])


def _worker(job: Job) -> WorkerSettings:
    resources = job.config.file.resources
    share(job.checkpoints)
    return replace(
        worker_settings(resources, job.checkpoints, job.config.folder),
        checkpoint_seconds=resources.checkpoint_seconds,
        shared=resources.checkpoints,
        driver=host_name(),
        modules=own_code(job.plan.settings),
        keep=job.plan.settings.get("keep") or "none",
        weights=job.out / "weights",
    )


def simulated_workers(job: Job) -> int:
    """Return how many workers a replay simulates: what the study file says, or as many as this machine would have."""
    resources = job.config.file.resources
    return resources.max_concurrent or max(int((os.cpu_count() or 1) / resources.cpus), 1)
