"""Weight gradients of 3×3 convolutions on maps of 2×2 pixels as one batched product, where oneDNN's are slow.

On processors with AVX2 but without AVX-512 oneDNN falls back to a slow kernel there (docs/log.md). With so few pixels
every output pixel meets every input pixel: one product over the images gives all pairs, and their sums by offset are
the gradient.
"""

from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXELS = (2, 2)


@cache
def pays() -> bool:
    """Whether this processor is one on which oneDNN is slow."""
    return torch.backends.cpu.get_cpu_capability() == "AVX2"


def use_small_map_gradients(network: nn.Module) -> int:
    """Let the convolutions of `network` that may meet such maps compute so, in place; return how many there are."""
    convolutions = [module for module in network.modules() if type(module) is nn.Conv2d and _is_usable(module)]
    for module in convolutions:
        vars(module)["forward"] = partial(_convolve, module)
    return len(convolutions)


def _is_usable(layer: nn.Conv2d) -> bool:
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    hooks = layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks
    is_plain = layer.bias is None and layer.padding_mode == "zeros" and not hooks and "forward" not in vars(layer)
    return is_plain and shape == ((3, 3), (1, 1), (1, 1), (1, 1))


def _convolve(layer: nn.Conv2d, x: Tensor) -> Tensor:
    if x.shape[2:] != PIXELS or x.dtype != layer.weight.dtype or not layer.weight.requires_grad:
        return nn.Conv2d.forward(layer, x)
    out: Tensor = SmallMapConvolution.apply(x, layer.weight, layer.groups)
    return out


class SmallMapConvolution(torch.autograd.Function):
    """A 3×3 convolution with padding 1 of (N, C, 2, 2)."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        """Return what torch's convolution returns."""
        context.save_for_backward(x, weight)
        context.groups = groups
        return F.conv2d(x, weight, None, 1, 1, 1, groups)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, None]:
        """Return the gradients of the input, by torch, and of the weight, by pairs of pixels."""
        x, weight = context.saved_tensors
        groups, x_gradient = context.groups, None
        if context.needs_input_grad[0]:
            ones, no = [1, 1], [0, 0]
            x_gradient, _, _ = torch.ops.aten.convolution_backward(
                gradient, x, weight, None, ones, ones, ones, False, no, groups, [True, False, False]
            )
        return x_gradient, weight_gradient(x, gradient, weight, groups), None


def weight_gradient(x: Tensor, gradient: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Return the weight's gradient, in its shape and memory order."""
    sides = [each.permute(1, 2, 3, 0).reshape(groups, -1, len(x)) for each in (gradient, x)]
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    pairs = torch.bmm(sides[0], sides[1].mT).view(groups, outputs, *PIXELS, inputs, *PIXELS)
    result = torch.zeros_like(weight)
    by_group = result.view(groups, outputs, inputs, 3, 3)  # the first dimension alone is divided
    for row in range(2):
        for column in range(2):
            for other_row in range(2):
                for other_column in range(2):
                    part = pairs[:, :, row, column, :, other_row, other_column]
                    by_group[..., other_row - row + 1, other_column - column + 1] += part
    return result
