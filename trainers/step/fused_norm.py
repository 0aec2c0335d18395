"""Batch norms that compute the addition and the ReLU that follow them, in the kernels of `trainers.step.norm_kernels`.

Networks keep their modules and their states; only what is computed in training changes, where the values lie on a GPU
and Triton is there. In evaluation, on a CPU and without Triton everything computes as it is written.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.blocks import Unit
from search_spaces.layers import BatchNorm
from search_spaces.shortcuts import Shortcut

LARGEST = 2**31 - 1  # values of a batch: the kernels count them in 32 bits


def use_fused_norms(network: nn.Module) -> int:
    """Make the batch norms of `network` compute what follows them, in place; return in how many places.

    These are a batch norm and a ReLU in a Sequential, and the end of a residual unit that adds an identity or
    projected shortcut to a batch norm and cuts off with a ReLU. Modules with hooks stay as they are.
    """
    places = 0
    for module in network.modules():
        if type(module) is nn.Sequential:
            for norm, relu in pairwise(module):
                if _is_norm(norm) and type(relu) is nn.ReLU and _is_plain(norm) and _is_plain(relu):
                    vars(norm)["forward"] = partial(_norm_relu, norm)
                    vars(relu)["forward"] = partial(_relu_after, relu, norm)
                    places += 1
        elif type(module) is Unit and _ends_in_norm_add_relu(module):
            vars(module)["forward"] = partial(_unit, module, module.forward)
            places += 1
    return places


@cache
def has_triton() -> bool:
    """Whether Triton is installed; torch brings it for NVIDIA's GPUs."""
    return find_spec("triton") is not None


def _is_usable(norm: nn.Module, x: Tensor) -> bool:
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    return norm.training and (x.is_cuda or interpreted) and has_triton() and x.numel() <= LARGEST


def _compute(norm: nn.Module, x: Tensor, shortcut: Tensor | None) -> Tensor:
    from trainers.step.norm_kernels import NormAddReLU

    out: Tensor = NormAddReLU.apply(
        x, shortcut, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.momentum, norm.eps, True
    )
    return out


def _norm_relu(norm: nn.Module, x: Tensor) -> Tensor:
    """Normalise, and in training cut off too; else the ReLU that follows does it."""
    out: Tensor = _compute(norm, x, None) if _is_usable(norm, x) else type(norm).forward(norm, x)
    return out


def _relu_after(relu: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
    return x if _is_usable(norm, x) else F.relu(x, inplace=bool(relu.inplace))


def _unit(unit: Unit, forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    *before, norm = unit.branch
    if not _is_usable(norm, x):
        return forward(x)
    if unit.shared is not None:
        x = unit.shared(x)
    value = x
    for layer in before:
        value = layer(value)
    shortcut = x if unit.merge.resize is None else unit.merge.resize(x)
    if shortcut.dtype != value.dtype:
        assert unit.after is not None
        merged: Tensor = unit.after(unit.merge(x, norm(value)))
        return merged
    return _compute(norm, value, shortcut)


def _ends_in_norm_add_relu(unit: Unit) -> bool:
    after = [] if unit.after is None else list(unit.after)
    parts = [unit, unit.branch, unit.merge, *unit.branch, *after]
    return (
        _is_norm(unit.branch[-1])
        and type(unit.merge) is Shortcut
        and not unit.merge.concat
        and [type(each) for each in after] == [nn.ReLU]
        and all(_is_plain(each) for each in parts)
    )


def _is_norm(module: nn.Module) -> bool:
    return (
        type(module) in (BatchNorm, nn.BatchNorm2d)
        and module.momentum is not None
        and bool(module.affine)
        and module.running_mean is not None
    )


def _is_plain(module: nn.Module) -> bool:
    return not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
