"""The optimisers of torch.optim beside SGD, with the interface of `trainers.step.optim.SGD`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainers.step.optim import SGD, aligned, weight_decays


def _adam(groups: list[dict[str, Any]], momentum: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, betas=(momentum, 0.999), fused=True)


def _adamw(groups: list[dict[str, Any]], momentum: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, betas=(momentum, 0.999), fused=True)


def _rmsprop(groups: list[dict[str, Any]], momentum: float) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, momentum=momentum, foreach=True)


OPTIMISERS: Mapping[str, Callable[[list[dict[str, Any]], float], torch.optim.Optimizer]] = {
    "adam": _adam,
    "adamw": _adamw,
    "rmsprop": _rmsprop,
}


class TorchOptimiser:
    """One of torch.optim's optimisers over all parameters of a network.

    `momentum` may be set anew before each step: of Adam and AdamW it is the first beta, of RMSprop its momentum. Each
    update is element by element, so that fused replicas are updated as each alone. A step is not for CUDA graphs.
    """

    def __init__(self, network: nn.Module, training: Mapping[str, Any]) -> None:
        self.parameters = [each for each in network.parameters() if each.requires_grad]
        self.momentum = float(training["momentum"])
        self.cycled_momentum: Tensor | None = None  # what a recorded step of SGD reads
        decays = weight_decays(self.parameters, training)
        groups = [
            {
                "params": [each for each, own in zip(self.parameters, decays, strict=True) if own == decay],
                "weight_decay": decay,
            }
            for decay in sorted(set(decays))
        ]
        self._optimiser = OPTIMISERS[training["optimizer"]](groups, self.momentum)
        self._make_state()

    @property
    def velocities(self) -> list[Tensor]:
        """What a checkpoint must hold besides the weights: every tensor of the state, parameter by parameter."""
        states = (self._optimiser.state[parameter] for parameter in self.parameters)
        return [state[name] for state in states for name in sorted(state)]

    def step(self, gradients: Sequence[Tensor | None], lr: float | Tensor) -> None:
        """Take one step. A parameter without a gradient stays as it is, state included."""
        for group in self._optimiser.param_groups:
            group["lr"] = float(lr)
            if "betas" in group:
                group["betas"] = (self.momentum, group["betas"][1])
            else:
                group["momentum"] = self.momentum
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else aligned(gradient.detach(), parameter)
        self._optimiser.step()
        for parameter in self.parameters:
            parameter.grad = None

    def change_rate(self, before: float, lr: float) -> None:
        """Account for a change of the learning rate: the state of these optimisers holds none."""

    @torch.no_grad()
    def _make_state(self) -> None:
        """Let torch make the state, which it does in the first step: one of rate zero, which moves nothing."""
        weights = [each.clone() for each in self.parameters]
        self.step([torch.zeros_like(each) for each in self.parameters], 0.0)
        for parameter, weight in zip(self.parameters, weights, strict=True):
            parameter.copy_(weight)
        for tensor in self.velocities:
            tensor.zero_()


Optimiser = SGD | TorchOptimiser


def make_optimiser(network: nn.Module, training: Mapping[str, Any]) -> Optimiser:
    """Return the optimiser that the completed ``training:`` settings name; without a name it is SGD."""
    return SGD(network, training) if training.get("optimizer", "sgd") == "sgd" else TorchOptimiser(network, training)
