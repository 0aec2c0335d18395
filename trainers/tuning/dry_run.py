"""A dry_run: a pack of its own that takes the first step of a training again and again, and is thrown away.

What it measures costs the training nothing but time: the replicas that are trained, and all random generators, stay as
they are.
"""

import time
from collections.abc import Sequence

import torch

from trainers.data.batch_loader import Batch, BatchLoader
from trainers.process import process_settings
from trainers.records import DataInfo, Task
from trainers.seeding import seeded
from trainers.step.pack_trainer import make_groups
from trainers.step.precision import Numerics
from trainers.step.replica import Replica
from trainers.step.step_schedule import StepSchedule
from trainers.step.stopwatch import Stopwatch


def first_batches(loader: BatchLoader, seeds: Sequence[int]) -> list[Batch]:
    """Return the first batch of each seed's training."""
    with seeded(0, "order"):  # starting a DataLoader draws a number
        return [next(iter(loader.train(seed, 1))) for seed in seeds]


class DryRun:
    """The first seeds of a task, as many as there are `batches`, computing as `numerics` say."""

    def __init__(
        self, task: Task, info: DataInfo, schedule: StepSchedule, numerics: Numerics, batches: Sequence[Batch]
    ) -> None:
        self.numerics = numerics
        self.seed = task.seeds[0]
        self.lr = schedule.lr(0)
        with process_settings(numerics.threads):
            replicas = [Replica(task, seed, info, numerics) for seed in task.seeds[: len(batches)]]
            groups = make_groups(replicas, task.training, numerics, Stopwatch(numerics.device, False))
            waiting = iter(batches)
            self.groups = [(group, group.join([next(waiting) for _ in group.replicas])) for group in groups]
            for group in groups:
                group.begin()

    def step(self, by_wall: bool = True) -> float:
        """Take one step of every replica; return the seconds it took, the making of its batch not counted.

        On a CPU they are those of the processor unless counted `by_wall`.
        """
        device = self.numerics.device
        watch = Stopwatch(device, True)
        settings = process_settings(self.numerics.threads, self.numerics.deterministic)
        with settings, seeded(self.seed, "dropout", 1, device):
            watch.start()
            computed = time.process_time()
            for group, batch in self.groups:
                group.step(batch, self.lr, self.lr)
            computed = time.process_time() - computed
            watch.mark("step")
        return watch.seconds["step"] if by_wall or device.type == "cuda" else computed


def free(device: torch.device) -> None:
    """Give the memory of dry runs that are over back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
