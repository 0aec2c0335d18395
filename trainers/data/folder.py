"""The files of an image folder, with their labels."""

import hashlib
import os
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import torch

from trainers.data.files import file_error, root_folder
from trainers.data.images import held_out
from trainers.records import DataInfo

Sample = tuple[str, int]

# What torchvision's ImageFolder takes for an image.
ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


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

    def hold_out(self, share: float) -> "Folder":
        """Return the folder with that share of its training images as validation images."""
        if share == 0:
            return self
        held = held_out(torch.tensor([label for _, label in self.train]), self.num_classes, share).tolist()
        kept = tuple(sample for sample, out in zip(self.train, held, strict=True) if not out)
        return replace(self, train=kept, validation=tuple(compress(self.train, held)))


def read_folder(place: str, size: int, workers: int, prefetch: int) -> Folder:
    """Return the files below ``root``; SettingError when a part is missing or the two have different classes.

    The fingerprint is that of the files' names and sizes: hashing the contents of ImageNet would take an hour.
    """
    root = root_folder(place)
    train_folder, test_folder = root / "train", _test_folder(root)
    train, classes = _samples(train_folder)
    test, test_classes = _samples(test_folder)
    if classes != test_classes:
        odd = sorted(set(classes) ^ set(test_classes))
        raise file_error(f"{train_folder} and {test_folder} have different classes: {', '.join(odd[:5])}")
    return Folder(
        train=tuple(train),
        test=tuple(test),
        validation=(),
        num_classes=len(classes),
        size=size,
        workers=workers,
        prefetch=prefetch,
        fingerprint=_fingerprint(root, [*train, *test]),
    )


def _test_folder(root: Path) -> Path:
    for name in ("val", "test"):
        if (root / name).is_dir():
            return root / name
    raise file_error(f"{root} has no folder val or test: image_folder needs root/train and root/val")


def _samples(folder: Path) -> tuple[list[Sample], list[str]]:
    """Return the images and the classes of one part, in the order of torchvision's ImageFolder."""
    classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()) if folder.is_dir() else []
    if not classes:
        raise file_error(f"{folder} holds no folders of classes: image_folder needs {folder}/<class>/<image>")
    images = [_images(folder / name) for name in classes]
    if [] in images:
        raise file_error(f"{folder / classes[images.index([])]} holds no image: image_folder reads {' '.join(ENDINGS)}")
    return [(path, label) for label, paths in enumerate(images) for path in paths], classes


def _images(folder: Path) -> list[str]:
    walk = sorted(os.walk(folder, onerror=_refuse, followlinks=True))
    return [os.path.join(place, name) for place, _, names in walk for name in sorted(names) if _is_image(name)]


def _is_image(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _refuse(error: OSError) -> None:
    # Without this a folder that may not be read would be passed over in silence.
    raise error


def _fingerprint(root: Path, samples: list[Sample]) -> str:
    digest = hashlib.sha256()
    for path, label in samples:
        # Names need not be UTF-8: they go in as the bytes that the disk has.
        digest.update(os.fsencode(f"{Path(path).relative_to(root)}\t{label}\t{Path(path).stat().st_size}\n"))
    return digest.hexdigest()
