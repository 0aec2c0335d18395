"""The 1,797 handwritten digits of 8 x 8 pixels that scikit-learn ships."""

import gzip
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trainers.data.images import Images, Splits

SPLIT = Path(__file__).with_name("digits_split.json")
"""Which images are trained on and which are for testing, each in its order: what scikit-learn's train_test_split gives
with test_size=360, stratified by label, random_state=0."""


def load() -> Splits:
    """Return the digits split once and for all: 1,437 to train on, 360 to test on, the classes in proportion."""
    numbers, split = _numbers(), json.loads(SPLIT.read_text())
    pixels, labels = numbers[:, :-1].reshape(-1, 1, 8, 8).astype(np.uint8), numbers[:, -1].astype(np.int64)
    images = Images(torch.from_numpy(pixels), torch.from_numpy(labels))
    return images.take(torch.tensor(split["train"])), images.take(torch.tensor(split["test"])), 10


def _numbers() -> NDArray[np.float64]:
    """Return a row an image, its 64 pixels and its label."""
    package = find_spec("sklearn")
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        file = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():  # read without importing scikit-learn, which takes a second in the driver and in each worker
            with gzip.open(file, "rt") as text:
                return np.loadtxt(text, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])
