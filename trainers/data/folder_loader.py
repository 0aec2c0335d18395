"""Batches of photographs, read by worker processes ahead of the training."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from trainers.data.batch_loader import Batch, batch_sizes
from trainers.data.contents import Photos
from trainers.data.folder import Folder
from trainers.data.photographs import Photographs, normaliser, test_transform, training_transform
from trainers.errors import DataError
from trainers.seeding import derive, generator


class FolderBatchLoader:
    """Hands out the batches of an image folder; order and augmentation are functions of seed and epoch alone."""

    def __init__(self, folder: Folder, training: Mapping[str, Any], device: torch.device) -> None:
        self.folder = folder
        self.device = device
        self.batch_size = min(int(training["batch_size"]), len(folder.train))
        self.kind = training["normalise"]
        self.for_training = training_transform(folder.size, training["augment"], self.kind)
        self.for_tests = test_transform(folder.size, self.kind)

    @property
    def sizes(self) -> list[int]:
        """The number of images in each batch of an epoch."""
        return batch_sizes(len(self.folder.train), self.batch_size)

    def train(self, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch: every training image once, in the order of that seed and epoch."""
        order = torch.randperm(len(self.folder.train), generator=generator(seed, "order", epoch)).tolist()
        first = derive(seed, "augment", epoch)
        keys = [(index, (first + at) % 2**63) for at, index in enumerate(order)]
        photographs = Photographs(self.folder.train, self.for_training)
        yield from self._read(photographs, [keys[at : at + self.batch_size] for at in self._starts(self.sizes)])

    def test(self, batch_size: int) -> Iterator[Batch]:
        """Yield the test images in their order, in batches no larger than those of the training."""
        return self._whole(self.folder.test, batch_size)

    def validation(self, batch_size: int) -> Iterator[Batch] | None:
        """Yield the validation images in their order; None when none are held out."""
        return None if self.folder.validation is None else self._whole(self.folder.validation, batch_size)

    def plain(self, index: Sequence[int], batch_size: int) -> Iterator[Batch]:
        """Yield the training images of that index in its order, cut as the test images are."""
        return self._whole(self.folder.train.take(index), batch_size)

    def normalisation(self) -> dict[str, Any]:
        """Return what normalises raw images, whose values go from 0 to 255."""
        return {"kind": self.kind, **normaliser(self.kind)}

    def normaliser(self) -> tuple[Tensor, Tensor]:
        """Return what is subtracted from a raw image (C, H, W), and what the difference is multiplied with."""
        facts = normaliser(self.kind)
        shift, divisor = (torch.tensor(facts[name])[:, None, None] for name in ("subtracted", "divided_by"))
        return shift, 1 / divisor

    def _whole(self, photos: Photos, batch_size: int) -> Iterator[Batch]:
        size = min(batch_size, self.batch_size)
        keys = [(index, 0) for index in range(len(photos))]
        batches = [keys[at : at + size] for at in range(0, len(keys), size)]
        return self._read(Photographs(photos, self.for_tests), batches)

    def _read(self, photographs: Photographs, batches: list[list[tuple[int, int]]]) -> Iterator[Batch]:
        workers = self.folder.workers
        loader: DataLoader[Any] = DataLoader(
            photographs,
            batch_sampler=batches,
            num_workers=workers,
            prefetch_factor=self.folder.prefetch if workers else None,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # a loader draws a number when it starts, by default from the caller's
        )
        try:
            for images, labels in loader:
                yield images.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)
        except DataError as error:
            # A process of the loader puts its traceback in front.
            *_, sentence = error.message.rpartition("DataError: ")
            raise DataError(sentence.strip(), ("root",)) from None

    @staticmethod
    def _starts(sizes: Sequence[int]) -> list[int]:
        return [sum(sizes[:at]) for at in range(len(sizes))]
