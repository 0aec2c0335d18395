"""One proposal of a sampler: what it chose, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TRAINED, ANSWERED, PENDING, REJECTED = "trained", "answered", "pending", "rejected"


@dataclass(frozen=True)
class Proposal:
    """One point of the space that was proposed, numbered from 0 in the order of asking.

    `origin` is who proposed it: the baseline, a warm start, the sampler, the grid, or random where the sampler kept
    repeating itself. `status` says whether its arm was trained, answered from an earlier proposal of the same network,
    pending (that one was still in training), or rejected for `reason`. `attributes` is what the sampler keeps about it,
    for instance its parents.
    """

    number: int
    origin: str
    status: str
    params: Mapping[str, Any]
    arm: str | None = None
    reason: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
