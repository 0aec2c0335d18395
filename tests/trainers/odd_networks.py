"""Networks of a user's own in which something is not as the types of their layers suggest."""

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, parametrize, spectral_norm

from search_spaces.fusing import channelwise


class Net(nn.Sequential):
    """Convolution, batch normalisation, ReLU, convolution, ReLU, mean, classifier."""

    def __init__(self, channels, classes, width=4):
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.pool = nn.AvgPool2d(8)
        self.classifier = nn.Linear(width, classes)

    fused = channelwise

    def forward(self, x):
        x = self.relu(self.norm(self.first(x)))
        return self.classifier(self.pool(self.second(x)).flatten(1))


def plain(*, input_shape, num_classes):
    return Net(input_shape[0], num_classes)


def circular(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.second = nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular")
    return net


def forward_hook(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.second.register_forward_hook(lambda module, inputs, output: 2 * output)
    return net


def forward_pre_hook(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.second.register_forward_pre_hook(lambda module, inputs: (inputs[0].flip(1),))
    return net


def gradient_hook(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.second.weight.register_hook(lambda gradient: gradient / gradient.norm())
    return net


def module_gradient_hook(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.second.register_full_backward_hook(lambda module, inputs, outputs: (inputs[0] / 2,))
    return net


def cumulative(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.norm = nn.BatchNorm2d(4, momentum=None)
    return net


def untracked(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.norm = nn.BatchNorm2d(4, track_running_stats=False)
    return net


def frozen_stem(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.first.requires_grad_(False)
    return net


def shared_layer(*, input_shape, num_classes):
    class Twice(Net):
        fused = channelwise

        def forward(self, x):
            return super().forward(self.again(self.first(x)).mean(1, keepdim=True).expand_as(x))

    net = Twice(input_shape[0], num_classes)
    net.again = net.second
    return net


def tied_weights(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.extra = nn.Conv2d(4, 4, 3, padding=1)
    net.extra.weight = net.second.weight
    return net


def shared_memory(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.norm.weight.data = net.second.bias.data
    return net


def spectral(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    spectral_norm(net.second)
    return net


def parametrized_spectral(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    parametrizations.spectral_norm(net.second)
    return net


class Halved(nn.Module):
    def forward(self, weight):
        return weight / 2


def parametrized(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    parametrize.register_parametrization(net.second, "weight", Halved())
    return net


def dropout(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.relu = nn.Dropout(0.5)
    return net


class ShiftedConv(nn.Conv2d):
    def forward(self, x):
        return super().forward(x.roll(1, 2))


def subclassed_convolution(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.second = ShiftedConv(4, 4, 3, padding=1)
    return net


class Filtered(Net):
    """Weighs the rows of its images with a buffer that each seed draws."""

    fused = channelwise

    def __init__(self, channels, classes):
        super().__init__(channels, classes)
        self.register_buffer("rows", torch.rand(8, 1))

    def forward(self, x):
        return super().forward(x * self.rows)


def buffer_in_forward(*, input_shape, num_classes):
    return Filtered(input_shape[0], num_classes)


class Mixed(Net):
    fused = channelwise

    def forward(self, x):
        return super().forward(x) + self.first(x).amax((1, 2, 3))[:, None] * self.classifier.bias


def mixed_channels(*, input_shape, num_classes):
    return Mixed(input_shape[0], num_classes)


class Counting(Net):
    fused = channelwise

    def __init__(self, channels, classes):
        super().__init__(channels, classes)
        self.steps = 0

    def forward(self, x):
        self.steps += self.training
        return super().forward(x if self.steps < 3 else -x)


def python_state(*, input_shape, num_classes):
    return Counting(input_shape[0], num_classes)


class Drawing(Net):
    fused = channelwise

    def forward(self, x):
        return super().forward(x * (1 + torch.rand(()) if self.training else 1))


def draws_from_torch(*, input_shape, num_classes):
    return Drawing(input_shape[0], num_classes)


class Flipping(Net):
    fused = channelwise

    def forward(self, x):
        return super().forward(x.flip(3) if self.training and random.random() < 0.5 else x)


def draws_from_python(*, input_shape, num_classes):
    return Flipping(input_shape[0], num_classes)


class Skipping(Net):
    """Draws from NumPy when it is built, and in every pass of its training."""

    fused = channelwise

    def __init__(self, channels, classes):
        super().__init__(channels, classes)
        self.first.weight.data *= np.random.uniform(0.5, 1.5)

    def forward(self, x):
        return super().forward(x * (np.random.random() if self.training else 0.5))


def draws_from_numpy(*, input_shape, num_classes):
    return Skipping(input_shape[0], num_classes)


class DrawingInEvaluation(Net):
    """Adds noise of the host's generator in evaluation mode only."""

    def forward(self, x):
        return super().forward(x if self.training else x + 1e-9 * torch.rand(()))


def draws_in_evaluation(*, input_shape, num_classes):
    return DrawingInEvaluation(input_shape[0], num_classes)


class InPlace(Net):
    fused = channelwise

    def forward(self, x):
        self.first.weight.data.clamp_(-0.1, 0.1)
        return super().forward(x)


def clamped_in_place(*, input_shape, num_classes):
    return InPlace(input_shape[0], num_classes)


def replaced_forward(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    original = net.second.forward
    net.second.forward = lambda x: F.relu(original(x))
    return net


def replaced_inner_function(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.second._conv_forward = lambda x, weight, bias: F.conv2d(x, weight.flip(2), bias, padding=1)
    return net


def double_layer(*, input_shape, num_classes):
    class Double(Net):
        fused = channelwise

        def forward(self, x):
            return super().forward(x.double()).float()

    return Double(input_shape[0], num_classes).double()


def another_structure_a_seed(*, input_shape, num_classes):
    net = Net(input_shape[0], num_classes)
    net.pool = nn.AvgPool2d(8) if torch.rand(()) < 0.5 else nn.MaxPool2d(8)
    return net


def filtered(*, input_shape, num_classes, kind: str = "sobel"):
    """A network whose first layer is a fixed filter."""
    net = Net(input_shape[0], num_classes)
    rows = {"sobel": [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]], "box": [[1 / 9] * 3] * 3}[kind]
    net.first = nn.Conv2d(input_shape[0], 4, 3, padding=1, bias=False)
    net.first.weight = nn.Parameter(torch.tensor([[rows] * input_shape[0]] * 4), requires_grad=False)
    return net


def scaled_gradient(*, input_shape, num_classes, factor: float = 1.0):
    """A network of which a hook scales a gradient."""
    net = Net(input_shape[0], num_classes)
    net.second.weight.register_hook(lambda gradient: factor * gradient)
    return net


def partly_frozen(*, input_shape, num_classes, freeze: bool = False):
    """A network whose first layer may be frozen."""
    net = Net(input_shape[0], num_classes)
    net.first.requires_grad_(not freeze)
    return net


def named(*, input_shape, num_classes, label: str = "a"):
    """A network whose setting changes nothing."""
    return Net(input_shape[0], num_classes)
