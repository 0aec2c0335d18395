"""Batch normalisation, addition and ReLU in Triton's kernels: three forward and three backward.

Torch takes about seven kernels for them in bf16 and channels_last, each of which reads and writes the whole batch. Here
the first kernel sums, the second merges the sums, and the third normalises, adds and cuts off; so in the backward pass.
Tensors are (rows, channels), rows being the pixels of all images, which is a batch in channels_last as it lies in
memory. Moments are merged as Chan, Golub and LeVeque (1979) do, in fp32, and in a fixed order: results repeat bit for
bit. A convolution of `trainers.step.conv_kernels` brings the moments of its output along, which saves the first kernel.

Importing this file needs Triton; `trainers.step.triton_layers` decides whether it is used.
"""

from dataclasses import dataclass
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS = 64  # of a block
CHANNELS = 32
MOST_PARTS = 128  # programs along the rows that sum side by side
MERGED = 1024  # parts that are merged at once
# Whatever these are, kernels stay as they are: each takes a second to compile, and a last batch is of another size.
SIZES = ("rows", "parts", "share")


@triton.jit(do_not_specialize=SIZES)
def _moments(x, means, squares, rows, channels, share, parts, R: tl.constexpr, C: tl.constexpr):
    """Write the mean and the sum of squared deviations of each part's rows, by channel."""
    part = tl.program_id(0)
    column = tl.program_id(1) * C + tl.arange(0, C)
    mean = tl.zeros((C,), tl.float32)
    square = tl.zeros((C,), tl.float32)
    count = 0.0
    first = part * share
    last = tl.minimum(first + share, rows)
    for start in range(first, last, R):
        row = start + tl.arange(0, R)
        inside = (row < last)[:, None] & (column < channels)[None, :]
        values = tl.load(x + row[:, None] * channels + column[None, :], mask=inside, other=0.0).to(tl.float32)
        here = tl.minimum(last - start, R).to(tl.float32)
        own = tl.sum(values, 0) / here
        apart = tl.where(inside, values - own[None, :], 0.0)
        whole = count + here
        step = own - mean
        square += tl.sum(apart * apart, 0) + step * step * (count * here / whole)
        mean += step * (here / whole)
        count = whole
    tl.store(means + column * parts + part, mean, mask=column < channels)
    tl.store(squares + column * parts + part, square, mask=column < channels)


@triton.jit(do_not_specialize=SIZES)
def _merge_moments(
    means, squares, mean_out, rate_out, running_mean, running_var, rows, share, parts, momentum, eps, P: tl.constexpr
):
    """Merge the moments of the parts of one channel, and keep the running statistics; the rate is 1 / SD."""
    channel = tl.program_id(0)
    total = tl.zeros((P,), tl.float32)
    for start in range(0, parts, P):
        part = start + tl.arange(0, P)
        count = tl.where(part < parts, tl.minimum(rows - part * share, share), 0).to(tl.float32)
        total += tl.load(means + channel * parts + part, mask=part < parts, other=0.0) * count
    mean = tl.sum(total, 0) / rows
    square = tl.zeros((P,), tl.float32)
    for start in range(0, parts, P):
        part = start + tl.arange(0, P)
        count = tl.where(part < parts, tl.minimum(rows - part * share, share), 0).to(tl.float32)
        step = tl.load(means + channel * parts + part, mask=part < parts, other=0.0) - mean
        square += tl.load(squares + channel * parts + part, mask=part < parts, other=0.0) + step * step * count
    squares_of_all = tl.sum(square, 0)
    tl.store(mean_out + channel, mean)
    tl.store(rate_out + channel, 1.0 / tl.sqrt(squares_of_all / rows + eps))
    old_mean = tl.load(running_mean + channel)
    old_var = tl.load(running_var + channel)
    tl.store(running_mean + channel, old_mean + momentum * (mean - old_mean))
    tl.store(running_var + channel, old_var + momentum * (squares_of_all / (rows - 1) - old_var))


@triton.jit(do_not_specialize=SIZES)
def _normalise(
    x, shortcut, out, weight, bias, mean, rate, rows, channels, ADD: tl.constexpr, RELU: tl.constexpr, R: tl.constexpr,
    C: tl.constexpr,
):  # fmt: skip
    """Normalise, add and cut off a block."""
    column = tl.program_id(1) * C + tl.arange(0, C)
    known = column < channels
    row = tl.program_id(0) * R + tl.arange(0, R)
    inside = (row < rows)[:, None] & known[None, :]
    at = row[:, None] * channels + column[None, :]
    scale = tl.load(weight + column, mask=known, other=0.0) * tl.load(rate + column, mask=known, other=0.0)
    offset = tl.load(bias + column, mask=known, other=0.0) - tl.load(mean + column, mask=known, other=0.0) * scale
    values = tl.load(x + at, mask=inside, other=0.0).to(tl.float32) * scale[None, :] + offset[None, :]
    if ADD:
        values += tl.load(shortcut + at, mask=inside, other=0.0).to(tl.float32)
    if RELU:
        values = tl.where(values > 0, values, tl.where(values != values, values, 0.0))
    tl.store(out + at, values.to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=SIZES)
