"""The layers that every network is made of, initialised as the residual papers do."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ConvShape = tuple[int, int, int, int]
VECTOR = 8  # channels that a processor with AVX2 computes at once


class NarrowProjection(nn.Conv2d):
    """A 1×1 convolution with a stride from fewer channels than a vector has.

    Its backward pass in channels_last writes past its memory on processors with AVX2 but not AVX-512 (torch 2.15,
    docs/log.md). On a CPU the pixels between its strides are therefore left out before, which gives the same numbers.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, C, H, W)."""
        if x.device.type != "cpu":
            return super().forward(x)
        down, right = self.stride
        return F.conv2d(x[:, :, ::down, ::right], self.weight, self.bias)


def keep_clear(network: nn.Module) -> nn.Module:
    """Make the convolutions of `network` that are a `NarrowProjection`'s case into one, in place; return it."""
    for module in network.modules():
        if type(module) is nn.Conv2d and _is_narrow(module):
            module.__class__ = NarrowProjection
    return network


def _is_narrow(layer: nn.Conv2d) -> bool:
    pointwise = layer.kernel_size == (1, 1) and layer.padding in ((0, 0), "valid") and layer.groups == 1
    return pointwise and max(layer.stride) > 1 and layer.in_channels < VECTOR


def conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, bias: float | None = None) -> nn.Conv2d:
    """Return a convolution that keeps the size at stride 1, He-normal with fan-out.

    `bias` is the value that its biases start at; None for no bias.
    """
    layer = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=bias is not None)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None and bias is not None:
        nn.init.constant_(layer.bias, bias)
    keep_clear(layer)
    return layer


def every_pixel(x: Tensor, stride: int) -> Tensor:
    """Return every `stride`-th pixel of (N, C, H, W) in both directions.

    On a GPU as an average over windows of one pixel, of the same values, whose gradient keeps the images' memory order:
    that of a slice does not, and convolutions before it would compute in the other.
    """
    if stride == 1:
        return x
    return F.avg_pool2d(x, 1, stride) if x.is_cuda else x[:, :, ::stride, ::stride]


def pixel_mean(x: Tensor) -> Tensor:
    """Return the mean over the pixels of (N, C, H, W); on a GPU its gradient has the images' memory order."""
    if x.is_cuda and x.requires_grad and x.is_contiguous(memory_format=torch.channels_last):
        x.register_hook(_in_channels_last)
    return x.mean((2, 3))


def _in_channels_last(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation that does not count its batches.

    The count serves cumulative averages only, which nothing here uses, and costs one more kernel a layer and step.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) by the batch in training, by the running statistics in evaluation."""
        momentum = 0.0 if self.momentum is None else self.momentum
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, momentum, self.eps
        )


def linear(features: int, classes: int) -> nn.Linear:
    """Return the classifier: torch's own weights, bias 0."""
    layer = nn.Linear(features, classes)
    nn.init.zeros_(layer.bias)
    return layer


def layers(
    tokens: Iterable[str], channels: int, convs: Iterable[ConvShape] = (), overwrite: bool = False
) -> list[nn.Module]:
    """Return the layers that `tokens` (conv, bn, relu) stand for.

    `channels` come in; `convs` yields (in, out, kernel, stride) for each conv. A ReLU works in place where its input
    is nobody else's: after conv or bn, whose backward passes need their inputs only, never after another ReLU.
    `overwrite` says so for the signal that comes in.
    """
    modules: list[nn.Module] = []
    shapes = iter(convs)
    for token in tokens:
        if token == "conv":
            shape = next(shapes)
            modules.append(conv(*shape))
            channels, overwrite = shape[1], True
        elif token == "bn":
            modules.append(BatchNorm(channels))
            overwrite = True
        else:
            modules.append(nn.ReLU(inplace=overwrite))
            overwrite = False
    return modules
