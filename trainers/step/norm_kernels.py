"""Batch normalisation, addition and ReLU as two Triton kernels forward and two backward.

Torch takes about seven kernels for them in bf16 and channels_last, each of which reads and writes the whole batch. Here
the first kernel sums, and the second normalises, adds and cuts off; so in the backward pass. Tensors are (rows,
channels), rows being the pixels of all images, which is a batch in channels_last as it lies in memory. Sums are merged
block by block as Chan, Golub and LeVeque (1979) do, in fp32, and in a fixed order: the results repeat bit for bit.

Importing this file needs Triton; `trainers.step.fused_norm` decides whether it is used.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS = 64  # of a block
CHANNELS = 32
MOST_PARTS = 128  # programs along the rows that sum side by side


@triton.jit
def _moments(x, means, squares, rows, channels, share, R: tl.constexpr, C: tl.constexpr):
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
    tl.store(means + part * channels + column, mean, mask=column < channels)
    tl.store(squares + part * channels + column, square, mask=column < channels)


@triton.jit
def _normalise(
    x, shortcut, out, weight, bias, means, squares, mean_out, rate_out, running_mean, running_var, rows, channels,
    share, parts, momentum, eps, ADD: tl.constexpr, RELU: tl.constexpr, R: tl.constexpr, C: tl.constexpr,
):  # fmt: skip
    """Merge the parts' moments; normalise, add and cut off a block; the first blocks keep the statistics."""
    column = tl.program_id(1) * C + tl.arange(0, C)
    known = column < channels
    mean = tl.zeros((C,), tl.float32)
    square = tl.zeros((C,), tl.float32)
    count = 0.0
    for part in range(parts):
        own = tl.load(means + part * channels + column, mask=known, other=0.0)
        here = tl.minimum(rows - part * share, share).to(tl.float32)
        whole = count + here
        step = own - mean
        square += tl.load(squares + part * channels + column, mask=known, other=0.0)
        square += step * step * (count * here / whole)
        mean += step * (here / whole)
        count = whole
    rate = 1.0 / tl.sqrt(square / rows + eps)
    if tl.program_id(0) == 0:
        tl.store(mean_out + column, mean, mask=known)
        tl.store(rate_out + column, rate, mask=known)
        old_mean = tl.load(running_mean + column, mask=known, other=0.0)
        old_var = tl.load(running_var + column, mask=known, other=0.0)
        tl.store(running_mean + column, old_mean + momentum * (mean - old_mean), mask=known)
        tl.store(running_var + column, old_var + momentum * (square / (rows - 1) - old_var), mask=known)
    row = tl.program_id(0) * R + tl.arange(0, R)
    inside = (row < rows)[:, None] & known[None, :]
    at = row[:, None] * channels + column[None, :]
    scale = tl.load(weight + column, mask=known, other=0.0) * rate
    offset = tl.load(bias + column, mask=known, other=0.0) - mean * scale
    values = tl.load(x + at, mask=inside, other=0.0).to(tl.float32) * scale[None, :] + offset[None, :]
    if ADD:
        values += tl.load(shortcut + at, mask=inside, other=0.0).to(tl.float32)
    if RELU:
        values = tl.where(values > 0, values, tl.where(values != values, values, 0.0))
    tl.store(out + at, values.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _gradient_sums(
    x, out, gradient, mean, rate, sums, products, rows, channels, share, RELU: tl.constexpr, R: tl.constexpr,
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
    tl.store(sums + part * channels + column, total, mask=known)
    tl.store(products + part * channels + column, product, mask=known)


@triton.jit
def _gradients(
    x, out, gradient, mean, rate, weight, sums, products, x_gradient, shortcut_gradient, weight_gradient,
    bias_gradient, rows, channels, parts, ADD: tl.constexpr, RELU: tl.constexpr, R: tl.constexpr, C: tl.constexpr,
):  # fmt: skip
    """Merge the parts' sums; write a block of the gradients, and from the first blocks those of weight and bias."""
    column = tl.program_id(1) * C + tl.arange(0, C)
    known = column < channels
    total = tl.zeros((C,), tl.float32)
    product = tl.zeros((C,), tl.float32)
    for part in range(parts):
        total += tl.load(sums + part * channels + column, mask=known, other=0.0)
        product += tl.load(products + part * channels + column, mask=known, other=0.0)
    if tl.program_id(0) == 0:
        tl.store(bias_gradient + column, total, mask=known)
        tl.store(weight_gradient + column, product, mask=known)
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


class NormAddReLU(torch.autograd.Function):
    """Batch normalisation in training, then the addition of a shortcut where there is one, then ReLU where asked."""

    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        shortcut: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        running_mean: Tensor,
        running_var: Tensor,
        momentum: float,
        eps: float,
        relu: bool,
    ) -> Tensor:
        """Return (N, C, H, W) in channels_last and the type of `x`; the running statistics are updated in place."""
        x = _in_order(x)
        added = None if shortcut is None else _in_order(shortcut)
        rows, channels = x.numel() // x.shape[1], x.shape[1]
        parts, share = _parts(rows)
        means, squares = (x.new_empty((parts, channels), dtype=torch.float32) for _ in range(2))
        mean, rate = (x.new_empty(channels, dtype=torch.float32) for _ in range(2))
        out = torch.empty_like(x)
        columns = triton.cdiv(channels, CHANNELS)
        sizes = {"R": ROWS, "C": CHANNELS}
        _moments[(parts, columns)](x, means, squares, rows, channels, share, **sizes)
        _normalise[(triton.cdiv(rows, ROWS), columns)](
            x, x if added is None else added, out, weight, bias, means, squares, mean, rate, running_mean, running_var,
            rows, channels, share, parts, momentum, eps, ADD=added is not None, RELU=relu, **sizes,
        )  # fmt: skip
        context.save_for_backward(x, out, weight, mean, rate)
        context.relu, context.adds = relu, added is not None
        return out

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the values, the shortcut, the weight and the bias."""
        x, out, weight, mean, rate = context.saved_tensors
        gradient = _in_order(gradient)
        rows, channels = x.numel() // x.shape[1], x.shape[1]
        parts, share = _parts(rows)
        sums, products = (x.new_empty((parts, channels), dtype=torch.float32) for _ in range(2))
        weight_gradient, bias_gradient = (x.new_empty(channels, dtype=torch.float32) for _ in range(2))
        x_gradient = torch.empty_like(x)
        shortcut_gradient = torch.empty_like(x) if context.adds else x_gradient
        columns = triton.cdiv(channels, CHANNELS)
        sizes = {"R": ROWS, "C": CHANNELS}
        _gradient_sums[(parts, columns)](
            x, out, gradient, mean, rate, sums, products, rows, channels, share, RELU=context.relu, **sizes
        )
        _gradients[(triton.cdiv(rows, ROWS), columns)](
            x, out, gradient, mean, rate, weight, sums, products, x_gradient, shortcut_gradient, weight_gradient,
            bias_gradient, rows, channels, parts, ADD=context.adds, RELU=context.relu, **sizes,
        )  # fmt: skip
        added = shortcut_gradient if context.adds else None
        return x_gradient, added, weight_gradient, bias_gradient, None, None, None, None, None


def _in_order(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def _parts(rows: int) -> tuple[int, int]:
    """Return how many programs sum side by side, and the rows of each, whole blocks of them."""
    blocks = triton.cdiv(rows, ROWS)
    share = triton.cdiv(blocks, MOST_PARTS) * ROWS
    return triton.cdiv(rows, share), share
