"""A user's data sets, as an author of one would write them."""

import torch
from torch import Tensor
from torch.utils.data import TensorDataset


def load(*, count: int = 60, contrast: float = 1.0) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return grey images with a bright quarter, which is the class."""
    return _quarters(count, contrast, 0), _quarters(count // 3, contrast, 1)


def load_floats() -> tuple[TensorDataset, TensorDataset, int]:
    """Return standard normal images with three channels."""
    source = torch.Generator().manual_seed(5)
    parts = [(torch.randn(count, 3, 6, 4, generator=source), torch.arange(count) % 5) for count in (40, 11)]
    return TensorDataset(*parts[0]), TensorDataset(*parts[1]), 5


def _quarters(count: int, contrast: float, seed: int) -> tuple[Tensor, Tensor]:
    labels = torch.arange(count) % 4
    images = torch.randint(0, 100, (count, 1, 8, 8), generator=torch.Generator().manual_seed(seed))
    for at, label in enumerate(labels.tolist()):
        row, column = 4 * (label // 2), 4 * (label % 2)
        images[at, :, row : row + 4, column : column + 4] += int(100 * contrast)
    return images.to(torch.uint8), labels
