"""How a pack computes: in which numbers and memory order, as one network or apart, with how many threads."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainers.step.triton_layers import has_triton


@dataclass(frozen=True)
class Numerics:
    """Everything on one device that the rounding of a result depends on.

    `fused` says that the replicas of a pack are to compute as one network, where that is known how; `threads` counts
    those of a CPU; `deterministic` keeps a GPU to algorithms that repeat themselves bit for bit. `triton` says what
    Triton's kernels compute: ``none``, ``norm`` (batch norms with what follows them) or ``conv`` (convolutions too).
    """

    device: torch.device
    precision: str
    memory_format: str
    fused: bool = False
    threads: int = 1
    deterministic: bool = True
    triton: str = "none"

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


def choose_numerics(training: Mapping[str, Any], device: torch.device, threads: int = 1) -> Numerics:
    """Return the numerics for `device` by rule: what was measured (docs/log.md, benchmarks/training.py).

    channels_last everywhere; on a CPU fp32 and packs fused, on a GPU replicas on streams, unless Triton's kernels are
    to convolve, which take a whole pack at once; ``precision: auto`` is bf16 there. fp32 on a GPU lets convolutions use
    TF32, as torch does by default. `trainers.tuning.autotune` may change the memory format, fusion and threads of a
    long training where their settings leave it open; the precision only with ``precision: autotune``, since arms that
    are compared should compute in the same one, and each network's timings could choose another.
    """
    on_gpu = device.type == "cuda"
    precision, memory_format = training["precision"], training["memory_format"]
    if precision in ("auto", "autotune"):
        precision = "bf16" if on_gpu else "fp32"
    if memory_format == "auto":
        memory_format = "channels_last"
    triton = _triton(training) if on_gpu and has_triton() and _has_tensor_cores(device) else "none"
    fused = training["fuse"] == "always" or (training["fuse"] == "auto" and (not on_gpu or triton == "conv"))
    return Numerics(device, precision, memory_format, fused, threads, training.get("deterministic", True), triton)


def _has_tensor_cores(device: torch.device) -> bool:
    """Whether a GPU computes in bf16 and TF32, as those from Ampere on do.

    One that this process does not use yet, as the driver's that plans, is taken for such: asking would open a context.
    """
    return not torch.cuda.is_initialized() or torch.cuda.get_device_capability(device) >= (8, 0)


def _triton(training: Mapping[str, Any]) -> str:
    if training.get("fused_conv") == "auto":
        return "conv"
    return "norm" if training.get("fused_norm") == "auto" else "none"


def in_words(numerics: Numerics) -> str:
    """Say how a pack computes, for a plan and a page."""
    precision = numerics.precision
    if numerics.device.type == "cuda" and precision == "fp32":
        precision = "fp32, convolutions in TF32"
    repeats = "" if numerics.device.type == "cpu" or numerics.deterministic else ", not repeatable bit for bit"
    return f"{precision}, {numerics.memory_format}{_TRITON[numerics.triton]}{repeats}"


_TRITON = {"none": "", "norm": ", batch norms in Triton", "conv": ", convolutions and batch norms in Triton"}
