"""The 1,797 handwritten digits of 8 x 8 pixels that scikit-learn ships."""

import numpy as np
import torch

from trainers.data.images import Images, Splits

TEST_SIZE = 360


def load() -> Splits:
    """Return the digits split once and for all: 1,437 to train on, 360 to test on, the classes in proportion."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    pixels, labels = bunch.images.astype(np.uint8)[:, None], bunch.target.astype(np.int64)
    train, test = train_test_split(np.arange(len(labels)), test_size=TEST_SIZE, stratify=labels, random_state=0)
    images = Images(torch.from_numpy(pixels), torch.from_numpy(labels))
    return images.take(torch.from_numpy(train)), images.take(torch.from_numpy(test)), 10
