"""Small files in the formats of the data sets, written for tests."""

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
from PIL import Image


def write_batch(path: Path, count: int, key: str, classes: int) -> None:
    rows = (np.arange(count * 3072) % 251).astype(np.uint8).reshape(count, 3072)
    batch = {"data": rows, key: [at % classes for at in range(count)], "batch_label": "made here"}
    path.write_bytes(pickle.dumps(batch, protocol=2))


def write_cifar10(root: Path) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for at in range(1, 6):
        write_batch(folder / f"data_batch_{at}", 8, "labels", 10)
    write_batch(folder / "test_batch", 6, "labels", 10)
    return root


def write_cifar100(root: Path, train: int = 12) -> Path:
    folder = root / "cifar-100-python"
    folder.mkdir()
    write_batch(folder / "train", train, "fine_labels", 100)
    write_batch(folder / "test", 5, "fine_labels", 100)
    return root


def write_idx(path: Path, array: np.ndarray, kind: int = 8) -> None:
    header = struct.pack(">BBBB", 0, 0, kind, array.ndim) + struct.pack(f">{array.ndim}i", *array.shape)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(header + array.astype(np.uint8).tobytes())


def write_fashion_mnist(root: Path, suffix: str = "", train: int = 12) -> Path:
    folder = root / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for part, count in (("train", train), ("t10k", 6)):
        images = np.arange(count * 28 * 28).reshape(count, 28, 28) % 251
        write_idx(folder / f"{part}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte{suffix}", np.arange(count) % 10)
    return root


def write_photographs(root: Path, parts: dict[str, int], labels: tuple[str, ...] = ("cat", "dog")) -> Path:
    """Write `parts[name]` noisy photographs of each class below each part."""
    source = np.random.default_rng(0)
    for part, count in parts.items():
        for label in labels:
            folder = root / part / label
            folder.mkdir(parents=True, exist_ok=True)
            for at in range(count):
                pixels = source.integers(0, 256, (40 + at, 60, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{at}.jpg")
    return root
