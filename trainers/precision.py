"""In which numbers and in which memory order a network computes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Numerics:
    """The settings ``precision`` and ``memory_format`` as they are on one device."""

    device: torch.device
    precision: str
    memory_format: str

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context for forward passes; parameters, gradients and the loss stay fp32."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)

    @property
    def order(self) -> torch.memory_format:
        """The memory order of images and of convolutions' weights."""
        return torch.channels_last if self.memory_format == "channels_last" else torch.contiguous_format

    def lay_out(self, images: Tensor) -> Tensor:
        """Return a copy of a batch (N, C, H, W) in the memory order; what follows in the network keeps it.

        An image of one channel is in both orders at once; only new memory has strides that say which is meant.
        """
        return torch.empty_like(images, memory_format=self.order).copy_(images)


def choose_numerics(training: Mapping[str, Any], device: torch.device) -> Numerics:
    """Return the numerics for `device`.

    ``auto`` is a rule, not a race on the spot: two choices round differently, so a stopwatch that picks one today and
    the other tomorrow would change results from run to run. The rule holds what was measured (docs/log.md,
    benchmarks/training.py): on a CPU fp32 in channels_last, on a GPU bf16 in channels_last.
    fp32 on a GPU lets convolutions use TF32, as torch does by default.
    """
    on_gpu = device.type == "cuda"
    precision, memory_format = training["precision"], training["memory_format"]
    if precision == "auto":
        precision = "bf16" if on_gpu else "fp32"
    if memory_format == "auto":
        memory_format = "contiguous" if on_gpu and precision == "fp32" else "channels_last"
    return Numerics(device, precision, memory_format)
