"""Which layers of a network compute together in Triton's kernels: batch norm, addition, ReLU, and convolution if asked.

Networks keep their modules and their states; only what is computed in training changes, where the values lie on a GPU
and Triton is there. In evaluation, on a CPU, with hooks and without Triton everything computes as it is written.
"""

import os
from collections.abc import Sequence
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import torch
from torch import Tensor, nn

from search_spaces.blocks import Unit
from search_spaces.layers import BatchNorm, NarrowProjection
from search_spaces.shortcuts import Shortcut

if TYPE_CHECKING:
    from trainers.step.conv_kernels import Geometry
    from trainers.step.norm_kernels import Moments, Running

LARGEST = 2**31 - 1  # values of a batch: the kernels count them in 32 bits
_KEPT = "_moments"  # the attribute of a convolution's output that its batch norm reads


class FusedLayers(NamedTuple):
    """Layers that compute together, the first `length` of some: a norm, a ReLU and a convolution, or some of these."""

    norm: nn.BatchNorm2d | None
    relu: bool
    conv: nn.Conv2d | None
    length: int


def use_triton(network: nn.Module, convolutions: bool) -> int:
    """Make the layers of `network` compute together, in place; return how many sequences and units do.

    In a Sequential these are a batch norm with the ReLU that may follow and, with `convolutions`, the convolution that
    may follow that. A residual unit adds an identity or projected shortcut in the kernel of what ends its branch: a
    batch norm, whose sum a ReLU cuts off, or with `convolutions` a convolution.
    """
    places = 0
    for module in network.modules():
        computes = _computes(module, convolutions)
        if computes is not None and "forward" not in vars(module):  # which recomputes activations
            vars(module)["forward"] = partial(computes, module, convolutions)
            places += 1
    return places


@cache
def has_triton() -> bool:
    """Whether Triton is installed; torch brings it for NVIDIA's GPUs."""
    return find_spec("triton") is not None


def _computes(module: nn.Module, convolutions: bool) -> Any:
    """Return what computes `module` in Triton's kernels; None where they have nothing to compute."""
    if type(module) is nn.Sequential:
        known = any(_is_norm(each) or (convolutions and _is_conv(each)) for each in module)
        return _sequence if known else None
    if type(module) is not Unit or type(module.merge) is not Shortcut or module.merge.concat:
        return None
    last = module.branch[-1]
    if module.after is not None:
        return _unit_with_norm if _is_norm(last) and [type(each) for each in module.after] == [nn.ReLU] else None
    return _unit_with_conv if convolutions and _is_conv(last) else None


def _sequence(sequence: nn.Sequential, convolutions: bool, x: Tensor) -> Tensor:
    if not _is_usable([sequence], x):
        out: Tensor = type(sequence).forward(sequence, x)
        return out
    return _through(list(sequence), convolutions, x)


def _unit_with_norm(unit: Unit, convolutions: bool, x: Tensor) -> Tensor:
    """Compute a unit whose branch ends in a batch norm, and which cuts off after the addition."""
    *before, norm = unit.branch
    assert unit.after is not None
    assert _is_norm(norm)
    if not _is_usable([unit, unit.branch, norm, unit.merge, unit.after, *unit.after], x):
        return type(unit).forward(unit, x)
    x, shortcut = _shared(unit, x)
    value = _through(before, convolutions, x)
    if shortcut.dtype != value.dtype or value.numel() > LARGEST:
        result: Tensor = unit.after(norm(value) + shortcut)
        return result
    return _normalise(norm, value, shortcut, relu=True)


def _unit_with_conv(unit: Unit, convolutions: bool, x: Tensor) -> Tensor:
    """Compute a unit whose branch ends in a convolution, after whose addition nothing comes."""
    if not _is_usable([unit, unit.branch, unit.merge], x):
        return type(unit).forward(unit, x)
    x, shortcut = _shared(unit, x)
    return _through(list(unit.branch), convolutions, x, shortcut)


