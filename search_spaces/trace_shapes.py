"""What operations put out where there is no memory: tensors of the right shape, made without asking torch.

Each function takes the positional arguments of an operation and returns None for whatever is out of the ordinary: then
torch is asked, and says what is wrong where something is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def _is_plain(*values: Any) -> bool:
    """Whether these are tensors of one floating-point type, without memory, whose strides follow from their shapes."""
    return all(
        isinstance(each, Tensor)
        and each.is_meta
        and each.is_floating_point()
        and each.dtype == values[0].dtype
        and each.is_contiguous()
        for each in values
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _normalised(images: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return what a batch normalisation of (N, C, H, W) does: a tensor of that shape, and two of shape (C,)."""
    if not _is_plain(images):
        return None
    return images.new_empty(images.shape), images.new_empty(images.shape[1]), images.new_empty(images.shape[1])


def _alike(tensor: Tensor, *settings: Any) -> Tensor | None:
    """Return what an operation gives that takes each number by itself: a tensor of the same shape."""
    return tensor.new_empty(tensor.shape) if _is_plain(tensor) and all(map(_is_number, settings)) else None


def _itself(tensor: Tensor, *_: Any) -> Tensor | None:
    """Return a tensor that is to be filled: where there is no memory, nothing happens."""
    return tensor if tensor.is_meta and tensor.is_floating_point() else None


def _pooled(
    images: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor] | None:
    """Return what a max pooling gives: a tensor of its shape, and where each maximum was."""
    asked = (kernel, stride or kernel, padding, dilation)
    if images.dim() != 4 or ceil_mode or any(len(each) != 2 for each in asked) or not _is_plain(images):
        return None
    if any(2 * pad > width for width, pad in zip(kernel, padding, strict=True)):
        return None
    sizes = _window_sizes(images, *asked)
    if sizes is None:
        return None
    shape = (*images.shape[:2], *sizes)
    return images.new_empty(shape), images.new_empty(shape, dtype=torch.int64)


def _window_sizes(
    images: Tensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> list[int] | None:
    """Return how often a window fits along each dimension of (N, C, ...); None where it does not, or is no window."""
    if min(*kernel, *stride, *dilation) < 1 or min(padding) < 0:
        return None
    sizes = [
        (size + 2 * pad - gap * (width - 1) - 1) // step + 1
        for size, width, step, pad, gap in zip(images.shape[2:], kernel, stride, padding, dilation, strict=True)
    ]
    return sizes if min(sizes) > 0 else None


def _averaged(tensor: Tensor, dims: Sequence[int] | None = None, keepdim: bool = False) -> Tensor | None:
    """Return what a mean gives: a tensor without the dimensions that it is over, or with one value in each."""
    count = tensor.dim()
    over = dims or range(count)
    if not _is_plain(tensor) or not all(-count <= dim < count for dim in over):
        return None
    gone = {dim % count for dim in over}
    if len(gone) < len(over):
        return None
    sizes = [1 if dim in gone else size for dim, size in enumerate(tensor.shape)]
    return tensor.new_empty(sizes if keepdim else [sizes[dim] for dim in range(count) if dim not in gone])


def _classified(bias: Tensor, features: Tensor, weights: Tensor) -> Tensor | None:
    """Return what a linear layer makes of (N, features): a tensor of shape (N, classes), if the shapes go together."""
    if not features.dim() == weights.dim() == 2 or not _is_plain(bias, features) or weights.dtype != bias.dtype:
        return None
    if features.shape[1] != weights.shape[0] or bias.shape != weights.shape[1:]:
        return None
    return features.new_empty((features.shape[0], weights.shape[1]))


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
) -> Tensor | None:
    """Return what a convolution puts out: a tensor of its shape."""
    ordinary = (
        not transposed
        and _is_plain(images, weights)
        and images.dim() == weights.dim() == 2 + len(stride)
        and len(stride) == len(padding) == len(dilation)
        and groups > 0
        and images.shape[1] == weights.shape[1] * groups
        and weights.shape[0] % groups == 0
        and (bias is None or (bias.shape == weights.shape[:1] and bias.dtype == weights.dtype))
    )
    sizes = _window_sizes(images, weights.shape[2:], stride, padding, dilation) if ordinary else None
    return None if sizes is None else images.new_empty((images.shape[0], weights.shape[0], *sizes))


def _overwritten(tensor: Tensor, other: Any, *_: Any) -> Tensor | None:
    """Return what an operation in place gives: its first tensor, if the shapes go together."""
    if _is_number(other):
        return tensor if _is_plain(tensor) else None
    return tensor if _is_plain(tensor, other) and tensor.shape == other.shape else None


def _combined(tensor: Any, other: Any, *_: Any) -> Tensor | None:
    """Return what an operation on two tensors gives, or on one and a number: the shape that both are spread to."""
    if _is_number(other):
        return _alike(tensor)
    if not _is_plain(tensor, other) or tensor.dim() != other.dim():
        return None
    sizes = list(zip(tensor.shape, other.shape, strict=True))
    if any(one != two and 1 not in (one, two) for one, two in sizes):
        return None
    result: Tensor = tensor.new_empty([two if one == 1 else one for one, two in sizes])
    return result


def _dropped(tensor: Tensor, rate: float, train: bool | None) -> tuple[Tensor, Tensor] | None:
    """Return what dropout gives: a tensor of that shape, and which values were kept."""
    if not train or rate == 0 or not _is_plain(tensor):
        return None
    return tensor.new_empty(tensor.shape), tensor.new_empty(tensor.shape, dtype=torch.bool)


# Without a device torch does these in Python: three quarters of a deep network's time, and for all but the first of
# them it imports sympy, or its compiler: half a second or a whole one, and 60 MiB.
SHORT_CUTS: Mapping[str, Callable[..., Any]] = {
    "native_batch_norm": _normalised,
    "normal_": _itself,
    "uniform_": _itself,
    "mean": _averaged,
    "max_pool2d_with_indices": _pooled,
    "addmm": _classified,
    "convolution": _convolved,
    "add_": _overwritten,
    "mul_": _overwritten,
    "div_": _overwritten,
    "bernoulli_": _itself,
    "add": _combined,
    "sub": _combined,
    "mul": _combined,
    "native_dropout": _dropped,
    "sigmoid": _alike,
    "neg": _alike,
    "rsub": _combined,
    "relu": _alike,
    "gelu": _alike,
    "silu": _alike,
    "silu_": _itself,
    "tanh": _alike,
    "mish": _alike,
    "hardswish": _alike,
    "leaky_relu": _alike,
    "elu": _alike,
    "hardtanh": _alike,
    "softplus": _alike,
}
