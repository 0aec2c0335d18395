"""A data set: uint8 images and their labels, held in memory or read when needed, and what is computed from them."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from search_spaces.errors import SettingError
from trainers.data.files import file_error
from trainers.errors import DataError
from trainers.records import DataInfo
from trainers.seeding import generator

SPLIT_SEED = 0


class AnyImages(Protocol):
    """Images with their labels (int64): `Images` in memory, or `DatasetImages` that are read when they are needed."""

    @property
    def labels(self) -> Tensor:
        """The labels (count)."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """The type of the pixels, uint8 or float32."""
        ...

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Self:
        """Return the same images on `device`."""
        ...

    def select(self, index: Tensor) -> Self:
        """Return the images at `index`, in that order; what is not in memory stays unread."""
        ...

    def take(self, index: Tensor) -> "Images":
        """Return the images at `index`, in that order and in memory."""
        ...

    def parts(self, size: int | None = None) -> "Iterator[Images]":
        """Yield the images in their order, `size` at a time."""
        ...


@dataclass(frozen=True)
class Images:
    """Images (count, channels, height, width) and their labels as int64 (count,).

    Images are uint8; those of a user's own data set may be float32.
    """

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Images":
        """Return the same images on `device`."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def take(self, index: Tensor) -> "Images":
        """Return the images at `index`, in that order."""
        return Images(self.pixels[index], self.labels[index])

    def select(self, index: Tensor) -> "Images":
        """Return the images at `index`, in that order."""
        return self.take(index)

    def parts(self, size: int | None = None) -> "Iterator[Images]":
        """Yield the images in their order, `size` at a time, by default all at once."""
        pairs = zip(*(torch.split(each, size or len(self)) for each in (self.pixels, self.labels)), strict=True)
        return (Images(pixels, labels) for pixels, labels in pairs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        return tuple(self.pixels.shape[1:])

    @property
    def dtype(self) -> torch.dtype:
        """The type of the pixels."""
        return self.pixels.dtype


@dataclass(frozen=True)
class Statistics:
    """What normalises the images: of each channel its mean and standard deviation, of each pixel its mean.

    `peak` is the largest value that occurs (16 for the digits, 255 for most others), and 1 for floats. Shapes broadcast
    over images.
    """

    mean: Tensor
    deviation: Tensor
    pixel_mean: Tensor
    peak: int

    def to(self, device: torch.device) -> "Statistics":
        """Return the same statistics on `device`."""
        return Statistics(self.mean.to(device), self.deviation.to(device), self.pixel_mean.to(device), self.peak)


def statistics(images: AnyImages) -> Statistics:
    """Return the statistics of `images`, from whole-number counts, so that they are the same on every machine."""
    if images.dtype.is_floating_point:
        return _float_statistics(images)
    values = torch.arange(256, dtype=torch.float64)
    counted = torch.zeros(images.shape[0], 256, dtype=torch.int64)
    sums, peak = torch.zeros(images.shape, dtype=torch.int64), 0
    for part in images.parts():
        channels = part.pixels.transpose(0, 1).flatten(1)
        counted += torch.stack([torch.bincount(channel, minlength=256) for channel in channels])
        sums += part.pixels.sum(0, dtype=torch.int64)
        peak = max(peak, int(part.pixels.max()))
    counts = counted.double()
    share = counts / counts.sum(1, keepdim=True)
    mean = share @ values
    deviation = ((share * (values - mean[:, None]) ** 2).sum(1)).sqrt().clamp_min(1e-6)
    pixel_mean = sums.double() / len(images)
    return Statistics(mean.float()[:, None, None], deviation.float()[:, None, None], pixel_mean.float(), peak)


def _float_statistics(images: AnyImages) -> Statistics:
    """Return the statistics of float images, summed in double precision on one thread's order of images."""
    if not isinstance(images, Images):
        return _summed_statistics(images)
    exact = images.pixels.double()
    mean = exact.mean((0, 2, 3))
    deviation = ((exact - mean[:, None, None]) ** 2).mean((0, 2, 3)).sqrt().clamp_min(1e-6)
    return Statistics(mean.float()[:, None, None], deviation.float()[:, None, None], exact.mean(0).float(), 1)


def _summed_statistics(images: AnyImages) -> Statistics:
    """Return the statistics of float images that are read a few at a time; up to rounding those of all at once."""
    pixel_mean = sum((part.pixels.double().sum(0) for part in images.parts()), torch.zeros(())) / len(images)
    mean = pixel_mean.mean((1, 2))
    shares = ((part.pixels.double() - mean[:, None, None]) ** 2 for part in images.parts())
    squares = sum((each.mean((2, 3)).sum(0) for each in shares), torch.zeros(()))
    deviation = (squares / len(images)).sqrt().clamp_min(1e-6)
    return Statistics(mean.float()[:, None, None], deviation.float()[:, None, None], pixel_mean.float(), 1)


@dataclass(frozen=True)
class DataSet:
    """The images to train on, to validate on (maybe none) and to test on."""

    train: AnyImages
    test: AnyImages
    validation: AnyImages | None
    num_classes: int
    fingerprint: str
    statistics: Statistics

    @property
    def info(self) -> DataInfo:
        """The facts that a plan needs."""
        channels, height, width = self.train.shape
        held_out = 0 if self.validation is None else len(self.validation)
        shape = (int(channels), int(height), int(width))
        return DataInfo(shape, self.num_classes, len(self.train), len(self.test), self.fingerprint, held_out)

    def to(self, device: torch.device) -> "DataSet":
        """Return the same data set on `device`."""
        return replace(
            self,
            train=self.train.to(device),
            test=self.test.to(device),
            validation=None if self.validation is None else self.validation.to(device),
            statistics=self.statistics.to(device),
        )


Splits = tuple[AnyImages, AnyImages, int]
"""What a loader returns: the images to train on and to test on, and how many classes there are."""


def fingerprint(*splits: AnyImages) -> str:
    """Return the SHA-256 of the splits' shapes, pixels and labels, in hexadecimal; floats begin with their type."""
    digest = hashlib.sha256()
    for split in splits:
        if split.dtype != torch.uint8:
            digest.update(str(split.dtype).encode())
        digest.update(str((len(split), *split.shape)).encode())
        for part in split.parts():
            digest.update(part.pixels.contiguous().numpy().tobytes())
        digest.update(split.labels.contiguous().numpy().tobytes())
    return digest.hexdigest()


def check_labels(path: Path, images: Images, num_classes: int) -> None:
    """Raise SettingError unless the file at `path` gives each of its images one label from 0 to `num_classes` - 1."""
    count, labels = len(images.pixels), images.labels
    if count == 0:
        raise file_error(f"{path} holds no images")
    if labels.shape != (count,):
        raise file_error(f"{path}: its labels do not fit {count} images: their shape is {[*labels.shape]}")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise file_error(f"{path}: its labels do not fit {num_classes} classes: they go from {low} to {high}")


def check_sizes(settings: Mapping[str, Any], train: int, test: int) -> None:
    """Raise SettingError unless there are two images to train on (one alone has no variance) and one to test on."""
    if train < 2 or test < 1:
        raise _fault(settings, f"has {train} training and {test} test images: it needs 2 and 1 or more")


def held_out(labels: Tensor, num_classes: int, share: float) -> Tensor:
    """Return which training images validate (bool): `share` of each class, the same images every time.

    Raises SettingError when a share above 0 holds out no image, or leaves fewer than two to train on.
    """
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(num_classes):
        replicas = (labels == label).nonzero().squeeze(1)
        order = torch.randperm(len(replicas), generator=generator(SPLIT_SEED, "split", label))
        held[replicas[order[: round(share * len(replicas))]]] = True
    if share and not held.any():
        raise _nothing_held_out(labels, share)
    if share and int((~held).sum()) < 2:
        raise SettingError(f"a share of {share:g} leaves 1 image to train on: leave it out", ("validation",))
    return held


def _nothing_held_out(labels: Tensor, share: float) -> SettingError:
    largest = int(labels.bincount().max())
    enough = math.ceil(1000 / largest) / 1000
    advice = f"set it to {enough:g} or more, or leave it out" if largest > 1 else "leave it out"
    what = f"holds out 0 of {len(labels):,} training images (the largest class has {largest:,})"
    return SettingError(f"a share of {share:g} {what}: {advice}", ("validation",))


def hold_out(train: AnyImages, num_classes: int, share: float) -> tuple[AnyImages, AnyImages | None]:
    """Return what is left to train on and what validates; None where nothing is held out."""
    if share == 0:
        return train, None
    held = held_out(train.labels, num_classes, share)
    return train.select((~held).nonzero().squeeze(1)), train.select(held.nonzero().squeeze(1))


def split_by_seed(train: Images, test: Images, num_classes: int, seed: int) -> tuple[Images, Images]:
    """Return both splits, drawn anew from all their images by a trial's seed; each class as often in each as before."""
    pixels, labels = torch.cat([train.pixels, test.pixels]), torch.cat([train.labels, test.labels])
    is_test = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(num_classes):
        members = (labels == label).nonzero().squeeze(1)
        order = torch.randperm(len(members), generator=generator(seed, "test_split", label))
        is_test[members[order[: int((test.labels == label).sum())]]] = True
    both = Images(pixels, labels)
    return both.take((~is_test).nonzero().squeeze(1)), both.take(is_test.nonzero().squeeze(1))


def assemble(splits: Splits, settings: Mapping[str, Any], seed: int | None = None) -> DataSet:
    """Return the data set of the loaded `splits`, with the share ``validation`` of the first held out.

    With `seed` the test images are drawn by it; the fingerprint is that of the splits as loaded. Raises SettingError
    for images that nobody can train on.
    """
    whole, test, num_classes = splits
    contents = fingerprint(whole, test)
    check_sizes(settings, len(whole), len(test))
    if seed is not None:
        if not (isinstance(whole, Images) and isinstance(test, Images)):
            raise _fault(
                settings, "is too large to be held in memory: split_by_seed needs images that are", "split_by_seed"
            )
        whole, test = split_by_seed(whole, test, num_classes, seed)
    train, held = hold_out(whole, num_classes, settings["validation"])
    normalisation = statistics(train)
    if not any(part.pixels.any() for part in train.parts()):
        raise _fault(settings, "is all black: every value of every training image is 0")
    return DataSet(train, test, held, num_classes, contents, normalisation)


def _fault(settings: Mapping[str, Any], what: str, key: str = "name") -> DataError:
    if "root" in settings:
        return file_error(f"{settings['name']} in {settings['root']} {what}")
    return file_error(f"{settings['name']} {what}", (key,))
