"""Stochastic gradient descent with momentum, in torch's form and in Caffe's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class SGD:
    """SGD over all parameters of a network, each step one call for all tensors of a decay.

    The update is that of ``torch.optim.SGD`` without dampening: v = m v + g, w -= lr v (with Nesterov's form
    w -= lr (g + m v)), where g includes the weight decay. Velocities start at zero, which gives torch's first step.
    Besides being faster for hundreds of small tensors, it holds its state as plain lists, which packs stack.
    """

    def __init__(self, network: nn.Module, training: Mapping[str, Any]) -> None:
        self.parameters = [each for each in network.parameters() if each.requires_grad]
        self.velocities = [torch.zeros_like(each) for each in self.parameters]
        self.momentum = float(training["momentum"])
        self.nesterov = bool(training["nesterov"])
        self.form = training["momentum_form"]
        self.decays = weight_decays(self.parameters, training)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor | None], lr: float | Tensor) -> None:
        """Take one step. A parameter without a gradient stays as it is, velocity included."""
        for decay in set(self.decays):
            chosen = [
                (parameter, gradient, velocity)
                for parameter, gradient, velocity, own in zip(
                    self.parameters, gradients, self.velocities, self.decays, strict=True
                )
                if own == decay and gradient is not None
            ]
            if not chosen:
                continue
            parameters, present, velocities = (list(each) for each in zip(*chosen, strict=True))
            torch._fused_sgd_(
                parameters,
                [_aligned(gradient, parameter) for gradient, parameter in zip(present, parameters, strict=True)],
                velocities if self.momentum else [],
                weight_decay=decay,
                momentum=self.momentum,
                lr=lr,
                dampening=0.0,
                nesterov=self.nesterov,
                maximize=False,
                is_first_step=False,
            )

    def change_rate(self, before: float, lr: float) -> None:
        """Account for a change of the learning rate between two steps.

        Caffe's velocity contains the learning rate (v = m v + lr g; w -= v), torch's does not (v = m v + g;
        w -= lr v). They differ only where the rate changes, and there the stored velocity is rescaled.
        """
        if self.form == "caffe" and lr != before:
            torch._foreach_mul_(self.velocities, before / lr)


def _aligned(gradient: Tensor, parameter: Tensor) -> Tensor:
    """Return the gradient in its parameter's memory order: the fused kernel walks both in memory, without a check."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def weight_decays(parameters: Iterable[nn.Parameter], training: Mapping[str, Any]) -> list[float]:
    """Return the weight decay of each parameter.

    ``decay: all`` decays biases and batch norms too, as Caffe, Torch7 and torch do by default; ``weights`` decays
    only what has two or more dimensions.
    """
    everything = training["decay"] == "all"
    return [training["weight_decay"] if everything or each.dim() > 1 else 0.0 for each in parameters]
