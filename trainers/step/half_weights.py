"""Weights in bf16 beside those in fp32, so that a step casts all of them at once instead of one by one.

Autocast casts the weight of every layer in the forward pass and its gradient in the backward pass: two kernels a layer.
Here all weights are copied in one call, the network computes with the copies, and their gradients are copied back in
one call. The numbers are those of autocast to the bit (tests/trainers/step/test_half_weights.py).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from search_spaces.layers import NarrowProjection
from trainers.step.fusion import FusedLinear

# What autocast casts of a layer's tensors before it computes.
_CAST: Mapping[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("weight", "bias"),
    NarrowProjection: ("weight", "bias"),
    nn.Linear: ("weight", "bias"),
    FusedLinear: ("weight",),
}
_KNOWN = ("torch", "search_spaces", "trainers")


def can_copy(network: nn.Module) -> bool:
    """Whether nothing but its layers can read the weights of `network`: a module of the user's own may."""
    return all(type(module).__module__.partition(".")[0] in _KNOWN for module in network.modules())


class HalfWeights:
    """The bf16 copies of a network's convolution and linear weights, and a forward pass that uses them."""

    def __init__(self, network: nn.Module, parameters: Sequence[nn.Parameter]) -> None:
        self.network = network
        casting = {id(module._parameters[name]) for module in network.modules() for name in _CAST.get(type(module), ())}
        names = {id(parameter): name for name, parameter in network.named_parameters()}
        self.chosen = [at for at, each in enumerate(parameters) if id(each) in casting and each.requires_grad]
        self.whole = [parameters[at].detach() for at in self.chosen]
        self.names = [names[id(parameters[at])] for at in self.chosen]
        self.halves = [each.to(torch.bfloat16).requires_grad_() for each in self.whole]
        self.gradients = [torch.empty_like(each) for each in self.whole]
        self.inputs: list[Tensor] = list(parameters)
        for at, half in zip(self.chosen, self.halves, strict=True):
            self.inputs[at] = half

    def forward(self, images: Tensor) -> Tensor:
        """Copy the weights anew and compute the logits of `images` with the copies."""
        with torch.no_grad():
            torch._foreach_copy_(self.halves, self.whole)
        halves = dict(zip(self.names, self.halves, strict=True))
        logits: Tensor = functional_call(self.network, halves, (images,))
        return logits

    def widen(self, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Return the gradients by `inputs` as those by the parameters, in fp32."""
        widened = list(gradients)
        present = [at for at, each in enumerate(self.chosen) if gradients[each] is not None]
        halves = [gradient for at in present if (gradient := gradients[self.chosen[at]]) is not None]
        targets = [self.gradients[at] for at in present]
        torch._foreach_copy_(targets, halves)
        for at, target in zip(present, targets, strict=True):
            widened[self.chosen[at]] = target
        return widened
