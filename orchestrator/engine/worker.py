"""Train one pack on a worker and tell the driver about every epoch; the same code runs under Ray and inline."""

import hashlib
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import search_spaces
import trainers
from orchestrator.engine.failures import failure_of
from orchestrator.engine.probing import Keeping, PackProbing, measure_pack
from orchestrator.records.causes import Cause
from orchestrator.records.environment import environment_facts, host_name
from orchestrator.records.events import AttemptLost, AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.results import Epoch, State
from search_spaces.user_code import look_in

TRIES = 2


@dataclass(frozen=True)
class WorkerSettings:
    """What every worker of a study is told: its share of a machine, and where files lie.

    `gpu_share` is its part of the device where that is a GPU. `checkpoints` is the folder for unfinished trials (None:
    keep none), written every `checkpoint_seconds` at the end of an epoch; `plugins` is the folder in which a user's own
    network families are looked for; `code` is the driver's `code_digest`. `keep` says which weights are kept (none,
    last, best or all), in the folder `weights`.
    """

    device: str = "cpu"
    gpu_share: float = 1.0
    threads: int = 1
    checkpoints: Path | None = None
    checkpoint_seconds: float = 10.0
    plugins: Path | None = None
    code: str | None = None
    keep: str = "none"
    weights: Path | None = None


def train_pack(pack: Pack, worker: WorkerSettings) -> Generator[list[Event]]:
    """Train `pack` to its end, yielding what happened epoch by epoch.

    An error of the code makes the unfinished trials FAILED at once, any other one when it comes twice.
    Closing the generator early saves a checkpoint, from which the next attempt continues.
    """
    unfinished = set(pack.trials.values())
    for attempt in range(1, TRIES + 1):
        try:
            with closing(_attempt(pack, worker)) as steps:
                for events in steps:
                    unfinished -= {event.trial for event in events if isinstance(event, TrialEnded)}
                    yield events
            return
        except GeneratorExit:
            raise
        except BaseException as error:  # code of the user's may raise SystemExit, too
            failure = failure_of(error)
            facts: Any = {"reason": failure.reason, "cause": failure.cause, "traceback": failure.traceback}
            if attempt < TRIES and failure.cause is not Cause.CODE:
                yield [AttemptLost(trial, **facts) for trial in sorted(unfinished)]
            else:
                yield [TrialEnded(trial, State.FAILED, **facts) for trial in sorted(unfinished)]
                return


def _attempt(pack: Pack, worker: WorkerSettings) -> Generator[list[Event]]:
    _check_code(worker.code)
    trainers.take_share(worker.device, worker.gpu_share)
    if worker.plugins:
        look_in(worker.plugins)
    if pack.weights:
        yield from measure_pack(pack, worker.device, worker.threads, _log_of(pack, worker))
        return
    facts = environment_facts(worker.device, worker.threads)
    yield [AttemptStarted(trial, worker.device, host_name(), facts) for trial in pack.trials.values()]
    path = worker.checkpoints / f"{pack.id}.pt" if worker.checkpoints else None
    trainer = _trainer(pack, worker, path)
    probing = PackProbing(pack, Keeping(worker.keep, worker.weights), trainer, _log_of(pack, worker))
    # A checkpoint may be ahead of the results DB when the driver was killed: tell its epochs again.
    news: list[Event] = [EpochDone(pack.trials[record.seed], _epoch(record)) for record in trainer.records]
    saved_at = time.monotonic()
    try:
        while not trainer.finished:
            records = trainer.run_epoch()
            news += [EpochDone(pack.trials[record.seed], _epoch(record)) for record in records]
            news += probing.after_epoch(records)
            if path and not trainer.finished and time.monotonic() - saved_at >= worker.checkpoint_seconds:
                _save(trainer, probing, path)
                saved_at = time.monotonic()
            if not trainer.finished:
                yield news
                news = []
        if probing.has_work:
            if path and pack.probes:
                _save(trainer, probing, path)
            yield news
            news = []
            yield from probing.conclude()
        yield news + [_ended(pack.trials[outcome.seed], outcome) for outcome in trainer.outcomes()]
    except GeneratorExit:
        if path and (not trainer.finished or probing.has_work):
            _save(trainer, probing, path)
        raise
    if path:
        path.unlink(missing_ok=True)
    probing.remove()


def _log_of(pack: Pack, worker: WorkerSettings) -> Path | None:
    """Return the file of unfinished measurements of a pack; None where nothing unfinished is kept."""
    kind = "measuring" if pack.weights else "probes"
    return worker.checkpoints / f"{pack.id}.{kind}.json" if worker.checkpoints else None


def _trainer(pack: Pack, worker: WorkerSettings, path: Path | None) -> trainers.Trainer:
    task = trainers.Task(**pack.settings, seeds=tuple(pack.trials), fingerprint=pack.fingerprint)
    if path and path.exists():
        try:
            return trainers.Trainer.resume(task, path, device=worker.device, threads=worker.threads)
        except trainers.CheckpointError:
            path.unlink(missing_ok=True)
    return trainers.Trainer(task, device=worker.device, threads=worker.threads)


def _save(trainer: trainers.Trainer, probing: PackProbing, path: Path) -> None:
    """Write a checkpoint; a full or unwritable disk must not end the training, which needs no checkpoint to finish."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        trainer.save(path)
        probing.save()
    except OSError:
        path.unlink(missing_ok=True)


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
        last_sound_loss=outcome.last_sound_loss,
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


def _check_code(driver: str | None) -> None:
    if driver is not None and driver != code_digest():
        raise RuntimeError(
            f"{host_name()} imports other code from {Path(str(trainers.__file__)).parent} than the driver: install the "
            "same version of ablation-orchestrator on every node, and keep folders named trainers or search_spaces "
            "away from the working directory"
        )
