"""Photographs in ImageNet's layout: one folder a class below ``train`` and below ``val`` (or ``test``)."""

from typing import Annotated

from search_spaces.settings import Range
from trainers.data.folder import Folder, read_folder
from trainers.settings.data import DEFAULT_ROOT


def load(
    *,
    root: str = DEFAULT_ROOT,
    size: Annotated[int, Range(8, 1024)] = 224,
    workers: Annotated[int, Range(0, 256)] = 4,
    prefetch: Annotated[int, Range(1, 64)] = 4,
) -> Folder:
    """Return the files below ``root``; SettingError when a part is missing or the two have different classes."""
    return read_folder(root, size, workers, prefetch)
