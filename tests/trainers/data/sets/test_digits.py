import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
import torch

from trainers.data.sets import digits
from trainers.testing import DataSetContract


class TestDigits(DataSetContract):
    data: ClassVar = {"name": "digits"}


def by_scikit_learn() -> list[torch.Tensor]:
    """Return pixels and labels to train on and to test on, as scikit-learn reads and splits them."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    pixels, labels = bunch.images.astype(np.uint8)[:, None], bunch.target.astype(np.int64)
    parts = train_test_split(np.arange(len(labels)), test_size=360, stratify=labels, random_state=0)
    return [torch.from_numpy(each[part]) for part in parts for each in (pixels, labels)]


@pytest.mark.parametrize("has_file", [True, False])
def test_images_and_split_are_scikit_learns(has_file: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_file:
        monkeypatch.setattr(digits, "find_spec", lambda name: None)
    train, test, classes = digits.load()
    assert classes == 10
    found = [train.pixels, train.labels, test.pixels, test.labels]
    for ours, theirs in zip(found, by_scikit_learn(), strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_scikit_learn_is_not_imported_for_them() -> None:
    code = "import sys; from trainers.data.sets.digits import load; load(); assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
