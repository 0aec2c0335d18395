"""Convolutions in Triton's kernels, those of all networks of a pack in one launch, with batch norm and ReLU inside.

Images are (N, groups * channels, H, W) in channels_last, the networks' channels one after another, as
`trainers.step.fusion` lays them out; a network alone is one group. A convolution is a product of matrices whose left
one, the patches of the images, is never written: its rows are output pixels, its columns the taps of the kernel times
the input channels. A batch norm and a ReLU that come before are computed as patches are read, so that what they give is
never written either; where a shortcut is added, that is done before the result is written; and its moments by block of
rows are written with it, for the batch norm that comes after. The backward pass does the same the other way round.

Products are in the type of the images, or in TF32 where torch's convolutions may use it, and are summed in fp32 in a
fixed order: results repeat bit for bit.

Importing this file needs Triton; `trainers.step.triton_layers` decides whether it is used.
"""

from dataclasses import dataclass
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainers.step.norm_kernels import (
    Moments,
    Running,
    by_part,
    in_order,
    merge_moments,
    merge_sums,
    moments_of,
    norm_gradients,
    rows_of,
)

ROWS = 128  # pixels of a block
ROWS_OF_WEIGHTS = 64  # that a step of the weights' gradient adds
COLUMNS = 64  # channels of a block, at most
INNER = 32  # terms of a product's sums that are added at once
TAPS = 64  # columns of a block of the weights' gradient, at most
PROGRAMS = 512  # that compute the weights' gradient side by side, about
NARROWEST = 16  # side of the smallest matrix that tensor cores multiply
# Whatever these are, kernels stay as they are: each takes seconds to compile, and a last batch is of another size.
SIZES = ("rows", "height", "width", "out_height", "out_width", "parts", "share", "G")


