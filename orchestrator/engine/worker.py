"""Train one pack on a worker and tell the driver about every epoch; the same code runs under Ray and inline."""

import hashlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import search_spaces
import trainers
from orchestrator.engine.checkpoints import Checkpoints, unshared
from orchestrator.engine.shared_folder import OutOfReach, SharedFolder
from orchestrator.records.environment import environment_facts, host_name, numeric_versions
from orchestrator.records.events import AttemptStarted, EpochDone, Event, Notice, Resumed, TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.trials import Epoch, State
from search_spaces.errors import SettingError
from search_spaces.imported_code import other_code
from search_spaces.user_code import MissingModule, look_in
from trainers.errors import NoRoom
from trainers.mps import share_gpu


class UnfitNode(Exception):
    """This machine cannot train anything of the study, whatever the trial; the message says why."""


@dataclass(frozen=True)
class WorkerSettings:
    """What every worker of a study is told: its share of a machine, and where files lie.

    `gpu_share` is its part of the device where that is a GPU, which it shares under NVIDIA's MPS with `starts_mps`.
    `checkpoints` is the folder for unfinished trials (None: keep none), written every `checkpoint_seconds` at the end
    of an epoch, and `shared` the URL of the folder where all nodes find them (None: that on this machine); `plugins` is
    the folder in which a user's own network families are looked for; `code` is the driver's `code_digest`, `versions`
    are those of the driver's packages that compute, `modules` the digests of the user's own modules that it has planned
    with. `keep` says which weights are kept (none, last, best or all), in the folder `weights`. `driver` is the
    driver's host.
    """

    device: str = "cpu"
    gpu_share: float = 1.0
    starts_mps: bool = False
    threads: int = 1
    checkpoints: Path | None = None
    shared: str | None = None
    checkpoint_seconds: float = 10.0
    plugins: Path | None = None
    code: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    keep: str = "none"
    weights: Path | None = None
    driver: str | None = None


def train_pack(
    pack: Pack, worker: WorkerSettings, begun: "Callable[[trainers.Trainer], None]" = lambda trainer: None
) -> Generator[list[Event]]:
    """Train `pack` to its end, yielding what happened epoch by epoch; `begun` is given what trains.

    Raises UnfitNode before anything is begun, and whatever the training raises. Closing the generator early saves a
    checkpoint, from which the next attempt continues.
    """
    # The driver reads this module, too, and does without torch, which takes seconds and half of its memory.
    from orchestrator.engine.probing import Keeping, PackProbing, measure_pack

    _check_node(worker)
    told, facts_of_sharing = _share_gpu(worker)
    _check_device(worker)
    if worker.plugins:
        look_in(worker.plugins)
    _check_own_code(pack, worker.modules)
    if pack.weights:
        yield told
        yield from measure_pack(pack, worker.device, worker.threads, _log_of(pack, worker))
        return
    shared = shared_folder(worker.shared)
    facts = {**environment_facts(worker.device, worker.threads), **facts_of_sharing}
    begun_here: list[Event] = [
        AttemptStarted(trial, worker.device, host_name(), facts) for trial in pack.trials.values()
    ]
    yield begun_here + told + unshared(worker.checkpoints, worker.driver, shared)
    task = trainers.Task(**pack.settings, seeds=tuple(pack.trials), fingerprint=pack.fingerprint)
    checkpoints = Checkpoints(worker.checkpoints, pack.id, worker.checkpoint_seconds, shared)
    trainer, news = checkpoints.resume(task, worker.device, worker.threads)
    begun(trainer)
    probing = PackProbing(pack, Keeping(worker.keep, worker.weights), trainer, _log_of(pack, worker))
    # A checkpoint may be ahead of the results DB when the driver was killed: tell its epochs again.
    reached = {pack.trials[record.seed]: record.epoch for record in trainer.records}
    news += [Resumed(trial, epoch) for trial, epoch in reached.items()]
    news += [EpochDone(pack.trials[record.seed], _epoch(record)) for record in trainer.records]
    try:
        while not trainer.finished:
            records = trainer.run_epoch()
            news += [EpochDone(pack.trials[record.seed], _epoch(record)) for record in records]
            news += probing.after_epoch(records)
            if not trainer.finished:
                news += checkpoints.save_if_due(trainer, probing.save)
                yield news
                news = []
        news += checkpoints.save_end(trainer, probing.save)
        if probing.has_work:
            yield news
            news = []
            yield from probing.conclude()
            probing.save()  # the driver removes it when the results are recorded
        yield news + [_ended(pack.trials[outcome.seed], outcome) for outcome in trainer.outcomes()]
    except GeneratorExit:
        if not trainer.finished or probing.has_work:
            checkpoints.save(trainer, probing.save)
        raise


