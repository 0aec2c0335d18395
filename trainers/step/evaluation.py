"""The loss and error of networks over a whole split, in evaluation mode."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainers.data.batch_loader import Batch


@dataclass(frozen=True)
class Score:
    """Mean cross-entropy in nats (None when it is not finite) and error in per cent."""

    loss: float | None
    error: float


@torch.inference_mode()
def evaluate(
    network: nn.Module, batches: Iterable[Batch], count: int, lay_out: Callable[[Tensor], Tensor]
) -> list[Score]:
    """Return the scores of the `count` replicas that `network` holds, all over the same `batches`.

    The numbers leave the device once, at the end.
    """
    was_training = network.training
    network.eval()
    sums: list[Tensor] = []
    images = 0
    for inputs, labels in batches:
        logits = network(lay_out(inputs.repeat(1, count, 1, 1)))
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        logits = logits.view(len(labels), count, -1).transpose(0, 1)
        everyone = labels.expand(count, -1)
        losses = F.cross_entropy(logits.flatten(0, 1), everyone.flatten(), reduction="none").view(everyone.shape)
        wrong = logits.argmax(2) != everyone
        sums.append(torch.stack([losses.double().sum(1), wrong.double().sum(1)]))
        images += len(labels)
    network.train(was_training)
    losses_sums, wrongs = torch.stack(sums).sum(0).tolist()
    return [_score(loss / images, wrong / images) for loss, wrong in zip(losses_sums, wrongs, strict=True)]


def _score(loss: float, share_wrong: float) -> Score:
    return Score(loss if math.isfinite(loss) else None, 100 * share_wrong)