def _shared(unit: Unit, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return what enters the branch, and the shortcut."""
    if unit.shared is not None:
        x = unit.shared(x)
    return x, x if unit.merge.resize is None else unit.merge.resize(x)


def _through(layers: Sequence[nn.Module], convolutions: bool, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
    """Compute `layers` and add the shortcut, in the kernel of the last convolution where that is known how."""
    at = 0
    while at < len(layers):
        group = _first_group(layers[at:], convolutions, x)
        if group is None:
            x = layers[at](x)
            at += 1
            continue
        at += group.length
        if group.conv is not None:
            added = shortcut if at == len(layers) and shortcut is not None and shortcut.dtype == _type(x) else None
            shortcut = None if added is not None else shortcut
            x = _convolve(group.norm, group.conv, x, added)
        elif group.norm is not None:
            x = _normalise(group.norm, x, None, group.relu)
    return x if shortcut is None else x + shortcut


def _first_group(layers: Sequence[nn.Module], convolutions: bool, x: Tensor) -> FusedLayers | None:
    """Return the layers that begin `layers` and compute together; None where the first computes as it is written."""
    plain = [layer if _is_plain(layer) else None for layer in layers[:3]]
    first, second, third = (*plain, None, None)[:3]
    if convolutions and _is_conv(first) and _fits(first, x):
        return FusedLayers(None, False, first, 1)
    if not _is_norm(first) or x.numel() > LARGEST:
        return None
    relu = type(second) is nn.ReLU
    if relu and convolutions and _is_conv(third) and _fits(third, x):
        return FusedLayers(first, True, third, 3)
    return FusedLayers(first, relu, None, 1 + relu)


def _normalise(norm: nn.BatchNorm2d, x: Tensor, shortcut: Tensor | None, relu: bool) -> Tensor:
    from trainers.step.norm_kernels import NormAddReLU

    out: Tensor = NormAddReLU.apply(x, shortcut, norm.weight, norm.bias, _running(norm), _moments(x), relu)
    return out


def _convolve(norm: nn.BatchNorm2d | None, conv: nn.Conv2d, x: Tensor, shortcut: Tensor | None) -> Tensor:
    """Normalise and cut off where there is a norm, convolve, add; keep the moments of the result with it."""
    from trainers.step.conv_kernels import ROWS, NormReLUConv
    from trainers.step.norm_kernels import Moments

    moments, kind = _moments(x), _type(x)
    affine = (None, None, None) if norm is None else (norm.weight, norm.bias, _running(norm))
    out: Tensor
    out, means, squares = NormReLUConv.apply(
        x.to(kind), shortcut, conv.weight.to(kind), *affine, moments, _geometry(conv, x)
    )
    setattr(out, _KEPT, (out._version, Moments(means, squares, ROWS)))
    return out


def _moments(x: Tensor) -> "Moments | None":
    """Return the moments that a convolution found of its output `x`, unless `x` was changed since."""
    version, moments = getattr(x, _KEPT, (None, None))
    return moments if version == x._version else None


def _running(norm: nn.BatchNorm2d) -> "Running":
    from trainers.step.norm_kernels import Running

    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.momentum is not None
    return Running(norm.running_mean, norm.running_var, norm.momentum, norm.eps)


def _geometry(conv: nn.Conv2d, x: Tensor) -> "Geometry":
    from trainers.step.conv_kernels import Geometry

    height, width = x.shape[2:]
    (down, right), (above, left) = conv.kernel_size, _padding(conv)
    return Geometry(
        images=len(x),
        height=height,
        width=width,
        groups=conv.groups,
        inputs=conv.in_channels // conv.groups,
        outputs=conv.out_channels // conv.groups,
        kernel=(down, right),
        stride=conv.stride[0],
        padding=(above, left),
    )


def _fits(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether the kernels can count the values of the convolution's input and output."""
    geometry = _geometry(conv, x)
    pixels = geometry.out_height * geometry.out_width
    return pixels > 0 and max(x.numel(), len(x) * conv.out_channels * pixels) <= LARGEST


def _type(x: Tensor) -> torch.dtype:
    """Return the type in which a convolution of `x` computes."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _is_usable(modules: Sequence[nn.Module], x: Tensor) -> bool:
    """Whether `modules`, which are not computed themselves, may be passed over for values like `x`."""
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    known = x.dim() == 4 and x.dtype in (torch.float32, torch.bfloat16)
    training = modules[0].training and (x.is_cuda or interpreted)
    return training and known and has_triton() and all(_is_plain(each) for each in modules)


def _is_norm(module: nn.Module | None) -> TypeGuard[nn.BatchNorm2d]:
    return (
        isinstance(module, nn.BatchNorm2d)
        and type(module) in (BatchNorm, nn.BatchNorm2d)
        and module.momentum is not None
        and bool(module.affine)
        and module.running_mean is not None
    )


def _is_conv(module: nn.Module | None) -> TypeGuard[nn.Conv2d]:
    """Whether `module` is a convolution without a bias or dilation, zeros around its images, both strides alike."""
    return (
        isinstance(module, nn.Conv2d)
        and type(module) in (nn.Conv2d, NarrowProjection)
        and module.bias is None
        and module.dilation == (1, 1)
        and module.stride[0] == module.stride[1]
        and module.padding_mode == "zeros"
        and isinstance(module.padding, tuple)
    )


def _padding(conv: nn.Conv2d) -> tuple[int, int]:
    assert isinstance(conv.padding, tuple)
    above, left = conv.padding
    return int(above), int(left)


def _is_plain(module: nn.Module) -> bool:
    return not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
