"""The loss and error of networks over a whole split, in evaluation mode."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.errors import SettingError
from trainers.data.batch_loader import Batch


@dataclass(frozen=True)
class Evaluation:
    """Mean loss (None when it is not finite), in nats where it is cross-entropy, and error in per cent."""

    loss: float | None
    error: float


@dataclass(frozen=True)
class PendingScores:
    """Sums that a device may still be computing: (2, networks), losses and wrong answers over so many `images`."""

    sums: Tensor
    images: int

    def read(self) -> list[Evaluation]:
        """Wait for the device and return each network's score."""
        losses, wrongs = self.sums.tolist()
        return [_score(loss / self.images, wrong / self.images) for loss, wrong in zip(losses, wrongs, strict=True)]


def evaluate(
    network: nn.Module, batches: Iterable[Batch], count: int, lay_out: Callable[[Tensor], Tensor]
) -> list[Evaluation]:
    """Return the scores of the `count` networks that `network` holds, all over the same `batches`."""
    return start_evaluation(
        network, batches, lambda images, labels: sums_of(network, images, labels, count, lay_out)
    ).read()


@torch.inference_mode()
def start_evaluation(
    network: nn.Module, batches: Iterable[Batch], score: Callable[[Tensor, Tensor], Tensor]
) -> PendingScores:
    """Start to evaluate `network`, whose sums over a batch `score` computes; no number leaves the device."""
    was_training = network.training
    network.eval()
    sums: list[Tensor] = []
    images = 0
    for inputs, labels in batches:
        images += len(labels)
        sums.append(score(inputs, labels))
    network.train(was_training)
    return PendingScores(torch.stack(sums).sum(0), images)


def sums_of(
    network: nn.Module, images: Tensor, labels: Tensor, count: int, lay_out: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return the sums (2, count) of the losses and of the wrong answers of the `count` networks that `network` holds.

    All of them see the same `images` (N, channels, H, W).
    """
    logits = network(lay_out(images.repeat(1, count, 1, 1)))
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    logits = logits.view(len(labels), count, -1).transpose(0, 1)
    everyone = labels.expand(count, -1)
    losses = F.cross_entropy(logits.flatten(0, 1), everyone.flatten(), reduction="none").view(everyone.shape)
    wrong = logits.argmax(2) != everyone
    return torch.stack([losses.double().sum(1), wrong.double().sum(1)])


def _score(loss: float, share_wrong: float) -> Evaluation:
    if not 0 <= share_wrong <= 1:
        raise SettingError(
            f"a step of your own must return errors from 0 to 1; their mean over a test set is {share_wrong:g}",
            ("training", "step"),
        )
    return Evaluation(loss if math.isfinite(loss) else None, 100 * share_wrong)
