"""How a module takes part when the networks of several seeds are computed as one, their channels side by side.

A class says so with a method ``fused(count)``: it returns the module that computes `count` copies, or None where there
is none. Its children are fused by themselves and need no mention. What a class says holds for subclasses until one
has a ``forward`` of its own. What is random says so with ``is_random = True``: its draws in a fused network would be
others than alone.
"""

import copy
from typing import Protocol, TypeGuard, TypeVar

from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


class Fusable(Protocol):
    """A module that says how several of it are computed as one."""

    def fused(self, count: int) -> nn.Module | None:
        """Return the module that computes `count` copies, or None where there is none."""


def channelwise(module: M, count: int) -> M | None:
    """Return `module` for `count` networks, right for one that treats every channel alike: ``fused = channelwise``.

    Its own parameters and buffers must have the channels as their first dimension; None where one has no dimension.
    """
    result = copy.copy(module)
    result._parameters = {}
    result._buffers = {}
    for name, parameter in module._parameters.items():
        if parameter is not None and parameter.dim() == 0:
            return None
        result._parameters[name] = None if parameter is None else nn.Parameter(_wider(parameter.detach(), count))
    for name, buffer in module._buffers.items():
        if buffer is not None and buffer.dim() == 0:
            return None
        result._buffers[name] = None if buffer is None else _wider(buffer, count)
    return result


def says_how_to_fuse(module: nn.Module) -> TypeGuard[Fusable]:
    """Whether the class of `module` has a ``fused`` that holds for its ``forward``."""
    return next(
        ("fused" in vars(each) for each in type(module).__mro__ if "fused" in vars(each) or "forward" in vars(each)),
        False,
    )


def _wider(tensor: Tensor, count: int) -> Tensor:
    return tensor.new_empty((count * tensor.shape[0], *tensor.shape[1:]))
