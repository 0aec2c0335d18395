"""What a training is given and what it gives back: plain values, free of torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Task:
    """A pack: the completed settings of one arm, and the seeds to train it with, side by side.

    `fingerprint` is that of the data that the pack was planned with; None trains on whatever is found.
    """

    data: Mapping[str, Any]
    network: Mapping[str, Any]
    training: Mapping[str, Any]
    seeds: tuple[int, ...]
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"a task needs one or more different seeds, not {self.seeds}")


@dataclass(frozen=True)
class DataInfo:
    """The facts of a data set that a plan needs: image shape (channels, height, width), sizes, and its contents' hash.

    `train_size` counts the images that are trained on, `validation_size` those held out of the training set. `notes`
    are sentences on what was decided about the files, for the plan and the page.
    """

    input_shape: tuple[int, int, int]
    num_classes: int
    train_size: int
    test_size: int
    fingerprint: str
    validation_size: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of one seed. Errors are in per cent; losses are mean cross-entropies in nats.

    `train_loss` and `train_error` are means over the epoch's training images, each taken when its batch was trained.
    A test or validation value is None when it was not measured in this epoch; a loss also when it is not finite.
    `lr` is the learning rate of the epoch's last step, `seconds` this seed's share of the wall time.
    """

    seed: int
    epoch: int
    train_loss: float
    train_error: float
    test_loss: float | None
    test_error: float | None
    lr: float
    seconds: float
    val_loss: float | None = None
    val_error: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How one seed's training ended.

    `epochs` counts the epochs before any divergence; `diverged_at` is the epoch (counted from 1) in which the loss
    diverged, `loss_before_divergence` the training loss of the last batch before that. `images_per_second` counts
    training alone, without evaluation.
    """

    seed: int
    state: Literal["COMPLETE", "DIVERGED"]
    reason: str | None
    epochs: int
    seconds: float
    images_per_second: float
    diverged_at: int | None = None
    loss_before_divergence: float | None = None
    telemetry: Mapping[str, Any] = field(default_factory=dict)
