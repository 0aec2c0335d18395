"""Fashion-MNIST: 70,000 grey images of 28 x 28 pixels, from torchvision's files or from Debian's package."""

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.errors import SettingError
from trainers.data.images import Images, Splits
from trainers.data_settings import DEFAULT_ROOT

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where the package dataset-fashion-mnist puts it
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def load_fashion_mnist(settings: Mapping[str, Any]) -> Splits:
    """Return Fashion-MNIST from ``root/FashionMNIST/raw`` or ``root``; with the default root also from Debian's folder.

    Downloads into ``root`` first when ``download`` asks for it. Raises SettingError when files are missing or broken.
    """
    root = Path(settings["root"]).expanduser()
    if settings["download"]:
        _download(root)
    # A root that the user named must not be replaced in silence by another copy of the data.
    elsewhere = (DEBIAN,) if settings["root"] == DEFAULT_ROOT else ()
    folders = (root / "FashionMNIST" / "raw", root, *elsewhere)
    folder = next((each for each in folders if _find(each, FILES["train"][0])), None)
    if folder is None:
        raise SettingError(
            f"Fashion-MNIST is not in {' or '.join(str(each) for each in folders)}: set download: true, or install the "
            "package dataset-fashion-mnist and leave root out",
            ("root",),
        )
    return _split(folder, *FILES["train"]), _split(folder, *FILES["test"]), 10


def _download(root: Path) -> None:
    from torchvision.datasets import FashionMNIST

    try:
        FashionMNIST(str(root), download=True)
    except (OSError, RuntimeError) as error:
        raise SettingError(f"Fashion-MNIST could not be downloaded into {root}: {error}", ("download",)) from None


def _split(folder: Path, images: str, labels: str) -> Images:
    pixels, targets = _read(folder, images), _read(folder, labels)
    if pixels.dim() != 3 or targets.dim() != 1 or len(pixels) != len(targets):
        raise SettingError(f"{folder / images} and {labels} do not belong together", ("root",))
    return Images(pixels[:, None], targets.long())


def _read(folder: Path, name: str) -> Tensor:
    """Return the array of an idx file: four bytes of type and dimensions, the sizes, the values."""
    path = _find(folder, name)
    if path is None:
        raise SettingError(f"{folder / name} is missing (also as .gz)", ("root",))
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        dimensions = content[3]
        sizes = np.frombuffer(content, ">i4", dimensions, offset=4).tolist()
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(sizes)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise SettingError(f"{path} is not a whole idx file: {error}", ("root",)) from None
    return torch.from_numpy(values.copy())


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
