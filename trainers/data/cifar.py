"""The files of CIFAR-10 and CIFAR-100 as torchvision downloads them: pickled rows of pixels, and their labels."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainers.data.files import download_into, file_error, reading, root_folder
from trainers.data.images import Images, Splits, check_labels
from trainers.errors import DataError


@dataclass(frozen=True)
class Cifar:
    """Where one of the two lies below the root, and how its batches name their labels."""

    title: str
    folder: str
    train: tuple[str, ...]
    test: str
    labels: str
    classes: int


def read_cifar(which: Cifar, root: str, download: bool) -> Splits:
    """Return the images of one of the two; SettingError when its files are missing or broken.

    With `download` a set that is not whole is fetched into `root` first.
    """
    top = root_folder(root)
    try:
        return _read_all(which, top)
    except DataError as error:
        if not download:
            raise DataError(f"{error.message}; or set download: true to fetch {which.title}", error.key) from None
    download_into(top, which.title)
    return _read_all(which, top)


def _read_all(which: Cifar, root: Path) -> Splits:
    folder = root / which.folder
    if not folder.is_dir():
        raise file_error(f"{which.title} is not in {folder}: set root to the folder that holds {which.folder}")
    parts = [_read(folder / name, which) for name in which.train]
    train = Images(torch.cat([part.pixels for part in parts]), torch.cat([part.labels for part in parts]))
    return train, _read(folder / which.test, which), which.classes


def _read(path: Path, which: Cifar) -> Images:
    """Return one batch file: a pickled dict of rows of 3,072 bytes (all red, all green, all blue) and their labels."""
    with reading(path, f"a whole batch file of {which.title}"):
        with path.open("rb") as file:
            batch = _ArraysOnly(file, encoding="latin1").load()
        if not isinstance(batch, dict):
            raise ValueError(f"it holds a {type(batch).__name__} where a mapping of data and labels is due")
        pixels = _whole_numbers(batch["data"], np.uint8).reshape(-1, 3, 32, 32)
        labels = _whole_numbers(batch[which.labels], np.int64)
    images = Images(torch.from_numpy(pixels), torch.from_numpy(labels))
    check_labels(path, images, which.classes)
    return images


def _whole_numbers(values: Any, kind: type[np.integer[Any]]) -> np.ndarray[Any, Any]:
    """Return `values` as an array of `kind`; ValueError where that would change a value."""
    given = np.asarray(values)
    with np.errstate(invalid="ignore"):
        whole = given.astype(kind)
    if not np.array_equal(given, whole):
        raise ValueError(f"it holds values that {kind.__name__} cannot hold")
    return whole


class _ArraysOnly(pickle.Unpickler):
    """Reads pickled arrays and plain values, and refuses everything else that a pickle can run."""

    _ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "encode", "_frombuffer"})

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] in ("numpy", "_codecs") and name in self._ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which no data file needs")
