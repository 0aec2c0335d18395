"""Made-up images with a class in them, for tests and for timings at any size."""

import math
from typing import Annotated

import torch

from search_spaces.annotations import Range
from search_spaces.errors import SettingError
from trainers.data.images import Images, Splits
from trainers.seeding import generator

MOST_IMAGES = 10_000_000
MOST_VALUES = 10**10
"""Values of all images together, of one byte each."""

Side = Annotated[int, Range(1, 512)]


def load(
    *,
    shape: tuple[Side, Side, Side] = (3, 32, 32),
    classes: Annotated[int, Range(2, 10_000)] = 10,
    train_size: Annotated[int, Range(2, MOST_IMAGES)] = 2048,
    test_size: Annotated[int, Range(1, MOST_IMAGES)] = 512,
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0,
) -> Splits:
    """Return images of noise over one fixed random pattern a class: learnable, and the same for the same settings.

    shape: channels, height and width of an image.
    classes: number of classes.
    train_size: number of training images.
    test_size: number of test images.
    seed: the seed of the images.
    """
    values = math.prod(shape) * (train_size + test_size + classes)
    if values > MOST_VALUES:
        raise SettingError(f"{values:,} values are too many to hold in memory: at most {MOST_VALUES:,}", ("shape",))
    source = generator(seed, "synthetic")
    patterns = torch.randint(0, 128, (classes, *shape), generator=source, dtype=torch.uint8)

    def split(size: int) -> Images:
        labels = torch.arange(size) % classes
        noise = torch.randint(0, 128, (size, *shape), generator=source, dtype=torch.uint8)
        return Images(patterns[labels] + noise, labels)

    return split(train_size), split(test_size), classes
