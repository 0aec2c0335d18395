"""3×3 convolutions of maps of 2×2 pixels as matrix products, where oneDNN's are slow.

On processors with AVX2 but without AVX-512 oneDNN falls back to a slow kernel for their weights' gradient
(docs/log.md). With so few pixels every output pixel meets every input pixel, and five of nine taps meet padding: a
product of all pixels by all pixels leaves these out. Its matrix is `dense`.
"""

from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from trainers.step.observation import has_hooks

SIDE = 2
PIXELS = SIDE * SIDE


@cache
def pays() -> bool:
    """Whether this processor is one on which oneDNN is slow."""
    return torch.backends.cpu.get_cpu_capability() == "AVX2"


def use_products(network: nn.Module) -> int:
    """Let the convolutions of `network` that may meet such maps compute so, in place; return how many there are."""
    convolutions = [module for module in network.modules() if type(module) is nn.Conv2d and _is_usable(module)]
    for module in convolutions:
        vars(module)["forward"] = partial(_convolve, module)
    return len(convolutions)


def _is_usable(layer: nn.Conv2d) -> bool:
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    is_plain = not has_hooks(layer) and "forward" not in vars(layer)
    is_plain = is_plain and layer.bias is None and layer.padding_mode == "zeros"
    return is_plain and shape == ((3, 3), (1, 1), (1, 1), (1, 1))


def _convolve(layer: nn.Conv2d, x: Tensor) -> Tensor:
    if x.shape[2:] != (SIDE, SIDE) or x.dtype != layer.weight.dtype or not len(x):
        return nn.Conv2d.forward(layer, x)
    out: Tensor = SmallMapConvolution.apply(x, layer.weight, layer.groups)
    return out


class SmallMapConvolution(torch.autograd.Function):
    """A 3×3 convolution with padding 1 of (N, C, 2, 2)."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        """Return what torch's convolution returns, in channels_last."""
        context.save_for_backward(x, weight)
        context.groups = groups
        return _images(torch.bmm(_by_group(x, groups), dense(weight, groups).mT))

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Return the gradients of the input and of the weight."""
        x, weight = context.saved_tensors
        groups, x_gradient, own = context.groups, None, None
        above = _by_group(gradient, groups)
        if context.needs_input_grad[0]:
            x_gradient = _images(torch.bmm(above, dense(weight, groups)))
        if context.needs_input_grad[1]:
            own = _of_weight(torch.bmm(above.mT, _by_group(x, groups)), weight.shape[1])
        return x_gradient, own, None


def dense(weight: Tensor, groups: int) -> Tensor:
    """Return the weights (groups * outputs, inputs, 3, 3) as (groups, pixels * outputs, pixels * inputs)."""
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    taps = weight.permute(0, 2, 3, 1).reshape(groups, outputs, 3, 3, inputs)
    of_pixel = [taps[:, :, 1 - y : 3 - y, 1 - x : 3 - x] for y in range(SIDE) for x in range(SIDE)]
    return torch.stack(of_pixel, 1).view(groups, PIXELS * outputs, PIXELS * inputs)


def _of_weight(gradient: Tensor, inputs: int) -> Tensor:
    """Return the gradient by `dense` as that by the weights: each tap's is the sum over the pixels that meet it."""
    pairs = gradient.view(len(gradient), SIDE, SIDE, -1, SIDE, SIDE, inputs)
    taps = pairs.new_zeros(len(gradient), pairs.shape[3], 3, 3, inputs)
    for y in range(SIDE):
        for x in range(SIDE):
            taps[:, :, 1 - y : 3 - y, 1 - x : 3 - x] += pairs[:, y, x]
    return taps.flatten(0, 1).permute(0, 3, 1, 2)


def _by_group(x: Tensor, groups: int) -> Tensor:
    """Return images (N, groups * channels, 2, 2) as (groups, N, pixels * channels)."""
    return x.permute(0, 2, 3, 1).reshape(len(x), PIXELS, groups, -1).permute(2, 0, 1, 3).flatten(2)


def _images(values: Tensor) -> Tensor:
    """Undo `_by_group`; the images are in channels_last, in memory of their own, so that a ReLU may change them."""
    groups, count, size = values.shape
    shape = count, groups * size // PIXELS, SIDE, SIDE
    images = torch.empty(shape, dtype=values.dtype, device=values.device, memory_format=torch.channels_last)
    by_pixel = images.permute(0, 2, 3, 1).view(count, SIDE, SIDE, groups, -1)
    by_pixel.copy_(values.view(groups, count, SIDE, SIDE, -1).permute(1, 2, 3, 0, 4))
    return images
