"""What a step of a network does beside computing: what it draws, what it keeps in Python, whether it waits for a GPU.

A recorded step repeats its kernels and nothing else, and a fused one is one network's step for several: both are right
only for a step that is a function of its tensors.
"""

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class StepWatch:
    """Compares generators and attributes from its making to `obstacle`; on a GPU `device` counts too where asked for.

    Draws of a GPU's own generator can be recorded, those of a host's cannot.
    """

    def __init__(self, network: nn.Module, device: torch.device | None = None) -> None:
        self.network = network
        self.device = device
        self.generators = generator_states(device)
        self.attributes = plain_attributes(network)

    def obstacle(self, name: str = "a step") -> str | None:
        """Return what has happened since that makes a step more than a function of its tensors; None for nothing.

        `name` is what it is told of, in words.
        """
        if not _same(self.generators, generator_states(self.device)):
            return f"{name} draws random numbers"
        if self.attributes != plain_attributes(self.network):
            return f"{name} changes attributes of a module"
        return None


def has_hooks(module: nn.Module) -> bool:
    """Whether anything of the user's is called when `module` computes, forward or backward."""
    return any(getattr(module, name) for name in _HOOKS)


def generator_states(device: torch.device | None) -> list[Any]:
    """Return the states of the generators of torch on the CPU, Python and NumPy, and of the GPU `device`."""
    states = [torch.get_rng_state(), random.getstate(), repr(np.random.get_state(legacy=False))]
    return [*states, torch.cuda.get_rng_state(device)] if device is not None and device.type == "cuda" else states


def plain_attributes(network: nn.Module) -> dict[str, str]:
    """Return the attributes of all modules that are no tensors, as text."""
    return {
        f"{name}.{key}": repr(value)
        for name, module in network.named_modules()
        for key, value in vars(module).items()
        if not key.startswith("_") and key != "training" and not isinstance(value, Tensor | nn.Module)
    }


@contextmanager
def waits_noted(waits: list[str]) -> Iterator[None]:
    """Note in `waits` the calls inside the block that make the host wait for the GPU; other warnings are shown."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode(before)
    for each in caught:
        if "synchroniz" in str(each.message):
            waits.append(str(each.message))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def _same(one: list[Any], other: list[Any]) -> bool:
    return all(torch.equal(a, b) if isinstance(a, Tensor) else a == b for a, b in zip(one, other, strict=True))
