"""Every source of randomness of a trial, derived from its seed, its purpose and its epoch.

Nothing is drawn from a stream that lives on between epochs. So an epoch's order, augmentation and dropout masks are
the same whether the trial runs alone, in a pack, in a fresh process, in a reused one, or continues from a checkpoint.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from search_spaces.generators import generators_seeded

Purpose = Literal["init", "order", "augment", "dropout", "split", "test_split", "synthetic", "probe", "evaluation"]


def derive(seed: int, purpose: Purpose, epoch: int = 0) -> int:
    """Return the 63-bit seed of one purpose in one epoch of the trial with that seed."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, purpose: Purpose, epoch: int = 0) -> torch.Generator:
    """Return a fresh generator on the CPU; drawing there keeps the numbers the same on every device."""
    return torch.Generator().manual_seed(derive(seed, purpose, epoch))


@contextmanager
def seeded(seed: int, purpose: Purpose, epoch: int = 0, device: torch.device | None = None) -> Iterator[None]:
    """Seed the generators of Python, NumPy, torch's CPU and `device` inside the block; put them back after it.

    Networks and steps of the user's own may draw from any of them.
    """
    with generators_seeded(derive(seed, purpose, epoch), device):
        yield
