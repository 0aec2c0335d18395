"""A family of a user's own, as the tests' study files would name it."""

from torch import nn


def build(*, input_shape, num_classes, depth: int = 3, width: int = 4):
    channels, found = input_shape[0], []
    for _ in range(depth):
        found += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    return nn.Sequential(*found, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes))


def projects(*, input_shape, num_classes):
    projection = nn.Conv2d(input_shape[0], 8, 1, stride=2, padding="valid")
    return nn.Sequential(projection, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, num_classes))


def no_classes(*, input_shape):
    return nn.Identity()


def refuses(*, input_shape, num_classes):
    raise ValueError("an odd depth is not for me")


def not_a_module(*, input_shape, num_classes):
    return "network"
