"""The global generators that code of the user's own may draw from: Python's, NumPy's and torch's."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def generators_seeded(value: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed the generators of Python, NumPy, torch's CPU and `device` inside the block; put them back after it."""
    plain, numbers = random.getstate(), np.random.get_state()
    devices = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        random.seed(value)
        np.random.seed(value % 2**32)
        torch.default_generator.manual_seed(value)
        for each in devices:
            with torch.cuda.device(each):
                torch.cuda.manual_seed(value)
        try:
            yield
        finally:
            random.setstate(plain)
            np.random.set_state(numbers)
