"""CIFAR-10 and CIFAR-100: 60,000 colour images of 32 x 32 pixels, from the files that torchvision downloads."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from search_spaces.errors import SettingError
from trainers.data.images import Images, Splits


@dataclass(frozen=True)
class Cifar:
    """Where one of the two lies below the root, and how its batches name their labels."""

    title: str
    folder: str
    train: tuple[str, ...]
    test: str
    labels: str
    classes: int


CIFAR10 = Cifar(
    "CIFAR-10", "cifar-10-batches-py", tuple(f"data_batch_{at}" for at in range(1, 6)), "test_batch", "labels", 10
)
CIFAR100 = Cifar("CIFAR-100", "cifar-100-python", ("train",), "test", "fine_labels", 100)


def load_cifar10(settings: Mapping[str, Any]) -> Splits:
    """Return CIFAR-10; SettingError when its files are missing or broken."""
    return _load(CIFAR10, settings)


def load_cifar100(settings: Mapping[str, Any]) -> Splits:
    """Return CIFAR-100 with its hundred fine labels; SettingError when its files are missing or broken."""
    return _load(CIFAR100, settings)


def _load(which: Cifar, settings: Mapping[str, Any]) -> Splits:
    root = Path(settings["root"]).expanduser()
    folder = root / which.folder
    if not folder.is_dir():
        if not settings["download"]:
            raise SettingError(
                f"{which.title} is not in {folder}: set root to the folder that holds {which.folder}, "
                "or set download: true",
                ("root",),
            )
        _download(which, root)
    parts = [_read(folder / name, which) for name in which.train]
    train = Images(torch.cat([part.pixels for part in parts]), torch.cat([part.labels for part in parts]))
    return train, _read(folder / which.test, which), which.classes


def _download(which: Cifar, root: Path) -> None:
    from torchvision import datasets

    try:
        getattr(datasets, which.title.replace("-", ""))(str(root), download=True)
    except (OSError, RuntimeError) as error:
        raise SettingError(f"{which.title} could not be downloaded into {root}: {error}", ("download",)) from None


def _read(path: Path, which: Cifar) -> Images:
    """Return one batch file: a pickled dict of rows of 3,072 bytes (all red, all green, all blue) and their labels."""
    try:
        with path.open("rb") as file:
            batch = _ArraysOnly(file, encoding="latin1").load()
        pixels = np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32)
        labels = np.asarray(batch[which.labels], np.int64)
    except FileNotFoundError:
        raise SettingError(f"{path} is missing: the data set is not complete", ("root",)) from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        raise SettingError(f"{path} is not a whole batch file of {which.title}: {error}", ("root",)) from None
    if len(pixels) != len(labels) or not len(labels) or not 0 <= labels.min() <= labels.max() < which.classes:
        raise SettingError(f"{path} is not a whole batch file of {which.title}: labels do not fit images", ("root",))
    return Images(torch.from_numpy(pixels.copy()), torch.from_numpy(labels))


class _ArraysOnly(pickle.Unpickler):
    """Reads pickled arrays and plain values, and refuses everything else that a pickle can run."""

    _ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "encode", "_frombuffer"})

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] in ("numpy", "_codecs") and name in self._ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which no data file needs")
