"""A lane: the members of a pack that take their steps as one, either alone or fused into one network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainers.data.batch_loader import Batch, Feed
from trainers.step import fusion
from trainers.step.evaluation import Score, evaluate
from trainers.step.optim import SGD
from trainers.step.precision import Numerics
from trainers.step.replica import Member
from trainers.step.stopwatch import Stopwatch


@dataclass
class Tally:
    """The batch losses and wrong answers of one member in one epoch."""

    losses: list[float]
    wrong: list[int]


class Lane:
    """Steps K members at once; K is 1 unless their networks could be fused."""

    def __init__(
        self,
        members: Sequence[Member],
        network: nn.Module,
        training: Mapping[str, Any],
        numerics: Numerics,
        stopwatch: Stopwatch,
    ) -> None:
        self.members = list(members)
        self.network = network
        self.numerics = numerics
        self.stopwatch = stopwatch
        self.optimiser = members[0].optimiser if len(members) == 1 else SGD(network, training)
        self.results: list[tuple[Tensor, Tensor]] = []

    def begin(self) -> None:
        """Take over the members' values at the start of an epoch."""
        self.results = []
        self.network.train()
        if len(self.members) > 1:
            with torch.no_grad():
                fusion.load(self.network, [member.network for member in self.members])
                for whole, parts in self._velocities():
                    for at, part in enumerate(parts):
                        whole[at].copy_(part)

    def end(self) -> None:
        """Give the members their values back at the end of an epoch."""
        if len(self.members) > 1:
            with torch.no_grad():
                fusion.store(self.network, [member.network for member in self.members])
                for whole, parts in self._velocities():
                    for at, part in enumerate(parts):
                        part.copy_(whole[at])

    def batches(self, feed: Feed, epoch: int) -> Iterator[Batch]:
        """Yield the members' batches side by side: images (N, K * channels, H, W) and labels (K, N)."""
        each = [feed.train(member.seed, epoch) for member in self.members]
        for parts in zip(*each, strict=True):
            yield self.join(parts)

    def join(self, parts: Sequence[Batch]) -> Batch:
        """Return one batch of each member as one: images (N, K * channels, H, W) and labels (K, N)."""
        images = parts[0][0] if len(parts) == 1 else torch.cat([images for images, _ in parts], 1)
        return self.numerics.lay_out(images), torch.stack([labels for _, labels in parts])

    def step(self, batch: Batch, lr: float, before: float) -> Tensor:
        """Take one step at rate `lr`, after one at rate `before`; return each member's mean loss (K), on the device."""
        self.optimiser.change_rate(before, lr)
        losses, wrong = self.compute(*batch, lr)
        self.results.append((losses, wrong))
        return losses

    def compute(self, images: Tensor, labels: Tensor, lr: float | Tensor) -> tuple[Tensor, Tensor]:
        """Forward, backward, update; return the losses (K) and the numbers of wrong answers (K).

        The gradient is that of the sum of the members' mean losses, so each member's is its own.
        """
        with self.numerics.autocast():
            logits = self.network(images)
        logits = logits.float().view(len(images), len(labels), -1).transpose(0, 1)
        losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
        means = losses.mean(1)
        self.stopwatch.lap("forward")
        gradients = torch.autograd.grad(means.sum(), self.optimiser.parameters, allow_unused=True)
        self.stopwatch.lap("backward")
        self.optimiser.step(gradients, lr)
        wrong = (logits.detach().argmax(2) != labels).sum(1)
        self.stopwatch.lap("optimiser")
        return means.detach(), wrong

    def tallies(self) -> list[Tally]:
        """Return what each member's steps of this epoch gave; the numbers leave the device here, at once."""
        losses = torch.stack([losses for losses, _ in self.results], 1).tolist()
        wrong = torch.stack([wrong for _, wrong in self.results], 1).tolist()
        return [Tally(*each) for each in zip(losses, wrong, strict=True)]

    def evaluate(self, batches: Iterator[Batch]) -> list[Score]:
        """Return each member's score over `batches`, which all members see."""
        with self.numerics.autocast():
            return evaluate(self.network, batches, len(self.members), self.numerics.lay_out)

    def _velocities(self) -> Iterator[tuple[Tensor, list[Tensor]]]:
        own = [member.optimiser.velocities for member in self.members]
        for whole, *parts in zip(self.optimiser.velocities, *own, strict=True):
            yield fusion.split(whole, parts), parts
