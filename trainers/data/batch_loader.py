"""Batches of a data set: normalised and augmented on the device, many batches at a time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from trainers.data.augment import crop_and_flip, draw
from trainers.data.images import AnyImages, DataSet, Images
from trainers.seeding import generator

Batch = tuple[Tensor, Tensor]

PREPARED = 4096  # images prepared at once: few calls an epoch, little memory


class BatchLoader(Protocol):
    """Hands out the batches of a data set."""

    @property
    def sizes(self) -> list[int]:
        """The number of images in each batch of an epoch."""
        ...

    def train(self, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch: every training image once, in the order of that seed and epoch."""
        ...

    def test(self, batch_size: int) -> Iterator[Batch]:
        """Yield the test images in their order."""
        ...

    def validation(self, batch_size: int) -> Iterator[Batch] | None:
        """Yield the validation images in their order; None when the data set has none."""
        ...

    def plain(self, index: Sequence[int], batch_size: int) -> Iterator[Batch]:
        """Yield the training images of that index in its order, without augmentation."""
        ...

    def normalisation(self) -> dict[str, Any]:
        """Return what normalises raw images: what is subtracted by channel, and what divides the difference."""
        ...

    def normaliser(self) -> tuple[Tensor, Tensor]:
        """Return what is subtracted from a raw image (C, H, W), and what the difference is multiplied with."""
        ...


def batch_sizes(images: int, batch_size: int) -> list[int]:
    """Return the number of images in each batch of an epoch.

    A last batch of one image is left out: its batch statistics would have no variance.
    """
    whole, rest = divmod(images, batch_size)
    return [batch_size] * whole + ([rest] if rest > 1 else [])


class MemoryBatchLoader:
    """Hands out the batches of a data set that lies on the device, or whose batches are read when they are needed."""

    def __init__(self, data: DataSet, training: Mapping[str, Any], device: torch.device) -> None:
        self.data = data
        self.device = device
        self.batch_size = min(int(training["batch_size"]), len(data.train))
        self.augment = training["augment"]
        self.kind = training["normalise"]
        self.shift, self.scale = _normaliser(data, self.kind)

    @property
    def sizes(self) -> list[int]:
        """The number of images in each batch of an epoch."""
        return batch_sizes(len(self.data.train), self.batch_size)

    def train(self, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch: every training image once, in the order of that seed and epoch."""
        count = len(self.data.train)
        order = torch.randperm(count, generator=generator(seed, "order", epoch)).to(self.device)
        crop, flip = self.augment["crop"], self.augment["flip"]
        draws = draw(count, crop, flip, seed, epoch, self.device) if crop or flip else None
        at_once = PREPARED if isinstance(self.data.train, Images) else 1
        prepared = max(at_once // self.batch_size, 1) * self.batch_size
        for start in range(0, count, prepared):
            part = slice(start, start + prepared)
            chosen = self.data.train.take(order[part])
            if draws is None:
                images = self._normalise(chosen.pixels)
            elif self.augment.get("crop_first"):
                images = self._normalise(crop_and_flip(chosen.pixels, crop, draws.take(part)))
            else:
                images = crop_and_flip(self._normalise(chosen.pixels), crop, draws.take(part))
            yield from (batch for batch in _split(images, chosen.labels, self.batch_size) if len(batch[1]) > 1)

    def test(self, batch_size: int) -> Iterator[Batch]:
        """Yield the test images in their order."""
        return self._whole(self.data.test, batch_size)

    def validation(self, batch_size: int) -> Iterator[Batch] | None:
        """Yield the validation images in their order; None when the data set has none."""
        return None if self.data.validation is None else self._whole(self.data.validation, batch_size)

    def plain(self, index: Sequence[int], batch_size: int) -> Iterator[Batch]:
        """Yield the training images of that index in its order, without augmentation."""
        chosen = self.data.train.select(torch.tensor(index, dtype=torch.int64, device=self.device))
        return self._whole(chosen, batch_size)

    def normalisation(self) -> dict[str, Any]:
        """Return what normalises raw images; of a mean by pixel the means by channel."""
        means = self.shift.flatten(1).mean(1)
        return {"kind": self.kind, "subtracted": means.tolist(), "divided_by": (1 / self.scale).flatten().tolist()}

    def normaliser(self) -> tuple[Tensor, Tensor]:
        """Return what is subtracted from a raw image (C, H, W), and what the difference is multiplied with."""
        return self.shift, self.scale

    def _whole(self, images: AnyImages, batch_size: int) -> Iterator[Batch]:
        for part in images.parts(batch_size if isinstance(images, Images) else min(batch_size, self.batch_size)):
            yield self._normalise(part.pixels), part.labels

    def _normalise(self, pixels: Tensor) -> Tensor:
        return (pixels - self.shift) * self.scale


def _split(images: Tensor, labels: Tensor, size: int) -> Iterator[Batch]:
    yield from zip(torch.split(images, size), torch.split(labels, size), strict=True)


def _normaliser(data: DataSet, kind: str) -> tuple[Tensor, Tensor]:
    """Return what is subtracted from a raw image, and what the difference is multiplied with."""
    statistics = data.statistics
    if kind == "channel":
        return statistics.mean, 1 / statistics.deviation
    if kind == "pixel_mean":
        return statistics.pixel_mean, torch.full_like(statistics.mean, 1 / statistics.peak)
    return torch.zeros_like(statistics.mean), torch.full_like(statistics.mean, 1 / statistics.peak)
