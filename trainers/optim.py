"""Stochastic gradient descent with momentum, in torch's form and in Caffe's."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def build_optimiser(network: nn.Module, training: Mapping[str, Any]) -> torch.optim.SGD:
    """Return SGD over all parameters of `network`, each step of it one call for all tensors."""
    return torch.optim.SGD(
        parameter_groups(network.named_parameters(), training),
        lr=training["lr"],
        momentum=training["momentum"],
        nesterov=training["nesterov"],
        fused=True,
    )


def parameter_groups(named: Iterable[tuple[str, nn.Parameter]], training: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters that decay and those that do not.

    ``decay: all`` decays biases and batch norms too, as Caffe, Torch7 and torch do by default; ``weights`` decays
    only what has two or more dimensions.
    """
    parameters = [parameter for _, parameter in named]
    decaying = [each for each in parameters if training["decay"] == "all" or each.dim() > 1]
    kept = {id(each) for each in decaying}
    groups = [
        {"params": decaying, "weight_decay": training["weight_decay"]},
        {"params": [each for each in parameters if id(each) not in kept], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def set_learning_rate(optimiser: torch.optim.SGD, lr: float, before: float, form: str) -> None:
    """Set the learning rate of the next step; `before` is that of the step before it.

    Caffe's velocity contains the learning rate (v = m v + lr g; w -= v), torch's does not (v = m v + g; w -= lr v).
    They differ only where the rate changes, and there the stored velocity is rescaled.
    """
    if form == "caffe" and lr != before:
        velocities = _velocities(optimiser)
        if velocities:
            torch._foreach_mul_(velocities, before / lr)
    for group in optimiser.param_groups:
        group["lr"] = lr


def _velocities(optimiser: torch.optim.SGD) -> list[Tensor]:
    states = [optimiser.state[each] for group in optimiser.param_groups for each in group["params"]]
    return [state["momentum_buffer"] for state in states if state.get("momentum_buffer") is not None]
