"""What operations put out where there is no memory: tensors of the right shape, made without asking torch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def _normalised(images: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return what a batch normalisation of (N, C, H, W) does: a tensor of that shape, and two of shape (C,)."""
    return images.new_empty(images.shape), images.new_empty(images.shape[1]), images.new_empty(images.shape[1])


def _alike(tensor: Tensor, *_: Any) -> Tensor:
    """Return what an operation gives that takes each number by itself: a tensor of the same shape."""
    return tensor.new_empty(tensor.shape)


def _itself(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return a tensor that is to be filled: where there is no memory, nothing happens."""
    return tensor


def _pooled(
    images: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return what a max pooling gives: a tensor of its shape, and where each maximum was."""
    step = stride or kernel
    asked = (kernel, step, padding, dilation)
    if images.dim() == 4 and not ceil_mode and all(len(each) == 2 for each in asked):
        sizes = [
            (size + 2 * pad - gap * (width - 1) - 1) // by + 1
            for size, width, by, pad, gap in zip(images.shape[2:], *asked, strict=True)
        ]
        if min(sizes) > 0 and all(2 * pad <= width for width, pad in zip(kernel, padding, strict=True)):
            shape = (*images.shape[:2], *sizes)
            return images.new_empty(shape), images.new_empty(shape, dtype=torch.int64)
    pooled = torch.ops.aten.max_pool2d_with_indices.default
    return pooled(images, kernel, stride, padding, dilation, ceil_mode)  # type: ignore[no-any-return]


def _averaged(tensor: Tensor, dims: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> Tensor:
    """Return what a mean gives: a tensor without the dimensions that it is over, or with one value in each."""
    gone = {dim % tensor.dim() for dim in (dims or range(tensor.dim()))}
    sizes = [1 if dim in gone else size for dim, size in enumerate(tensor.shape)]
    return tensor.new_empty(sizes if keepdim else [sizes[dim] for dim in range(tensor.dim()) if dim not in gone])


def _classified(bias: Tensor, features: Tensor, weights: Tensor, **_: Any) -> Tensor:
    """Return what a linear layer makes of (N, features): a tensor of shape (N, classes), if the shapes go together."""
    if features.dim() == weights.dim() == 2 and features.shape[1] == weights.shape[0] and bias.dtype == weights.dtype:
        return features.new_empty((features.shape[0], weights.shape[1]))
    return torch.mm(features, weights)


def _convolved(
    images: Tensor,
    weights: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor:
    """Return what a convolution puts out: a tensor of its shape; torch's own where it is out of the ordinary."""
    asked = (stride, padding, dilation)
    ordinary = (
        not transposed
        and images.dim() == weights.dim() == 2 + len(stride)
        and all(len(each) == len(stride) for each in asked)
        and images.shape[1] == weights.shape[1] * groups
        and weights.shape[0] % groups == 0
        and (bias is None or bias.shape == weights.shape[:1])
        and images.dtype == weights.dtype
    )
    if ordinary:
        sizes = [
            (size + 2 * pad - gap * (kernel - 1) - 1) // step + 1
            for size, kernel, step, pad, gap in zip(images.shape[2:], weights.shape[2:], *asked, strict=True)
        ]
        if min(sizes) > 0:
            return images.new_empty((images.shape[0], weights.shape[0], *sizes))
    convolution = torch.ops.aten.convolution.default
    result: Tensor = convolution(images, weights, bias, stride, padding, dilation, transposed, output_padding, groups)
    return result


def _overwritten(name: str) -> Callable[..., Tensor]:
    """Return what an operation in place gives: its first tensor; torch says where the shapes do not go together."""

    def operate(tensor: Tensor, other: Any, **options: Any) -> Tensor:
        if isinstance(other, Tensor) and other.shape == tensor.shape and other.dtype == tensor.dtype:
            return tensor
        if isinstance(other, float) and tensor.is_floating_point():
            return tensor
        result: Tensor = getattr(tensor, name)(other, **options)
        return result

    return operate


def _combined(name: str) -> Callable[..., Tensor]:
    """Return what an operation on two tensors gives, or on one and a number: the shape that both are spread to."""

    def operate(tensor: Tensor, other: Any, **options: Any) -> Tensor:
        if isinstance(other, Tensor) and other.dtype == tensor.dtype and other.dim() == tensor.dim():
            sizes = list(zip(tensor.shape, other.shape, strict=True))
            if all(one == two or 1 in (one, two) for one, two in sizes):
                return tensor.new_empty([two if one == 1 else one for one, two in sizes])
        elif isinstance(other, float) and tensor.is_floating_point():
            return tensor.new_empty(tensor.shape)
        result: Tensor = getattr(torch, name)(tensor, other, **options)
        return result

    return operate


def _dropped(tensor: Tensor, rate: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Return what dropout gives: a tensor of that shape, and which values were kept."""
    if not train or rate == 0:
        return torch.ops.aten.native_dropout.default(tensor, rate, train)  # type: ignore[no-any-return]
    return tensor.new_empty(tensor.shape), tensor.new_empty(tensor.shape, dtype=torch.bool)


# Without a device torch does these in Python: three quarters of a deep network's time, and for all but the first of
# them it imports sympy, or its compiler: half a second, and 60 MiB.
SHORT_CUTS: Mapping[str, Callable[..., Any]] = {
    "native_batch_norm": _normalised,
    "normal_": _itself,
    "uniform_": _itself,
    "mean": _averaged,
    "max_pool2d_with_indices": _pooled,
    "addmm": _classified,
    "convolution": _convolved,
    "add_": _overwritten("add_"),
    "mul_": _overwritten("mul_"),
    "div_": _overwritten("div_"),
    "bernoulli_": _itself,
    "add": _combined("add"),
    "sub": _combined("sub"),
    "mul": _combined("mul"),
    "native_dropout": _dropped,
    "sigmoid": _alike,
    "rsub": _alike,
}
