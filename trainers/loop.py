"""The training loop: one pack from its first epoch to its last."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from search_spaces import complete_network
from search_spaces.arm import canonical_json, settings_hash
from trainers.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from trainers.data import load
from trainers.data_settings import complete_data
from trainers.divergence import LossWatch, judge
from trainers.evaluation import Score, count_wrong, evaluate
from trainers.feed import Feed
from trainers.member import Member
from trainers.optim import set_learning_rate
from trainers.recipe import COSMETIC_SETTINGS, complete_training
from trainers.records import EpochRecord, Outcome, Task
from trainers.schedules import learning_rate
from trainers.seeding import seeded

EVALUATION_BATCH = 1000

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

    With `checkpoint`, the state is stored there after every epoch, and a training that was cut short goes on from it.
    `on_epoch` is called with each epoch's record. Raises SettingError for settings that cannot be.
    """
    task = _complete_task(network, data, training or {}, seed)
    trainer = _resume_or_start(task, checkpoint, device, threads)
    while not trainer.finished:
        for record in trainer.run_epoch():
            if on_epoch is not None:
                on_epoch(record)
        if checkpoint is not None:
            trainer.save(checkpoint)
    return TrainResult(tuple(trainer.records), trainer.outcomes()[0], trainer.members[0].network)