@triton.jit
def _patches(
    x, mean, rate, scale, offset, row, q, rows, height, width, out_height, out_width, group, G,
    CIN: tl.constexpr, KH: tl.constexpr, KW: tl.constexpr, STRIDE: tl.constexpr, PAD_H: tl.constexpr,
    PAD_W: tl.constexpr, NORM: tl.constexpr,
):  # fmt: skip
    """Read the patches at the output pixels `row` in the columns `q`, normalised and cut off where NORM."""
    known = q < KH * KW * CIN
    tap = q // CIN
    channel = group * CIN + q % CIN
    down = tap // KW
    right = tap % KW
    image = row // (out_height * out_width)
    pixel = row % (out_height * out_width)
    top = (pixel // out_width) * STRIDE - PAD_H
    left = (pixel % out_width) * STRIDE - PAD_W
    y = top[:, None] + down[None, :]
    z = left[:, None] + right[None, :]
    inside = (row < rows)[:, None] & known[None, :] & (y >= 0) & (y < height) & (z >= 0) & (z < width)
    start = ((image * height + top) * width + left) * (G * CIN)
    step = (down * width + right) * (G * CIN) + channel
    values = tl.load(x + start[:, None] + step[None, :], mask=inside, other=0.0)
    if NORM:
        factor = tl.load(scale + channel, mask=known, other=0.0) * tl.load(rate + channel, mask=known, other=0.0)
        shift = tl.load(offset + channel, mask=known, other=0.0)
        shift -= tl.load(mean + channel, mask=known, other=0.0) * factor
        normal = values.to(tl.float32) * factor[None, :] + shift[None, :]
        normal = tl.where(normal > 0, normal, tl.where(normal != normal, normal, 0.0))
        values = tl.where(inside, normal, 0.0).to(x.dtype.element_ty)  # padding follows the ReLU
    return values


@triton.jit(do_not_specialize=SIZES)
def _convolve(
    x, weights, shortcut, out, mean, rate, scale, offset, means, squares, rows, height, width, out_height, out_width,
    parts, G, CIN: tl.constexpr, COUT: tl.constexpr, KH: tl.constexpr, KW: tl.constexpr,
    STRIDE: tl.constexpr, PAD_H: tl.constexpr, PAD_W: tl.constexpr, NORM: tl.constexpr, ADD: tl.constexpr,
    PRECISION: tl.constexpr, R: tl.constexpr, C: tl.constexpr, Q: tl.constexpr,
):  # fmt: skip
    """Write a block of output pixels by channels of one group, and its moments."""
    part = tl.program_id(0)
    blocks = tl.cdiv(COUT, C)
    group = tl.program_id(1) // blocks
    column = (tl.program_id(1) % blocks) * C + tl.arange(0, C)
    known = column < COUT
    row = part * R + tl.arange(0, R)
    total = tl.zeros((R, C), tl.float32)
    for start in range(0, KH * KW * CIN, Q):
        q = start + tl.arange(0, Q)
        patches = _patches(
            x, mean, rate, scale, offset, row, q, rows, height, width, out_height, out_width, group, G, CIN, KH, KW,
            STRIDE, PAD_H, PAD_W, NORM,
        )  # fmt: skip
        at = (group * COUT + column)[None, :] * (KH * KW * CIN) + q[:, None]
        taps = tl.load(weights + at, mask=(q < KH * KW * CIN)[:, None] & known[None, :], other=0.0)
        total = tl.dot(patches, taps, total, input_precision=PRECISION)
    inside = (row < rows)[:, None] & known[None, :]
    at = row[:, None] * (G * COUT) + (group * COUT + column)[None, :]
    if ADD:
        total += tl.load(shortcut + at, mask=inside, other=0.0).to(tl.float32)
    result = total.to(out.dtype.element_ty)
    tl.store(out + at, result, mask=inside)
    values = tl.where(inside, result.to(tl.float32), 0.0)
    here = tl.minimum(rows - part * R, R).to(tl.float32)
    own = tl.sum(values, 0) / here
    apart = tl.where(inside, values - own[None, :], 0.0)
    to = (group * COUT + column) * parts + part
    tl.store(means + to, own, mask=known)
    tl.store(squares + to, tl.sum(apart * apart, 0), mask=known)


@triton.jit(do_not_specialize=SIZES)
def _input_gradient(
    gradient, weights, x, out, mean, rate, scale, offset, sums, products, rows, height, width, out_height, out_width,
    parts, G, CIN: tl.constexpr, COUT: tl.constexpr, KH: tl.constexpr, KW: tl.constexpr,
    STRIDE: tl.constexpr, PAD_H: tl.constexpr, PAD_W: tl.constexpr, NORM: tl.constexpr, PRECISION: tl.constexpr,
    R: tl.constexpr, C: tl.constexpr, Q: tl.constexpr,
):  # fmt: skip
    """Write a block of the gradient by input pixels and channels of one group.

    Where NORM it is that by the normalised values, zero where the ReLU cut off, with its sums for the norm's gradients.
    """
    part = tl.program_id(0)
    blocks = tl.cdiv(CIN, C)
    group = tl.program_id(1) // blocks
    column = (tl.program_id(1) % blocks) * C + tl.arange(0, C)
    known = column < CIN
    row = part * R + tl.arange(0, R)
    image = row // (height * width)
    pixel = row % (height * width)
    total = tl.zeros((R, C), tl.float32)
    for start in range(0, KH * KW * COUT, Q):
        q = start + tl.arange(0, Q)
        tap = q // COUT
        channel = group * COUT + q % COUT
        y = (pixel // width + PAD_H)[:, None] - (tap // KW)[None, :]
        z = (pixel % width + PAD_W)[:, None] - (tap % KW)[None, :]
        inside = (row < rows)[:, None] & (q < KH * KW * COUT)[None, :] & (y >= 0) & (z >= 0)
        if STRIDE > 1:
            inside = inside & (y % STRIDE == 0) & (z % STRIDE == 0)
            y = y // STRIDE
            z = z // STRIDE
        inside = inside & (y < out_height) & (z < out_width)
        at = ((image[:, None] * out_height + y) * out_width + z) * (G * COUT) + channel[None, :]
        above = tl.load(gradient + at, mask=inside, other=0.0)
        at = (channel * (KH * KW) + tap)[:, None] * CIN + column[None, :]
        taps = tl.load(weights + at, mask=(q < KH * KW * COUT)[:, None] & known[None, :], other=0.0)
        total = tl.dot(above, taps, total, input_precision=PRECISION)
    inside = (row < rows)[:, None] & known[None, :]
    channel = group * CIN + column
    at = row[:, None] * (G * CIN) + channel[None, :]
    result = total.to(out.dtype.element_ty)
    if NORM:
        factor = tl.load(rate + channel, mask=known, other=0.0)
        centre = tl.load(mean + channel, mask=known, other=0.0)
        strength = tl.load(scale + channel, mask=known, other=0.0) * factor
        shift = tl.load(offset + channel, mask=known, other=0.0) - centre * strength
        values = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
        active = (values * strength[None, :] + shift[None, :]).to(out.dtype.element_ty) > 0
        result = tl.where(active & inside, result, 0.0).to(out.dtype.element_ty)
        own = result.to(tl.float32)
        to = channel * parts + part
        tl.store(sums + to, tl.sum(own, 0), mask=known)
        product = tl.where(inside, own * ((values - centre[None, :]) * factor[None, :]), 0.0)
        tl.store(products + to, tl.sum(product, 0), mask=known)
    tl.store(out + at, result, mask=inside)


@triton.jit(do_not_specialize=SIZES)
def _weight_gradient(
    gradient, x, out, mean, rate, scale, offset, rows, height, width, out_height, out_width, share, G,
    CIN: tl.constexpr, COUT: tl.constexpr, KH: tl.constexpr, KW: tl.constexpr, STRIDE: tl.constexpr,
    PAD_H: tl.constexpr, PAD_W: tl.constexpr, NORM: tl.constexpr, PRECISION: tl.constexpr, R: tl.constexpr,
    C: tl.constexpr, Q: tl.constexpr,
):  # fmt: skip
    """Write a block of the weights' gradient of one group, summed over one part of the output pixels."""
    part = tl.program_id(0)
    blocks = tl.cdiv(COUT, C)
    group = tl.program_id(2) // blocks
    column = (tl.program_id(2) % blocks) * C + tl.arange(0, C)
    q = tl.program_id(1) * Q + tl.arange(0, Q)
    total = tl.zeros((C, Q), tl.float32)
    first = part * share
    last = tl.minimum(first + share, rows)
    for start in range(first, last, R):
        row = start + tl.arange(0, R)
        at = row[None, :] * (G * COUT) + (group * COUT + column)[:, None]
        above = tl.load(gradient + at, mask=(row < last)[None, :] & (column < COUT)[:, None], other=0.0)
        patches = _patches(
            x, mean, rate, scale, offset, row, q, last, height, width, out_height, out_width, group, G, CIN, KH, KW,
            STRIDE, PAD_H, PAD_W, NORM,
        )  # fmt: skip
        total = tl.dot(above, patches, total, input_precision=PRECISION)
    at = ((part * G + group) * COUT + column)[:, None] * (KH * KW * CIN) + q[None, :]
    tl.store(out + at, total, mask=(column < COUT)[:, None] & (q < KH * KW * CIN)[None, :])


@dataclass(frozen=True)
class Geometry:
    """Everything of a convolution but its numbers; its weights are (groups * outputs, inputs, *kernel)."""

    images: int
    height: int
    width: int
    groups: int
    inputs: int
    outputs: int
    kernel: tuple[int, int]
    stride: int
    padding: tuple[int, int]

    @property
    def out_height(self) -> int:
        """The height of the output."""
        return (self.height + 2 * self.padding[0] - self.kernel[0]) // self.stride + 1

    @property
    def out_width(self) -> int:
        """The width of the output."""
        return (self.width + 2 * self.padding[1] - self.kernel[1]) // self.stride + 1

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Height and width of the input, then of the output."""
        return self.height, self.width, self.out_height, self.out_width

    @property
    def block_rows(self) -> int:
        """The output pixels of a block: fewer where channels are few, whose patches take more registers."""
        return ROWS if self.inputs >= NARROWEST else ROWS // 2

    @property
    def terms(self) -> int:
        """The columns of the patches: taps times input channels."""
        return self.kernel[0] * self.kernel[1] * self.inputs

    def room_for_output(self, x: Tensor) -> Tensor:
        """Return memory for the output, in channels_last and the type of `x`."""
        shape = self.images, self.groups * self.outputs, self.out_height, self.out_width
        return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)

    def constants(self) -> dict[str, Any]:
        """Return what the kernels are compiled for."""
        allowed = torch.backends.cudnn.allow_tf32
        return {
            "G": self.groups,
            "CIN": self.inputs,
            "COUT": self.outputs,
            "KH": self.kernel[0],
            "KW": self.kernel[1],
            "STRIDE": self.stride,
            "PAD_H": self.padding[0],
            "PAD_W": self.padding[1],
            "PRECISION": "tf32" if allowed else "ieee",
        }


class NormReLUConv(torch.autograd.Function):
    """Batch normalisation and ReLU where there is a norm, a convolution, and the addition of a shortcut, if any."""

    @staticmethod
    def forward(
        context: Any, x: Tensor, shortcut: Tensor | None, weights: Tensor, scale: Tensor | None, offset: Tensor | None,
        running: Running | None, moments: Moments | None, geometry: Geometry,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Return (N, groups * outputs, H, W) in channels_last and the moments of its blocks of `geometry.block_rows`.

        `moments` are those of `x` where they are known. The running statistics are updated in place.
        """
        x, weights = in_order(x), in_order(weights)
        norm: tuple[Tensor, ...] = ()
        if running is not None and scale is not None and offset is not None:
            mean, rate = merge_moments(moments_of(x) if moments is None else moments, rows_of(x), running)
            norm = mean, rate, scale, offset
        out = geometry.room_for_output(x)
        rows = rows_of(out)
        parts = triton.cdiv(rows, geometry.block_rows)
        means, squares = by_part(out, parts), by_part(out, parts)
        columns = _side(geometry.outputs, COLUMNS)
        _convolve[(parts, geometry.groups * triton.cdiv(geometry.outputs, columns))](
            x, weights, x if shortcut is None else in_order(shortcut), out, *(norm or (x, x, x, x)), means, squares,
            rows, *geometry.sizes, parts, **geometry.constants(), NORM=bool(norm), ADD=shortcut is not None,
            R=geometry.block_rows, C=columns, Q=INNER,
        )  # fmt: skip
        context.save_for_backward(x, weights, *norm)
        context.geometry, context.adds = geometry, shortcut is not None
        context.mark_non_differentiable(means, squares)
        context.set_materialize_grads(False)  # or the moments would have some, of zeros
        return out, means, squares

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor | None, *of_moments: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradients of the values, the shortcut, the weights, and the norm's weight and bias."""
        if gradient is None:
            return (None,) * 8
        x, weights, *norm = context.saved_tensors
        geometry: Geometry = context.geometry
        gradient = in_order(gradient)
        weight_gradient = _gradient_by_weights(x, gradient, weights, norm, geometry) if _needs(context, 2) else None
        x_gradient, scale_gradient, offset_gradient = None, None, None
        if _needs(context, 0) or norm:
            x_gradient, sums, products = _gradient_by_input(x, gradient, weights, norm, geometry)
            if norm:
                mean, rate, scale, _ = norm
                merged = merge_sums(sums, products)
                x_gradient, _ = norm_gradients(x, None, x_gradient, scale, mean, rate, merged, adds=False)
                offset_gradient, scale_gradient = merged
        added = gradient if context.adds else None
        return x_gradient, added, weight_gradient, scale_gradient, offset_gradient, None, None, None


def _gradient_by_input(
    x: Tensor, gradient: Tensor, weights: Tensor, norm: list[Tensor], geometry: Geometry
) -> tuple[Tensor, Tensor, Tensor]:
    out = torch.empty_like(x)
    rows = rows_of(x)
    parts = triton.cdiv(rows, ROWS)
    sums, products = (by_part(x, parts if norm else 1) for _ in range(2))
    columns = _side(geometry.inputs, COLUMNS)
    _input_gradient[(parts, geometry.groups * triton.cdiv(geometry.inputs, columns))](
        gradient, weights, x, out, *(norm or (x, x, x, x)), sums, products, rows, *geometry.sizes, parts,
        **geometry.constants(), NORM=bool(norm), R=ROWS, C=columns, Q=INNER,
    )  # fmt: skip
    return out, sums, products


def _gradient_by_weights(
    x: Tensor, gradient: Tensor, weights: Tensor, norm: list[Tensor], geometry: Geometry
) -> Tensor:
    rows = rows_of(gradient)
    columns, terms = _side(geometry.outputs, COLUMNS), _side(geometry.terms, TAPS)
    blocks = triton.cdiv(geometry.terms, terms), geometry.groups * triton.cdiv(geometry.outputs, columns)
    steps = triton.cdiv(rows, ROWS_OF_WEIGHTS)
    share = triton.cdiv(steps, max(1, PROGRAMS // (blocks[0] * blocks[1]))) * ROWS_OF_WEIGHTS
    parts = triton.cdiv(rows, share)
    out = x.new_empty(
        (parts, geometry.groups * geometry.outputs, *geometry.kernel, geometry.inputs), dtype=torch.float32
    )
    _weight_gradient[(parts, *blocks)](
        gradient, x, out, *(norm or (x, x, x, x)), rows, *geometry.sizes, share, **geometry.constants(),
        NORM=bool(norm), R=ROWS_OF_WEIGHTS, C=columns, Q=terms,
    )  # fmt: skip
    return out.sum(0).permute(0, 3, 1, 2).to(weights.dtype)


def _needs(context: Any, which: int) -> bool:
    return bool(context.needs_input_grad[which])


def _side(size: int, most: int) -> int:
    """Return the side of a block: a power of two that covers `size` where it may."""
    return min(most, max(NARROWEST, int(triton.next_power_of_2(size))))
