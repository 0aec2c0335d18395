"""The network that a seed starts from, and which of its weights another network starts from as well."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from torch import nn

from search_spaces import build_network
from trainers.records import DataInfo
from trainers.seeding import seeded
from trainers.step.initialization import initialise


def start_network(network: Mapping[str, Any], init: Mapping[str, str | float], seed: int, info: DataInfo) -> nn.Module:
    """Build the network of a seed with the weights that its training starts from, on the CPU."""
    with seeded(seed, "init"):
        built = build_network(dict(network), info.input_shape, info.num_classes)
        initialise(built, init)
    return built


def drawn_weights(network: nn.Module) -> Counter[str]:
    """Count the weight tensors that were drawn at random, by a hash of shape and values; equal ones share a hash.

    Vectors, and tensors with one value everywhere, such as those of a batch norm, are not counted.
    """
    counts: Counter[str] = Counter()
    for weight in network.parameters():
        values = weight.detach()
        if values.dim() > 1 and values.numel() > 1 and bool((values != values.flatten()[0]).any()):
            counts[hashlib.sha256(repr(tuple(values.shape)).encode() + values.numpy().tobytes()).hexdigest()] += 1
    return counts
