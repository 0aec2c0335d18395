"""The training loop: one pack from its first epoch to its last."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import nn

from search_spaces import complete_network
from search_spaces.arm import canonical_json, settings_hash
from search_spaces.errors import SettingError, shown
from trainers.checkpoint import CheckpointError, is_checkpoint, load_checkpoint, save_checkpoint
from trainers.data import check_fingerprint, load
from trainers.data.loaders import make_loader
from trainers.process import PeakMemory, process_settings
from trainers.records import EpochRecord, Outcome, Task
from trainers.settings.data import complete_data
from trainers.settings.recipe import COSMETIC_SETTINGS, check_batch_size, complete_training
from trainers.step.divergence import Divergence, judge
from trainers.step.pack_trainer import EpochResult, PackTrainer, why_apart
from trainers.step.precision import choose_numerics, in_words
from trainers.step.replica import Replica
from trainers.step.step_schedule import StepSchedule
from trainers.step.stopwatch import Stopwatch
from trainers.tuning.autotune import Choice, choose
from trainers.tuning.memory import fitting

__all__ = ["TrainResult", "Trainer", "train"]


@dataclass(frozen=True)
class TrainResult:
    """One finished training: its epochs, how it ended, and the trained network."""

    records: tuple[EpochRecord, ...]
    outcome: Outcome
    network: nn.Module


def train(
    network: Mapping[str, Any],
    data: str | Mapping[str, Any] = "digits",
    training: Mapping[str, Any] | None = None,
    seed: int = 0,
    *,
    device: str = "cpu",
    threads: int = 1,
    checkpoint: str | Path | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> TrainResult:
    """Train one network with one seed, from the same mappings as in a study file.

    With `checkpoint`, the state is stored there after every epoch, and a training that was cut short goes on from it;
    a file there that is no checkpoint stays. `on_epoch` is called with each epoch's record. Raises SettingError for
    settings that cannot be, and for such a file.
    """
    task = _complete_task(network, data, training or {}, seed)
    trainer = _resume_or_start(task, checkpoint, device, threads)
    while not trainer.finished:
        for record in trainer.run_epoch():
            if on_epoch is not None:
                on_epoch(record)
        if checkpoint is not None:
            trainer.save(checkpoint)
    return TrainResult(tuple(trainer.records), trainer.outcomes()[0], trainer.replicas[0].network)


class Trainer:
    """Trains the seeds of one task side by side, an epoch at a time.

    Every number is a function of the task, the device and how it computes (`choice`; without one, what
    `trainers.tuning.autotune` chooses): nothing else is read from the process but the files of the data set, and the
    caller's random generators are left as they were. On a CPU a trainer repeats itself bit for bit.
    """

    def __init__(self, task: Task, *, device: str = "cpu", threads: int = 1, choice: Choice | None = None) -> None:
        self.task = task
        self.device = torch.device(device)
        self.stopwatch = Stopwatch(self.device, task.training["profile"])
        data = load(task.data, self.device, task.seeds)
        if task.fingerprint is not None:
            check_fingerprint(task.fingerprint, data, task.data)
        self.info = data.info
        self.fingerprint = data.fingerprint
        check_batch_size(task.training, self.info.train_size)
        self.loader = make_loader(data, task.training, self.device)
        self.schedule = StepSchedule(task.training, self.loader.sizes)
        self.records: list[EpochRecord] = []
        rule = choose_numerics(task.training, self.device, threads)
        self._compute_as(choice or Choice(rule))
        if choice is None:
            can_fuse = why_apart(self.replicas, replace(rule, fused=True)) is None
            choice = choose(task, self.info, self.loader, self.schedule, rule, self.pack.side_by_side, can_fuse)
            if choice.seconds:
                self._compute_as(choice)
        self.peak_memory = PeakMemory(self.device)

    @classmethod
    def resume(cls, task: Task, path: str | Path, *, device: str = "cpu", threads: int = 1) -> "Trainer":
        """Return a trainer that goes on where `save` left off; CheckpointError for any file that is not its own."""
        state = load_checkpoint(path)
        rule = choose_numerics(task.training, torch.device(device), threads)
        trainer = cls(task, device=device, threads=threads, choice=Choice(rule))
        if state.get("task") != trainer._identity():
            raise CheckpointError(f"{path} belongs to another task")
        if state.get("choice") is not None:
            trainer._compute_as(Choice.from_state(state["choice"], rule))
        trainer.pack.side_by_side = min(trainer.pack.side_by_side, state.get("side_by_side", len(task.seeds)))
        trainer.records = [EpochRecord(**record) for record in state["records"]]
        for replica, stored in zip(trainer.replicas, state["members"], strict=True):
            replica.load_state(stored)
        return trainer

    def save(self, path: str | Path) -> None:
        """Store the state after the last finished epoch, atomically."""
        state = {
            "task": self._identity(),
            "records": [vars(record) for record in self.records],
            "members": [replica.state() for replica in self.replicas],  # as in the checkpoints of the first version
            "choice": self.choice.state(),
            "side_by_side": self.pack.side_by_side,
        }
        save_checkpoint(path, state)

    @property
    def steps_begun(self) -> int:
        """How many steps this process has begun: whoever watches sees by it that the training goes on."""
        return self.pack.steps_begun

    @property
    def finished(self) -> bool:
        """Whether no seed has anything left to train."""
        return not self._training_replicas()

    def run_epoch(self) -> list[EpochRecord]:
        """Train every seed that is still training for one epoch; return a record for each that did not diverge.

        An epoch is one pass over the training images; where the recipe counts iterations, the last may be shorter.
        """
        with process_settings(self.numerics.threads, self.numerics.deterministic):
            results = self.pack.run_epoch(self._training_replicas())
        records = [record for result in results if (record := self._finish_epoch(result)) is not None]
        self.records.extend(records)
        return records

    def outcomes(self) -> list[Outcome]:
        """Return how each seed ended, in the order of the task's seeds; ValueError while any is still training."""
        if not self.finished:
            raise ValueError("the training is not finished yet")
        return [self._outcome(replica) for replica in self.replicas]

    def _compute_as(self, choice: Choice) -> None:
        """Make the replicas and their pack anew, to compute as `choice` says."""
        self.choice, self.numerics = choice, choice.numerics
        with process_settings(self.numerics.threads):
            self.replicas = [Replica(self.task, seed, self.info, self.numerics) for seed in self.task.seeds]
        fit = fitting(self.task, self.info, self.loader, self.schedule, self.numerics)
        self.apart = why_apart(self.replicas[:fit], self.numerics)
        self.pack = PackTrainer(self.loader, self.schedule, self.task.training, self.numerics, self.stopwatch, fit)

    def _training_replicas(self) -> list[Replica]:
        return [each for each in self.replicas if each.divergence is None and not self.schedule.is_over(each.epoch)]

    def _finish_epoch(self, result: EpochResult) -> EpochRecord | None:
        """Enter an epoch into its replica; return its record, None when the replica diverged in it."""
        replica, tally, epoch = result.replica, result.tally, result.replica.epoch + 1
        sizes = self.schedule.sizes(epoch)
        replica.count(
            sum(sizes[: len(tally.losses)]),
            len(tally.losses),
            result.seconds,
            result.training_seconds,
            result.busy_seconds,
            result.joules or 0.0,
        )
        limit = self.task.training["diverged_above"]
        replica.divergence = judge(tally.losses, sizes, limit, epoch, replica.last_loss)
        if replica.divergence is None and self.schedule.is_over(epoch) and _is_not_finite(result):
            replica.divergence = Divergence(
                epoch, tally.losses[-1], "the loss on held-out images is not a finite number"
            )
        if replica.divergence is not None:
            return None
        replica.epoch, replica.last_loss = epoch, tally.losses[-1]
        return EpochRecord(
            seed=replica.seed,
            epoch=epoch,
            train_loss=sum(loss * size for loss, size in zip(tally.losses, sizes, strict=True)) / sum(sizes),
            train_error=100 * sum(tally.wrong) / sum(sizes),
            test_loss=None if result.test is None else result.test.loss,
            test_error=None if result.test is None else result.test.error,
            lr=result.lr,
            seconds=result.seconds,
            val_loss=None if result.validation is None else result.validation.loss,
            val_error=None if result.validation is None else result.validation.error,
        )

    def _outcome(self, replica: Replica) -> Outcome:
        gone = replica.divergence
        return Outcome(
            seed=replica.seed,
            state="COMPLETE" if gone is None else "DIVERGED",
            reason=None if gone is None else gone.reason,
            epochs=replica.epoch,
            seconds=replica.seconds,
            images_per_second=replica.images / max(replica.training_seconds, 1e-9),
            diverged_at=None if gone is None else gone.epoch,
            loss_before_divergence=None if gone is None else gone.loss_before_divergence,
            telemetry=self._telemetry(replica),
        )

    def _telemetry(self, replica: Replica) -> dict[str, Any]:
        """Return the measured facts of one seed.

        Its share of a step in milliseconds; the share of that time in which the device computed; memory in MiB; what
        normalised the images; the energy of the device in joules, where it can be read; how it computed, and each
        candidate's seconds a step where autotuning decided that; with ``profile``, the shares of the parts of a step.
        """
        facts: dict[str, Any] = {
            "step_ms": 1000 * replica.training_seconds / max(replica.steps, 1),
            "peak_memory_mib": self.peak_memory.mebibytes(),
            "precision": self.numerics.precision,
            "memory_format": self.numerics.memory_format,
            "threads": self.numerics.threads,
            "numerics": in_words(self.numerics),
            "fused": self.apart is None,
            "pack": len(self.task.seeds),
            "pack_seeds": list(self.task.seeds),
            "side_by_side": self.pack.side_by_side,
            "normalisation": self.loader.normalisation(),
        }
        if self.apart is not None and self.numerics.fused and self.pack.side_by_side > 1:
            facts["not_fused_because"] = self.apart
        if unrecorded := self.pack.unrecorded(replica):
            facts["not_recorded_because"] = unrecorded
        if self.choice.seconds:
            facts["autotune"] = dict(self.choice.seconds)
        if replica.busy_seconds:
            facts["utilisation"] = replica.busy_seconds / replica.training_seconds
        if replica.joules:
            facts["energy_joules"] = replica.joules
        if self.stopwatch.seconds:
            facts["shares"] = self.stopwatch.shares()
        return facts

    def _identity(self) -> str:
        settings = {"data": self.task.data, "network": self.task.network, "training": self.task.training}
        parts = [settings_hash(settings, COSMETIC_SETTINGS), self.fingerprint, list(self.task.seeds)]
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()


def _is_not_finite(result: EpochResult) -> bool:
    """Whether a loss that was measured on held-out images is no finite number."""
    return any(score is not None and score.loss is None for score in (result.test, result.validation))


def _complete_task(
    network: Mapping[str, Any], data: str | Mapping[str, Any], training: Mapping[str, Any], seed: int
) -> Task:
    if not isinstance(seed, Integral):
        raise SettingError(f"the seed must be a whole number, not {shown(seed)}", ("seed",))
    complete = complete_data(data)
    return Task(complete, complete_network(dict(network)), complete_training(training, complete), (int(seed),))


def _resume_or_start(task: Task, checkpoint: str | Path | None, device: str, threads: int) -> Trainer:
    if checkpoint is not None and Path(checkpoint).exists():
        if not is_checkpoint(checkpoint):
            raise SettingError(f"{checkpoint} is no checkpoint of this program: name another file", ("checkpoint",))
        try:
            return Trainer.resume(task, checkpoint, device=device, threads=threads)
        except CheckpointError:
            pass  # of another task, or torn: as good as none
    return Trainer(task, device=device, threads=threads)
