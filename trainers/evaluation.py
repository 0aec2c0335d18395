"""The loss and error of a network over a whole split, in evaluation mode."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.feed import Batch


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy in nats (None when it is not finite) and error in per cent."""

    loss: float | None
    error: float


@torch.inference_mode()
def evaluate(network: nn.Module, batches: Iterable[Batch]) -> Score:
    """Return the score of `network` over `batches`; the numbers leave the device once, at the end."""
    was_training = network.training
    network.eval()
    sums: list[Tensor] = []
    images = 0
    for inputs, labels in batches:
        logits = network(inputs).float()
        loss = functional.cross_entropy(logits, labels, reduction="sum")
        sums.append(torch.stack([loss.double(), count_wrong(logits, labels).double()]))
        images += len(labels)
    network.train(was_training)
    loss_sum, wrong = torch.stack(sums).sum(0).tolist()
    mean = loss_sum / images
    return Score(mean if math.isfinite(mean) else None, 100 * wrong / images)


def count_wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how many rows of `logits` (images, classes) do not have their largest value at the label."""
    return (logits.argmax(1) != labels).sum()
