"""The batch loader of a data set: from memory, or from a folder of photographs."""

from collections.abc import Mapping
from typing import Any

import torch

from trainers.data.batch_loader import BatchLoader, MemoryBatchLoader
from trainers.data.folder import Folder
from trainers.data.images import DataSet


def make_loader(data: DataSet | Folder, training: Mapping[str, Any], device: torch.device) -> BatchLoader:
    """Return what hands out the batches of `data` on `device`, as a training's settings ask."""
    if isinstance(data, Folder):
        from trainers.data.folder_loader import FolderBatchLoader  # torchvision's transforms take a second to import

        return FolderBatchLoader(data, training, device)
    return MemoryBatchLoader(data, training, device)
