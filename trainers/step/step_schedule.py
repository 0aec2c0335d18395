"""How long a training is, in epochs and steps, and the learning rate of each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainers.settings.schedules import learning_rate, momentum


@dataclass(frozen=True)
class StepSchedule:
    """The steps of one training; `batches` are the images in each batch of a whole epoch. Epochs count from 1."""

    training: Mapping[str, Any]
    batches: Sequence[int]

    @property
    def total(self) -> int:
        """The number of steps of the whole training."""
        return int(self.training["iterations"] or self.training["epochs"] * len(self.batches))

    def first_step(self, epoch: int) -> int:
        """Return the first step of an epoch, counted from 0 over the whole training."""
        return (epoch - 1) * len(self.batches)

    def sizes(self, epoch: int) -> Sequence[int]:
        """Return the images in each batch of that epoch: fewer batches where the training ends within it."""
        return self.batches[: max(self.total - self.first_step(epoch), 0)]

    def is_over(self, epoch: int) -> bool:
        """Whether nothing is left to train after that epoch."""
        return self.first_step(epoch + 1) >= self.total

    def is_measured(self, epoch: int) -> bool:
        """Whether the test set is measured after that epoch."""
        return epoch % int(self.training["evaluate_every"]) == 0 or self.is_over(epoch)

    def lr(self, step: int) -> float:
        """Return the learning rate of one step."""
        return learning_rate(self.training, step, self.total, len(self.batches))

    def momentum(self, step: int) -> float:
        """Return the momentum of one step."""
        return momentum(self.training, step, self.total)
