"""Photographs in ImageNet's layout: one folder a class below ``train`` and below ``val`` (or ``test``)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from search_spaces.errors import SettingError
from trainers.data.images import held_out
from trainers.records import DataInfo

Sample = tuple[str, int]


@dataclass(frozen=True)
class Folder:
    """The files of an image folder with their labels; images are read when they are needed."""

    train: tuple[Sample, ...]
    test: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    num_classes: int
    size: int
    workers: int
    prefetch: int
    fingerprint: str

    @property
    def info(self) -> DataInfo:
        """The facts that a plan needs."""
        shape = (3, self.size, self.size)
        sizes = len(self.train), len(self.test)
        return DataInfo(shape, self.num_classes, *sizes, self.fingerprint, len(self.validation))


def load_image_folder(settings: Mapping[str, Any]) -> Folder:
    """Return the files below ``root``; SettingError when a part is missing or the two have different classes.

    The fingerprint is that of the files' names and sizes: hashing the contents of ImageNet would take an hour.
    """
    root = Path(settings["root"]).expanduser()
    train_folder, test_folder = root / "train", _test_folder(root)
    train, classes = _samples(train_folder)
    test, test_classes = _samples(test_folder)
    if classes != test_classes:
        odd = sorted(set(classes) ^ set(test_classes))
        raise SettingError(f"{train_folder} and {test_folder} have different classes: {', '.join(odd[:5])}", ("root",))
    held = held_out(torch.tensor([label for _, label in train]), len(classes), settings["validation"]).tolist()
    return Folder(
        train=tuple(sample for sample, out in zip(train, held, strict=True) if not out),
        test=tuple(test),
        validation=tuple(sample for sample, out in zip(train, held, strict=True) if out),
        num_classes=len(classes),
        size=settings["size"],
        workers=settings["workers"],
        prefetch=settings["prefetch"],
        fingerprint=_fingerprint(root, [*train, *test]),
    )


def _test_folder(root: Path) -> Path:
    for name in ("val", "test"):
        if (root / name).is_dir():
            return root / name
    raise SettingError(f"{root} has no folder val or test: image_folder needs root/train and root/val", ("root",))


def _samples(folder: Path) -> tuple[list[Sample], list[str]]:
    from torchvision.datasets import ImageFolder

    try:
        found = ImageFolder(str(folder))
    except FileNotFoundError as error:
        message = str(error).splitlines()[0].rstrip(".")
        raise SettingError(f"{message}: image_folder needs {folder}/<class>/<image>", ("root",)) from None
    return found.samples, found.classes


def _fingerprint(root: Path, samples: list[Sample]) -> str:
    digest = hashlib.sha256()
    for path, label in samples:
        digest.update(f"{Path(path).relative_to(root)}\t{label}\t{Path(path).stat().st_size}\n".encode())
    return digest.hexdigest()
