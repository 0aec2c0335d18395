"""When a training counts as diverged.

An epoch has diverged when its mean training loss is not a finite number or lies above the setting
``training.diverged_above`` (10,000 nats by default; guessing among ten classes costs 2.3). The mean over the epoch
decides, so that one odd batch does not end a trial, while dropout on the shortcut, whose loss climbs past 10^13 and
stays finite, does. A cross-entropy is never negative, so as soon as the sum so far is too large for any end of the
epoch, the epoch need not be finished: stopping early and looking only at its end give the same verdict. A loss of the
user's own may be negative; there too an epoch diverges as soon as the sum so far is too large.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Divergence:
    """The epoch (counted from 1) in which the loss diverged, the last batch loss before that, and the reason."""

    epoch: int
    loss_before_divergence: float | None
    reason: str


class LossWatch:
    """Follows the batch losses of one epoch; `limit` is the mean loss above which it has diverged."""

    def __init__(self, limit: float, images: int) -> None:
        self.limit = limit
        self.images = images
        self.sum = 0.0

    def add(self, loss: float, images: int) -> bool:
        """Add the mean loss of a batch; whether the epoch has diverged already."""
        self.sum += loss * images
        return not -math.inf < self.sum <= self.limit * self.images  # so that a NaN counts as diverged


def judge(
    losses: Sequence[float], sizes: Sequence[int], limit: float, epoch: int, before: float | None
) -> Divergence | None:
    """Return the divergence that an epoch's batch losses show, or None where there is none.

    `sizes` are the images in each batch of the whole epoch, `losses` may stop short where the training did. `before`
    is the last loss of the epoch before.
    """
    watch = LossWatch(limit, sum(sizes))
    if not any(watch.add(loss, size) for loss, size in zip(losses, sizes, strict=False)):
        return None
    last = before
    for loss in losses:
        if not math.isfinite(loss):
            return Divergence(epoch, last, "the training loss is not a finite number")
        if loss > limit:
            return Divergence(epoch, last, f"the training loss exploded to {loss:.3g}, above {limit:,g}")
        last = loss
    raise AssertionError("a mean cannot exceed every part of it")
