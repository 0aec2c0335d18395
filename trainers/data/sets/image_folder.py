"""Photographs in ImageNet's layout: one folder a class below ``train`` and below ``val`` (or ``test``)."""

from typing import Annotated

from search_spaces.annotations import Range
from trainers.data.contents import Check
from trainers.data.folder import Folder, read_folder
from trainers.settings.data import DEFAULT_ROOT


def load(
    *,
    root: str = DEFAULT_ROOT,
    train: str = "train",
    test: str | None = None,
    size: Annotated[int, Range(8, 1024)] = 224,
    check: Check = "headers",
    workers: Annotated[int, Range(0, 256)] = 4,
    prefetch: Annotated[int, Range(1, 64)] = 4,
) -> Folder:
    """Return the files below ``root``; SettingError when a part is missing or its files are no images.

    ``train`` and ``test`` name the folders below ``root``. Without ``test`` it is ``test``, with ``val`` to validate
    on where there are both, or else ``val``. Every file is read once, and known by its content from then on; ``check``
    says how: whether it begins and ends as an image (``headers``), whether each pixel can be decoded (``all``), or not
    at all (``none``, by name and size alone).

    root: the folder that holds the parts.
    train: the folder of the training images, below root.
    test: the folder of the test images, below root.
    size: pixels of a side of the square that the network sees.
    check: how files are read when the study is planned.
    workers: processes that read and decode.
    prefetch: batches that each of them holds ready.
    """
    return read_folder(root, train, test, check, size=size, workers=workers, prefetch=prefetch)
