"""Initial weights as a recipe asks for them."""

import math
from collections.abc import Mapping

from torch import nn


def initialise(network: nn.Module, init: Mapping[str, str | float]) -> None:
    """Draw the weights of every Conv2d and Linear anew, in place, from torch's global generator.

    Biases, scalars and batch norms stay as built: a gate's bias or a branch that starts at zero is part of the arm.
    ``he_fan_in`` and ``he_fan_out`` are N(0, 2/n) with n the inputs or outputs of a unit (arXiv:1502.01852 equations
    10 and 14), ``uniform_fan_in`` is U(-1/sqrt(n), 1/sqrt(n)), torch's own; a number is the deviation of a normal.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            _draw(module, init["conv"])
        elif isinstance(module, nn.Linear):
            _draw(module, init["linear"])


def _draw(layer: nn.Conv2d | nn.Linear, distribution: str | float) -> None:
    weight = layer.weight
    if distribution == "he_fan_in":
        nn.init.kaiming_normal_(weight, mode="fan_in")
    elif distribution == "he_fan_out":
        nn.init.kaiming_normal_(weight, mode="fan_out")
    elif distribution == "uniform_fan_in":
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5))
    elif isinstance(distribution, float):
        nn.init.normal_(weight, std=distribution)