@cache
def shared_folder(url: str | None) -> SharedFolder | None:
    """Return the folder of a URL, the same one for every pack of a process; UnfitNode where it cannot be opened."""
    try:
        return None if url is None else SharedFolder(url)
    except OutOfReach as error:
        raise UnfitNode(f"checkpoints cannot be kept in {url} from there: {error}") from error


def _log_of(pack: Pack, worker: WorkerSettings) -> Path | None:
    """Return the file of unfinished measurements of a pack; None where nothing unfinished is kept."""
    kind = "measuring" if pack.weights else "probes"
    return worker.checkpoints / f"{pack.id}.{kind}.json" if worker.checkpoints else None


def _epoch(record: trainers.EpochRecord) -> Epoch:
    return Epoch(
        epoch=record.epoch,
        train_loss=record.train_loss,
        train_error=record.train_error,
        test_loss=record.test_loss,
        test_error=record.test_error,
        lr=record.lr,
        seconds=record.seconds,
        val_loss=record.val_loss,
        val_error=record.val_error,
    )


def _ended(trial: str, outcome: trainers.Outcome) -> TrialEnded:
    return TrialEnded(
        trial=trial,
        state=State(outcome.state),
        reason=outcome.reason,
        seconds=outcome.seconds,
        images_per_second=outcome.images_per_second,
        diverged_at=outcome.diverged_at,
        loss_before_divergence=outcome.loss_before_divergence,
        telemetry=outcome.telemetry,
    )


@cache
def code_digest() -> str:
    """Return a hash of the code that trains: the sources of `search_spaces` and `trainers` on this machine."""
    digest = hashlib.sha256()
    for package in (search_spaces, trainers):
        root = Path(str(package.__file__)).parent
        for file in sorted(root.rglob("*.py")):
            digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _check_node(worker: WorkerSettings) -> None:
    """Raise UnfitNode where code or versions are not the driver's."""
    if worker.code is not None and worker.code != code_digest():
        raise UnfitNode(
            f"it imports other code from {Path(str(trainers.__file__)).parent} than the driver: install the "
            "same version of ablation-orchestrator on every node, and keep folders named trainers or search_spaces "
            "away from the working directory"
        )
    here = numeric_versions()
    others = [
        f"{f'{name} {here[name]}' if name in here else f'no {name}'} (the driver: {version})"
        for name, version in worker.versions.items()
        if here.get(name) != version
    ]
    if others:
        raise UnfitNode(f"it has {'; '.join(others)}: install the same versions on every node")


def _share_gpu(worker: WorkerSettings) -> tuple[list[Event], Mapping[str, Any]]:
    """Share the GPU of a worker that has a part of one; return what is to be told of it, and what is kept on record.

    What uses CUDA comes after it.
    """
    if worker.gpu_share >= 1:
        return [], {}
    sharing = share_gpu(worker.starts_mps)
    how = "compute on it side by side, under NVIDIA's MPS" if sharing.under_mps else "take turns on it"
    reason = f", without NVIDIA's MPS: {sharing.reason}" if sharing.reason else ""
    told: list[Event] = [Notice(f"packs that share a GPU of {host_name()} {how}{reason}")]
    return told if worker.starts_mps else [], {"mps": sharing.under_mps}


def _check_device(worker: WorkerSettings) -> None:
    """Take the worker's share of its device; UnfitNode where the device that Ray counted is not there, or too small."""
    if worker.device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            raise UnfitNode("it was started with GPUs for Ray, but torch finds none on it")
    try:
        trainers.take_share(worker.device, worker.gpu_share)
    except NoRoom as error:
        raise UnfitNode(str(error)) from None


def _check_own_code(pack: Pack, planned: Mapping[str, str]) -> None:
    """Raise UnfitNode where a user's module that a pack needs is missing here, or is not the `planned` code.

    What else goes wrong with such a module is a failure of the training that needs it.
    """
    named = [*pack.settings.values(), *(request.name for request in pack.probes)]
    try:
        others = other_code(named, planned)
    except MissingModule as error:
        raise UnfitNode(f"{error.message} (every node needs it)") from error
    except SettingError:
        return
    if others:
        raise UnfitNode(
            f"its copy of the study's own code ({', '.join(others)}) is not what the run was planned with: copy the "
            "same files to every node, or run again where they were changed on purpose"
        )