def _gradient_sums(
    x, out, gradient, mean, rate, sums, products, rows, channels, share, parts, RELU: tl.constexpr, R: tl.constexpr,
    C: tl.constexpr,
):  # fmt: skip
    """Write each part's sums of the gradient, and of the gradient times the normalised values, by channel."""
    part = tl.program_id(0)
    column = tl.program_id(1) * C + tl.arange(0, C)
    known = column < channels
    centre = tl.load(mean + column, mask=known, other=0.0)
    scale = tl.load(rate + column, mask=known, other=0.0)
    total = tl.zeros((C,), tl.float32)
    product = tl.zeros((C,), tl.float32)
    first = part * share
    last = tl.minimum(first + share, rows)
    for start in range(first, last, R):
        row = start + tl.arange(0, R)
        inside = (row < last)[:, None] & known[None, :]
        at = row[:, None] * channels + column[None, :]
        own = tl.load(gradient + at, mask=inside, other=0.0).to(tl.float32)
        if RELU:
            own = tl.where(tl.load(out + at, mask=inside, other=0.0) > 0, own, 0.0)
        values = (tl.load(x + at, mask=inside, other=0.0).to(tl.float32) - centre[None, :]) * scale[None, :]
        total += tl.sum(own, 0)
        product += tl.sum(tl.where(inside, own * values, 0.0), 0)
    tl.store(sums + column * parts + part, total, mask=known)
    tl.store(products + column * parts + part, product, mask=known)


@triton.jit(do_not_specialize=SIZES)
def _merge_sums(sums, products, bias_gradient, weight_gradient, parts, P: tl.constexpr):
    """Add the parts of one channel."""
    channel = tl.program_id(0)
    total = tl.zeros((P,), tl.float32)
    product = tl.zeros((P,), tl.float32)
    for start in range(0, parts, P):
        part = start + tl.arange(0, P)
        total += tl.load(sums + channel * parts + part, mask=part < parts, other=0.0)
        product += tl.load(products + channel * parts + part, mask=part < parts, other=0.0)
    tl.store(bias_gradient + channel, tl.sum(total, 0))
    tl.store(weight_gradient + channel, tl.sum(product, 0))


@triton.jit(do_not_specialize=SIZES)
def _gradients(
    x, out, gradient, mean, rate, weight, bias_gradient, weight_gradient, x_gradient, shortcut_gradient, rows, channels,
    ADD: tl.constexpr, RELU: tl.constexpr, R: tl.constexpr, C: tl.constexpr,
):  # fmt: skip
    """Write a block of the gradients of the values and of the shortcut."""
    column = tl.program_id(1) * C + tl.arange(0, C)
    known = column < channels
    total = tl.load(bias_gradient + column, mask=known, other=0.0)
    product = tl.load(weight_gradient + column, mask=known, other=0.0)
    centre = tl.load(mean + column, mask=known, other=0.0)
    scale = tl.load(rate + column, mask=known, other=0.0)
    row = tl.program_id(0) * R + tl.arange(0, R)
    inside = (row < rows)[:, None] & known[None, :]
    at = row[:, None] * channels + column[None, :]
    own = tl.load(gradient + at, mask=inside, other=0.0).to(tl.float32)
    if RELU:
        own = tl.where(tl.load(out + at, mask=inside, other=0.0) > 0, own, 0.0)
    if ADD:
        tl.store(shortcut_gradient + at, own.to(shortcut_gradient.dtype.element_ty), mask=inside)
    values = (tl.load(x + at, mask=inside, other=0.0).to(tl.float32) - centre[None, :]) * scale[None, :]
    apart = own - (total[None, :] + values * product[None, :]) / rows
    result = apart * (tl.load(weight + column, mask=known, other=0.0) * scale)[None, :]
    tl.store(x_gradient + at, result.to(x_gradient.dtype.element_ty), mask=inside)


@dataclass(frozen=True)
class Moments:
    """The mean and the sum of squared deviations (channels, parts) of a batch, in parts of `share` rows each."""

    means: Tensor
    squares: Tensor
    share: int


@dataclass(frozen=True)
class Running:
    """The running statistics of a batch norm, updated in place, and how."""

    mean: Tensor
    var: Tensor
    momentum: float
    eps: float


def moments_of(x: Tensor) -> Moments:
    """Return the moments of a batch (N, C, H, W) in channels_last."""
    rows, channels = rows_of(x), x.shape[1]
    parts, share = parts_of(rows)
    means, squares = by_part(x, parts), by_part(x, parts)
    grid = (parts, triton.cdiv(channels, CHANNELS))
    _moments[grid](x, means, squares, rows, channels, share, parts, R=ROWS, C=CHANNELS)
    return Moments(means, squares, share)


