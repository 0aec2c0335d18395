"""Fashion-MNIST: 70,000 grey images of 28 x 28 pixels, from torchvision's files or from Debian's package."""

import gzip
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trainers.data.files import download_into, file_error, reading, root_folder
from trainers.data.images import Images, Splits, check_labels
from trainers.settings.data import DEFAULT_ROOT

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where the package dataset-fashion-mnist puts it
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
CLASSES = 10
IMAGES = (1, 28, 28), CLASSES
UNSIGNED_BYTE = 8  # what the third byte of an idx file says of its values


def load(*, root: str = DEFAULT_ROOT, download: bool = False) -> Splits:
    """Return Fashion-MNIST from ``root/FashionMNIST/raw`` or ``root``; with the default root also from Debian's folder.

    Downloads into ``root`` first when ``download`` asks for it. Raises SettingError when files are missing or broken.

    root: the folder that holds the data set's own folder.
    download: fetch the data set where it is not there.
    """
    top = root_folder(root)
    if download:
        download_into(top, "Fashion-MNIST")
    # A root that the user named must not be replaced in silence by another copy of the data.
    elsewhere = (DEBIAN,) if root == DEFAULT_ROOT else ()
    folders = (top / "FashionMNIST" / "raw", top, *elsewhere)
    folder = next((each for each in folders if _find(each, FILES["train"][0])), None)
    if folder is None:
        raise file_error(
            f"Fashion-MNIST is not in {' or '.join(str(each) for each in folders)}: set download: true, or install the "
            "package dataset-fashion-mnist and leave root out"
        )
    train, test = _split(folder, *FILES["train"]), _split(folder, *FILES["test"])
    size, test_size = ([*part.pixels.shape[2:]] for part in (train, test))
    if size != test_size:
        raise file_error(f"{folder / FILES['test'][0]} holds images of size {test_size}, the training set of {size}")
    return train, test, CLASSES


def _split(folder: Path, images: str, labels: str) -> Images:
    labels_file = _file(folder, labels)
    split = Images(_read(_file(folder, images), 3)[:, None], _read(labels_file, 1).long())
    check_labels(labels_file, split, CLASSES)
    return split


def _read(path: Path, dimensions: int) -> Tensor:
    """Return the array of an idx file: four bytes of type and dimensions, the sizes, the values."""
    with reading(path, "a whole idx file"):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        kind = bytes([0, 0, UNSIGNED_BYTE, dimensions])
        if content[:4] != kind:
            raise ValueError(f"it starts with the bytes {[*content[:4]]} and not with {[*kind]}")
        sizes = np.frombuffer(content, ">i4", dimensions, offset=4).tolist()
        if min(sizes) < 1:
            raise ValueError(f"its header tells sizes of {sizes}")
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(sizes)
    return torch.from_numpy(values.copy())


def _file(folder: Path, name: str) -> Path:
    path = _find(folder, name)
    if path is None:
        raise file_error(f"{folder / name} is missing (also as .gz)")
    return path


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