class Trainer:
    """Trains the seeds of one task side by side, an epoch at a time.

    Every number is a function of the task alone (on a CPU bit for bit): nothing is read from the process but the
    files of the data set, and the caller's random generators are left as they were.
    """

    def __init__(self, task: Task, *, device: str = "cpu", threads: int = 1) -> None:
        self.task = task
        self.device = torch.device(device)
        self.threads = threads
        self.records: list[EpochRecord] = []
        data = load(task.data, self.device)
        self.fingerprint = data.fingerprint
        self.feed = Feed(data, task.training, self.device)
        self.total = _total_steps(task.training, len(self.feed.sizes))
        with self._process():
            self.members = [Member(task, seed, data.info, self.device) for seed in task.seeds]

    @classmethod
    def resume(cls, task: Task, path: str | Path, *, device: str = "cpu", threads: int = 1) -> "Trainer":
        """Return a trainer that goes on where `save` left off; CheckpointError for any file that is not its own."""
        state = load_checkpoint(path)
        trainer = cls(task, device=device, threads=threads)
        if state.get("task") != trainer._identity():
            raise CheckpointError(f"{path} belongs to another task")
        trainer.records = [EpochRecord(**record) for record in state["records"]]
        for member, stored in zip(trainer.members, state["members"], strict=True):
            member.load_state(stored)
        return trainer

    def save(self, path: str | Path) -> None:
        """Store the state after the last finished epoch, atomically."""
        state = {
            "task": self._identity(),
            "records": [vars(record) for record in self.records],
            "members": [member.state() for member in self.members],
        }
        save_checkpoint(path, state)

    @property
    def finished(self) -> bool:
        """Whether no seed has anything left to train."""
        return not self._training_members()

    def run_epoch(self) -> list[EpochRecord]:
        """Train every seed that is still training for one epoch; return a record for each that stayed sound.

        An epoch is one pass over the training images; where the recipe counts iterations, the last may be shorter.
        """
        with self._process():
            found = [self._member_epoch(member) for member in self._training_members()]
        records = [record for record in found if record is not None]
        self.records.extend(records)
        return records

    def outcomes(self) -> list[Outcome]:
        """Return how each seed ended, in the order of the task's seeds; ValueError while any is still training."""
        if not self.finished:
            raise ValueError("the training is not finished yet")
        return [self._outcome(member) for member in self.members]

    def _member_epoch(self, member: Member) -> EpochRecord | None:
        started = time.perf_counter()
        epoch = member.epoch + 1
        losses, wrong, lr = self._train_epoch(member, epoch)
        sizes = self._sizes(epoch)
        member.training_seconds += time.perf_counter() - started
        member.images += sum(sizes[: len(losses)])
        limit = self.task.training["diverged_above"]
        member.divergence = judge(losses, sizes, limit, epoch, member.last_loss)
        if member.divergence is not None:
            member.seconds += time.perf_counter() - started
            return None
        member.epoch, member.last_loss = epoch, losses[-1]
        test, validation = self._evaluate(member)
        seconds = time.perf_counter() - started
        member.seconds += seconds
        return EpochRecord(
            seed=member.seed,
            epoch=epoch,
            train_loss=sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes),
            train_error=100 * sum(wrong) / sum(sizes),
            test_loss=None if test is None else test.loss,
            test_error=None if test is None else test.error,
            lr=lr,
            seconds=seconds,
            val_loss=None if validation is None else validation.loss,
            val_error=None if validation is None else validation.error,
        )

    def _train_epoch(self, member: Member, epoch: int) -> tuple[list[float], list[int], float]:
        """Take the steps of one epoch; return each batch's loss and wrong answers, and the last learning rate."""
        training, per_epoch = self.task.training, len(self.feed.sizes)
        sizes = self._sizes(epoch)
        watch = LossWatch(training["diverged_above"], sum(sizes))
        losses: list[Tensor] = []
        wrong: list[Tensor] = []
        first = (epoch - 1) * per_epoch
        before = learning_rate(training, max(first - 1, 0), self.total, per_epoch)
        lr = before
        member.network.train()
        with seeded(member.seed, "dropout", epoch, self.device):
            batches = self.feed.train(member.seed, epoch)
            for iteration, (images, labels) in zip(range(first, first + len(sizes)), batches, strict=False):
                lr = learning_rate(training, iteration, self.total, per_epoch)
                set_learning_rate(member.optimiser, lr, before, training["momentum_form"])
                before = lr
                loss, mistakes = _step(member, images, labels)
                losses.append(loss)
                wrong.append(mistakes)
                # Reading a number from a CPU costs nothing; from a GPU it would stall the queue at every step.
                if self.device.type == "cpu" and watch.add(float(loss), len(labels)):
                    break
        return torch.stack(losses).tolist(), torch.stack(wrong).tolist(), lr

    def _evaluate(self, member: Member) -> tuple[Score | None, Score | None]:
        """Return the scores on the test set and on the validation set, each None where it is not measured."""
        every = self.task.training["evaluate_every"]
        if member.epoch % every and member.epoch * len(self.feed.sizes) < self.total:
            return None, None
        validation = self.feed.validation(EVALUATION_BATCH)
        return (
            evaluate(member.network, self.feed.test(EVALUATION_BATCH)),
            None if validation is None else evaluate(member.network, validation),
        )

    def _sizes(self, epoch: int) -> list[int]:
        """Return the images in each batch of that epoch, fewer where the training ends within it."""
        sizes = self.feed.sizes
        return sizes[: self.total - (epoch - 1) * len(sizes)]

    def _training_members(self) -> list[Member]:
        per_epoch = len(self.feed.sizes)
        return [each for each in self.members if each.divergence is None and each.epoch * per_epoch < self.total]

    def _outcome(self, member: Member) -> Outcome:
        gone = member.divergence
        state: Literal["COMPLETE", "DIVERGED"] = "COMPLETE" if gone is None else "DIVERGED"
        return Outcome(
            seed=member.seed,
            state=state,
            reason=None if gone is None else gone.reason,
            epochs=member.epoch,
            seconds=member.seconds,
            images_per_second=member.images / max(member.training_seconds, 1e-9),
            diverged_at=None if gone is None else gone.epoch,
            last_sound_loss=None if gone is None else gone.last_sound_loss,
            telemetry={"threads": self.threads},
        )

    def _identity(self) -> str:
        settings = {"data": self.task.data, "network": self.task.network, "training": self.task.training}
        parts = [settings_hash(settings, COSMETIC_SETTINGS), self.fingerprint, list(self.task.seeds)]
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()

    @contextmanager
    def _process(self) -> Iterator[None]:
        """Set what belongs to the process, and put it back for whatever else runs in it."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        torch.set_flush_denormal(True)  # deep plain networks are full of denormals, which are slow
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_flush_denormal(False)


def _step(member: Member, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Take one step of gradient descent; return the mean loss and the number of wrong answers, on the device."""
    logits = member.network(images).float()
    loss = functional.cross_entropy(logits, labels)
    member.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    member.optimiser.step()
    return loss.detach(), count_wrong(logits, labels)


def _total_steps(training: Mapping[str, Any], per_epoch: int) -> int:
    return int(training["iterations"] or training["epochs"] * per_epoch)


def _complete_task(
    network: Mapping[str, Any], data: str | Mapping[str, Any], training: Mapping[str, Any], seed: int
) -> Task:
    complete = complete_data(data)
    return Task(complete, complete_network(dict(network)), complete_training(training, complete), (seed,))


def _resume_or_start(task: Task, checkpoint: str | Path | None, device: str, threads: int) -> Trainer:
    if checkpoint is not None and Path(checkpoint).exists():
        try:
            return Trainer.resume(task, checkpoint, device=device, threads=threads)
        except CheckpointError:
            pass  # of another task, or torn: as good as none
    return Trainer(task, device=device, threads=threads)
