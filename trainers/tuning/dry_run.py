"""A rehearsal: a pack of its own that takes the first step of a training again and again, and is thrown away.

What it measures costs the training nothing but time: the members that are trained, and all random generators, stay as
they are.
"""

import time
from collections.abc import Sequence

import torch

from trainers.data.batch_loader import Batch, Feed
from trainers.process import process_settings
from trainers.records import DataInfo, Task
from trainers.seeding import seeded
from trainers.step.packs import make_lanes
from trainers.step.precision import Numerics
from trainers.step.replica import Member
from trainers.step.step_schedule import Course
from trainers.step.stopwatch import Stopwatch


def first_batches(feed: Feed, seeds: Sequence[int]) -> list[Batch]:
    """Return the first batch of each seed's training."""
    with seeded(0, "order"):  # starting a DataLoader draws a number
        return [next(iter(feed.train(seed, 1))) for seed in seeds]


class Rehearsal:
    """The first seeds of a task, as many as there are `batches`, computing as `numerics` say."""

    def __init__(
        self, task: Task, info: DataInfo, course: Course, numerics: Numerics, batches: Sequence[Batch]
    ) -> None:
        self.numerics = numerics
        self.seed = task.seeds[0]
        self.lr = course.lr(0)
        with process_settings(numerics.threads):
            members = [Member(task, seed, info, numerics) for seed in task.seeds[: len(batches)]]
            lanes = make_lanes(members, task.training, numerics, Stopwatch(numerics.device, False))
            waiting = iter(batches)
            self.lanes = [(lane, lane.join([next(waiting) for _ in lane.members])) for lane in lanes]
            for lane in lanes:
                lane.begin()

    def step(self, by_wall: bool = True) -> float:
        """Take one step of every member; return the seconds it took, the making of its batch not counted.

        On a CPU they are those of the processor unless counted `by_wall`.
        """
        device = self.numerics.device
        watch = Stopwatch(device, True)
        with process_settings(self.numerics.threads), seeded(self.seed, "dropout", 1, device):
            watch.start()
            computed = time.process_time()
            for lane, batch in self.lanes:
                lane.step(batch, self.lr, self.lr)
            computed = time.process_time() - computed
            watch.lap("step")
        return watch.seconds["step"] if by_wall or device.type == "cuda" else computed


def free(device: torch.device) -> None:
    """Give the memory of rehearsals that are over back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
