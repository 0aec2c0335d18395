"""A replica group: the replicas of a pack that take their steps as one, either alone or fused into one network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainers.data.batch_loader import Batch, BatchLoader
from trainers.step import fusion, small_maps
from trainers.step.evaluation import PendingScores, start_evaluation, sums_of
from trainers.step.half_weights import HalfWeights, can_copy
from trainers.step.own_step import load_own_step
from trainers.step.precision import Numerics
from trainers.step.replica import Replica
from trainers.step.stopwatch import Stopwatch
from trainers.step.torch_optim import make_optimiser
from trainers.step.triton_layers import use_triton


@dataclass
class Tally:
    """The batch losses and wrong answers of one replica in one epoch."""

    losses: list[float]
    wrong: list[float]


class ReplicaGroup:
    """Steps K replicas at once; K is 1 unless their networks could be fused."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        network: nn.Module,
        training: Mapping[str, Any],
        numerics: Numerics,
        stopwatch: Stopwatch,
    ) -> None:
        self.replicas = list(replicas)
        self.network = network
        self.numerics = numerics
        self.stopwatch = stopwatch
        self.optimiser = replicas[0].optimiser if len(replicas) == 1 else make_optimiser(network, training)
        self.own_step = load_own_step(training)
        copied = numerics.precision == "bf16" and self.own_step is None and can_copy(network)
        if self.own_step is None:  # which may do what only torch's own operations bear, such as second derivatives
            if numerics.device.type == "cpu" and numerics.precision == "fp32" and small_maps.pays():
                small_maps.use_products(network)
            if numerics.triton != "none":
                use_triton(network, convolutions=numerics.triton == "conv")
        self.halves = HalfWeights(network, self.optimiser.parameters) if copied else None
        self.results: list[tuple[Tensor, Tensor]] = []

    def begin(self) -> None:
        """Take over the replicas' values at the start of an epoch."""
        self.results = []
        self.network.train()
        if len(self.replicas) > 1:
            with torch.no_grad():
                fusion.load(self.network, [replica.network for replica in self.replicas])
                for whole, parts in self._velocities():
                    for at, part in enumerate(parts):
                        whole[at].copy_(part)

    def end(self) -> None:
        """Give the replicas their values back at the end of an epoch."""
        if len(self.replicas) > 1:
            with torch.no_grad():
                fusion.store(self.network, [replica.network for replica in self.replicas])
                for whole, parts in self._velocities():
                    for at, part in enumerate(parts):
                        part.copy_(whole[at])

    def batches(self, loader: BatchLoader, epoch: int) -> Iterator[Batch]:
        """Yield the replicas' batches side by side: images (N, K * channels, H, W) and labels (K, N)."""
        each = [loader.train(replica.seed, epoch) for replica in self.replicas]
        for parts in zip(*each, strict=True):
            yield self.join(parts)

    def join(self, parts: Sequence[Batch]) -> Batch:
        """Return one batch of each replica as one: images (N, K * channels, H, W) and labels (K, N)."""
        images = parts[0][0] if len(parts) == 1 else torch.cat([images for images, _ in parts], 1)
        return self.numerics.lay_out(images), torch.stack([labels for _, labels in parts])

    def step(self, batch: Batch, lr: float, before: float) -> Tensor:
        """Take one step at rate `lr`, after one at `before`; return each replica's mean loss (K), on the device."""
        self.optimiser.change_rate(before, lr)
        losses, wrong = self.compute(*batch, lr)
        self.results.append((losses, wrong))
        return losses

    def compute(self, images: Tensor, labels: Tensor, lr: float | Tensor) -> tuple[Tensor, Tensor]:
        """Forward, backward, update; return the losses (K) and the numbers of wrong answers (K).

        The gradient is that of the sum of the replicas' mean losses, so each replica's is its own.
        """
        losses, errors = self._forward(images, labels)
        means = losses.mean(1)
        self.stopwatch.mark("forward")
        inputs = self.optimiser.parameters if self.halves is None else self.halves.inputs
        gradients: Sequence[Tensor | None] = torch.autograd.grad(means.sum(), inputs, allow_unused=True)
        if self.halves is not None:
            gradients = self.halves.widen(gradients)
        self.stopwatch.mark("backward")
        self.optimiser.step(gradients, lr)
        wrong = errors().sum(1)
        self.stopwatch.mark("optimiser")
        return means.detach(), wrong

    def _forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Callable[[], Tensor]]:
        """Return the losses (K, N), and how to get the errors (K, N), which are no part of the forward pass."""
        if self.own_step is not None:
            with self.numerics.autocast():
                own, errors = self.own_step(self.network, images, labels[0])
            return own[None], lambda: errors[None]
        with self.numerics.autocast():
            logits = self.network(images) if self.halves is None else self.halves.forward(images)
        logits = (
            logits.to(torch.promote_types(logits.dtype, torch.float32))
            .view(len(images), len(labels), -1)
            .transpose(0, 1)
        )
        losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
        return losses, lambda: logits.detach().argmax(2) != labels

    def tallies(self) -> list[Tally]:
        """Return what each replica's steps of this epoch gave; the numbers leave the device here, at once."""
        losses = torch.stack([losses for losses, _ in self.results], 1).tolist()
        wrong = torch.stack([wrong for _, wrong in self.results], 1).tolist()
        return [Tally(*each) for each in zip(losses, wrong, strict=True)]

    def start_evaluation(self, batches: Iterator[Batch]) -> PendingScores:
        """Start to evaluate every replica over `batches`, which all replicas see."""
        with self.numerics.autocast():
            return start_evaluation(self.network, batches, self.score)

    def score(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the sums (2, K) of every replica's losses and wrong answers over a batch that all of them see."""
        if self.own_step is None:
            return sums_of(self.network, images, labels, len(self.replicas), self.numerics.lay_out)
        own = self.own_step(self.network, self.numerics.lay_out(images), labels)
        return torch.stack([each.double().sum()[None] for each in own])

    def _velocities(self) -> Iterator[tuple[Tensor, list[Tensor]]]:
        own = [replica.optimiser.velocities for replica in self.replicas]
        for whole, *parts in zip(self.optimiser.velocities, *own, strict=True):
            # A number, such as the count of steps, is the same for all replicas.
            yield fusion.split(whole, parts) if whole.dim() else whole.expand(len(parts)), parts
