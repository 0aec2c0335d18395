"""Made-up images with a class in them, for tests and for timings at any size."""

from collections.abc import Mapping
from typing import Any

import torch

from trainers.data.images import Images, Splits
from trainers.seeding import generator


def load_synthetic(settings: Mapping[str, Any]) -> Splits:
    """Return images of noise over one fixed random pattern a class: learnable, and the same for the same settings."""
    shape, classes = settings["shape"], settings["classes"]
    source = generator(settings["seed"], "synthetic")
    patterns = torch.randint(0, 128, (classes, *shape), generator=source, dtype=torch.uint8)

    def split(size: int) -> Images:
        labels = torch.arange(size) % classes
        noise = torch.randint(0, 128, (size, *shape), generator=source, dtype=torch.uint8)
        return Images(patterns[labels] + noise, labels)

    return split(settings["train_size"]), split(settings["test_size"]), classes
