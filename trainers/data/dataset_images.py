"""Images of a user's Dataset that do not fit into memory: read item by item, each time they are needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainers.data.images import Images

CPU = torch.device("cpu")
CHUNK = 256  # images read at once where a whole set is looked at

Read = Callable[[Sequence[int]], Images]
"""Read the items of these numbers, all of one shape and type."""


@dataclass(frozen=True)
class DatasetImages:
    """The items `index` of a Dataset, of `shape` (channels, height, width), with their labels (int64, on the CPU).

    Nothing is kept of what is read.
    """

    read: Read
    index: Tensor
    labels: Tensor
    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device = CPU

    @classmethod
    def of(cls, read: Read, count: int) -> "DatasetImages":
        """Return all `count` items, each read once for its label."""
        first = read([0])
        labels = torch.cat([read(part).labels for part in _parts(range(count))])
        return cls(read, torch.arange(count), labels, tuple(first.pixels.shape[1:]), first.pixels.dtype)

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "DatasetImages":
        """Return the same images, which are brought to `device` when they are read."""
        return replace(self, device=device)

    def select(self, index: Tensor) -> "DatasetImages":
        """Return the images at `index`, in that order, without reading them."""
        return replace(self, index=self.index[index.cpu()], labels=self.labels[index.cpu()])

    def take(self, index: Tensor) -> Images:
        """Read the images at `index`, in that order."""
        return self.read(self.index[index.cpu()].tolist()).to(self.device)

    def parts(self, size: int | None = None) -> Iterator[Images]:
        """Read the images in their order, `size` at a time, by default `CHUNK`."""
        for numbers in _parts(self.index.tolist(), size):
            yield self.read(numbers).to(self.device)


def _parts(numbers: Sequence[int], size: int | None = None) -> Iterator[Sequence[int]]:
    size = size or CHUNK
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
