"""Which layers of a network compute together in Triton's kernels: batch norm, addition, ReLU, and convolution if asked.

Networks keep their modules and their states; only what is computed in training changes, where the values lie on a GPU
and Triton is there. In evaluation, on a CPU, with hooks and without Triton everything computes as it is written.
"""

import os
import shutil
from collections.abc import Sequence
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from search_spaces.blocks import Unit
from search_spaces.layers import BatchNorm, NarrowProjection
from search_spaces.shortcuts import Shortcut
from trainers.step.observation import has_hooks

if TYPE_CHECKING:
    from trainers.step.conv_kernels import Geometry
    from trainers.step.norm_kernels import Moments, Running

LARGEST = 2**31 - 1  # values of a batch: the kernels count them in 32 bits
MOST_PROGRAMS = 65_535  # along the second and third side of CUDA's grid
MOST_SHAPES = 40  # of a network's convolutions: kernels are compiled for each, which takes seconds
TYPES = (torch.float32, torch.bfloat16)
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
    batch norm, whose sum a ReLU cuts off, or with `convolutions` a convolution. Convolutions of more shapes than
    `MOST_SHAPES`, as in a DenseNet, are left to torch.
    """
    places = 0
    shapes = {(each.weight.shape, each.stride) for each in network.modules() if _is_conv(each)}
    convolutions = convolutions and len(shapes) <= MOST_SHAPES
    for module in network.modules():
        computes = _computes(module, convolutions)
        if computes is not None and "forward" not in vars(module):  # which recomputes activations
            vars(module)["forward"] = partial(computes, module, convolutions)
            places += 1
    return places


@cache
def has_triton() -> bool:
    """Whether Triton is installed, which torch brings for NVIDIA's GPUs, and a C compiler, which it needs."""
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")
    return find_spec("triton") is not None and compiler is not None


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
    after = () if unit.after is None else (unit.after, *unit.after)
    if not (_is_norm(norm) and after and _is_usable([unit, unit.branch, norm, unit.merge, *after], x)):
        return type(unit).forward(unit, x)
    x, shortcut = _shared(unit, x)
    value = _through(before, convolutions, x)
    if shortcut.dtype != value.dtype or not _normalises(norm, value):
        result: Tensor = after[0](norm(value) + shortcut)
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
    if not _is_norm(first) or not _normalises(first, x):
        return None
    relu = type(second) is nn.ReLU
    # Torch normalises in the type of the values, and rounds to the convolution's type after that.
    if relu and convolutions and _is_conv(third) and x.dtype == _type(x) and _fits(third, x):
        return FusedLayers(first, True, third, 3)
    return FusedLayers(first, relu, None, 1 + relu)


def _normalise(norm: nn.BatchNorm2d, x: Tensor, shortcut: Tensor | None, relu: bool) -> Tensor:
    from trainers.step.norm_kernels import NormAddReLU

    out: Tensor = NormAddReLU.apply(x, shortcut, norm.weight, norm.bias, _running(norm), _moments(x), relu)
    return out


def _convolve(norm: nn.BatchNorm2d | None, conv: nn.Conv2d, x: Tensor, shortcut: Tensor | None) -> Tensor:
    """Normalise and cut off where there is a norm, convolve, add; keep the moments of the result with it."""
    from trainers.step.conv_kernels import NormReLUConv
    from trainers.step.norm_kernels import Moments

    moments, kind, geometry = _moments(x), _type(x), _geometry(conv, x)
    affine = (None, None, None) if norm is None else (norm.weight, norm.bias, _running(norm))
    out: Tensor
    out, means, squares = NormReLUConv.apply(x.to(kind), shortcut, conv.weight.to(kind), *affine, moments, geometry)
    setattr(out, _KEPT, (out._version, Moments(means, squares, geometry.block_rows)))
    return out


def _moments(x: Tensor) -> "Moments | None":
    """Return the moments that a convolution found of its output `x`, unless `x` was changed since.

    What is changed through `x.data` is not seen here, nor by autograd.
    """
    version, moments = getattr(x, _KEPT, (None, None))
    return moments if version == x._version else None


def _running(norm: nn.BatchNorm2d) -> "Running":
    from trainers.step.norm_kernels import Running

    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.momentum is not None
    if type(norm) is nn.BatchNorm2d and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    return Running(norm.running_mean, norm.running_var, float(norm.momentum), norm.eps)


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
    """Whether `x` is what the convolution takes, and the kernels can count its values and those of the output."""
    if not _is_batch(x) or x.shape[1] != conv.in_channels or conv.weight.dtype not in TYPES:
        return False
    geometry = _geometry(conv, x)
    most = max(x.numel(), len(x) * conv.out_channels * geometry.out_height * geometry.out_width)
    return min(geometry.out_height, geometry.out_width) > 0 and most <= LARGEST


def _normalises(norm: nn.BatchNorm2d, x: Tensor) -> bool:
    """Whether the norm learns from the batch `x`, which the kernels can count, as it is written."""
    learns = norm.training and norm.track_running_stats
    return learns and _is_batch(x) and x.shape[1] == norm.num_features and x.numel() > norm.num_features


def _is_batch(x: Tensor) -> bool:
    return x.dim() == 4 and 0 < x.numel() <= LARGEST and x.dtype in TYPES


def _type(x: Tensor) -> torch.dtype:
    """Return the type in which a convolution of `x` computes."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _is_usable(modules: Sequence[nn.Module], x: Tensor) -> bool:
    """Whether `modules`, which are not computed themselves, may be passed over for values like `x`."""
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    training = modules[0].training and torch.is_grad_enabled()
    usable = training and (x.is_cuda or interpreted) and has_triton() and not _has_any_global_hook()
    return usable and all(_is_plain(each) for each in modules)


def _is_norm(module: nn.Module | None) -> TypeGuard[nn.BatchNorm2d]:
    return (
        isinstance(module, nn.BatchNorm2d)
        and type(module) in (BatchNorm, nn.BatchNorm2d)
        and module.momentum is not None
        and module.weight is not None
        and module.bias is not None
        and module.running_mean is not None
    )


def _is_conv(module: nn.Module | None) -> TypeGuard[nn.Conv2d]:
    """Whether `module` is a convolution without a bias or dilation, zeros around its images, both strides alike.

    One that computes each channel by itself leaves tensor cores idle, and is left to torch.
    """
    return (
        isinstance(module, nn.Conv2d)
        and type(module) in (nn.Conv2d, NarrowProjection)
        and module.bias is None
        and module.dilation == (1, 1)
        and module.stride[0] == module.stride[1]
        and module.padding_mode == "zeros"
        and isinstance(module.padding, tuple)
        and module.out_channels > module.groups
        and max(module.in_channels, module.out_channels) <= MOST_PROGRAMS
    )


def _padding(conv: nn.Conv2d) -> tuple[int, int]:
    assert isinstance(conv.padding, tuple)
    above, left = conv.padding
    return int(above), int(left)


def _is_plain(module: nn.Module) -> bool:
    """Whether nothing but Triton's kernels computes something else than the module's class says."""
    forward = vars(module).get("forward")
    own = getattr(forward, "func", None) in (_sequence, _unit_with_norm, _unit_with_conv)
    return not has_hooks(module) and (forward is None or own)
