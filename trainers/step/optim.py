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

    `momentum` may be set anew before each step. The fused kernel takes it as a plain number, which a recorded step
    would keep for ever: where `cycled_momentum` is a tensor (0-dimensional, on the device), the momentum
    is read from there.
    """

    def __init__(self, network: nn.Module, training: Mapping[str, Any]) -> None:
        self.parameters = [each for each in network.parameters() if each.requires_grad]
        self.velocities = [torch.zeros_like(each) for each in self.parameters]
        self.momentum = float(training["momentum"])
        self.cycled_momentum: Tensor | None = None
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
            ordered = [aligned(gradient, parameter) for gradient, parameter in zip(present, parameters, strict=True)]
            if self.cycled_momentum is None:
                kept = velocities if self.momentum else []
                _fused(parameters, ordered, kept, lr, decay, self.momentum, self.nesterov)
            else:
                _fused(
                    parameters, self._directions(parameters, ordered, velocities, decay, self.cycled_momentum), [], lr
                )

    def _directions(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        velocities: list[Tensor],
        decay: float,
        momentum: Tensor,
    ) -> list[Tensor]:
        """Update the velocities with a momentum that lies on the device; return the directions to descend in."""
        if decay:
            gradients = list(torch._foreach_add(gradients, parameters, alpha=decay))
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_add_(velocities, gradients)
        if not self.nesterov:
            return velocities
        directions = list(torch._foreach_mul(velocities, momentum))
        torch._foreach_add_(directions, gradients)
        return directions

    def change_rate(self, before: float, lr: float) -> None:
        """Account for a change of the learning rate between two steps.

        Caffe's velocity contains the learning rate (v = m v + lr g; w -= v), torch's does not (v = m v + g;
        w -= lr v). They differ only where the rate changes, and there the stored velocity is rescaled.
        """
        if self.form == "caffe" and lr != before:
            torch._foreach_mul_(self.velocities, before / lr)


def _fused(
    parameters: list[Tensor],
    gradients: list[Tensor],
    velocities: list[Tensor],
    lr: float | Tensor,
    decay: float = 0.0,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> None:
    """Call torch's kernel, which takes no velocities where there is no momentum."""
    torch._fused_sgd_(
        parameters,
        gradients,
        velocities,
        weight_decay=decay,
        momentum=momentum,
        lr=lr,
        dampening=0.0,
        nesterov=nesterov,
        maximize=False,
        is_first_step=False,
    )


def aligned(gradient: Tensor, parameter: Tensor) -> Tensor:
    """Return the gradient in its parameter's memory order: the fused kernel walks both in memory, without a check.

    The stride of a dimension of size 1 says nothing of the order: renaming it, as 1x1 convolutions need, costs no copy.
    """
    strides = parameter.stride()
    if gradient.stride() == strides:
        return gradient
    if all(size == 1 or own == its for size, own, its in zip(parameter.shape, strides, gradient.stride(), strict=True)):
        return gradient.as_strided(parameter.shape, strides)
    return torch.empty_like(parameter).copy_(gradient)


def weight_decays(parameters: Iterable[nn.Parameter], training: Mapping[str, Any]) -> list[float]:
    """Return the weight decay of each parameter.

    ``decay: all`` decays biases and batch norms too, as Caffe, Torch7 and torch do by default; ``weights`` decays
    only what has two or more dimensions.
    """
    everything = training["decay"] == "all"
    return [training["weight_decay"] if everything or each.dim() > 1 else 0.0 for each in parameters]