def merge_moments(moments: Moments, rows: int, running: Running) -> tuple[Tensor, Tensor]:
    """Return the mean and 1 / SD of each channel, and update the running statistics in place."""
    channels, parts = moments.means.shape
    mean, rate = moments.means.new_empty(channels), moments.means.new_empty(channels)
    _merge_moments[(channels,)](
        moments.means, moments.squares, mean, rate, running.mean, running.var, rows, moments.share, parts,
        running.momentum, running.eps, P=_merged(parts),
    )  # fmt: skip
    return mean, rate


def merge_sums(sums: Tensor, products: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of a norm's bias and weight from their parts (channels, parts)."""
    channels, parts = sums.shape
    bias_gradient, weight_gradient = sums.new_empty(channels), sums.new_empty(channels)
    _merge_sums[(channels,)](sums, products, bias_gradient, weight_gradient, parts, P=_merged(parts))
    return bias_gradient, weight_gradient


def norm_gradients(
    x: Tensor, out: Tensor | None, gradient: Tensor, weight: Tensor, mean: Tensor, rate: Tensor,
    sums: tuple[Tensor, Tensor], adds: bool,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Return the gradients of a norm's input and of what was added; `out` where a ReLU that came after cuts off."""
    rows, channels = rows_of(x), x.shape[1]
    x_gradient = torch.empty_like(x)
    added = torch.empty_like(x) if adds else None
    _gradients[(triton.cdiv(rows, ROWS), triton.cdiv(channels, CHANNELS))](
        x, x if out is None else out, gradient, mean, rate, weight, *sums, x_gradient,
        x_gradient if added is None else added, rows, channels, ADD=adds, RELU=out is not None, R=ROWS, C=CHANNELS,
    )  # fmt: skip
    return x_gradient, added


class NormAddReLU(torch.autograd.Function):
    """Batch normalisation in training, then the addition of a shortcut where there is one, then ReLU where asked."""

    @staticmethod
    def forward(
        context: Any, x: Tensor, shortcut: Tensor | None, weight: Tensor, bias: Tensor, running: Running,
        moments: Moments | None, relu: bool,
    ) -> Tensor:  # fmt: skip
        """Return (N, C, H, W) in channels_last and the type of `x`; the running statistics are updated in place."""
        x = in_order(x)
        added = None if shortcut is None else in_order(shortcut)
        rows, channels = rows_of(x), x.shape[1]
        mean, rate = merge_moments(moments_of(x) if moments is None else moments, rows, running)
        out = torch.empty_like(x)
        _normalise[(triton.cdiv(rows, ROWS), triton.cdiv(channels, CHANNELS))](
            x, x if added is None else added, out, weight, bias, mean, rate, rows, channels, ADD=added is not None,
            RELU=relu, R=ROWS, C=CHANNELS,
        )  # fmt: skip
        context.save_for_backward(x, weight, mean, rate, *([out] if relu else []))
        context.adds = added is not None
        return out

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the values, the shortcut, the weight and the bias."""
        x, weight, mean, rate, *outs = context.saved_tensors
        out = outs[0] if outs else None
        gradient = in_order(gradient)
        rows, channels = rows_of(x), x.shape[1]
        parts, share = parts_of(rows)
        sums, products = by_part(x, parts), by_part(x, parts)
        _gradient_sums[(parts, triton.cdiv(channels, CHANNELS))](
            x, x if out is None else out, gradient, mean, rate, sums, products, rows, channels, share, parts,
            RELU=out is not None, R=ROWS, C=CHANNELS,
        )  # fmt: skip
        merged = merge_sums(sums, products)
        x_gradient, added = norm_gradients(x, out, gradient, weight, mean, rate, merged, context.adds)
        bias_gradient, weight_gradient = merged
        return x_gradient, added, weight_gradient, bias_gradient, None, None, None


def in_order(tensor: Tensor) -> Tensor:
    """Return (N, C, H, W) in channels_last."""
    return tensor.contiguous(memory_format=torch.channels_last)


def rows_of(x: Tensor) -> int:
    """Return the pixels of all images of (N, C, H, W)."""
    return x.numel() // x.shape[1]


def by_part(x: Tensor, parts: int, channels: int | None = None) -> Tensor:
    """Return room for a number of each channel and part, in fp32."""
    return x.new_empty((x.shape[1] if channels is None else channels, parts), dtype=torch.float32)


def parts_of(rows: int) -> tuple[int, int]:
    """Return how many programs sum side by side, and the rows of each, whole blocks of them."""
    blocks = triton.cdiv(rows, ROWS)
    share = triton.cdiv(blocks, MOST_PARTS) * ROWS
    return triton.cdiv(rows, share), share


def _merged(parts: int) -> int:
    return min(MERGED, int(triton.next_power_of_2(parts)))
