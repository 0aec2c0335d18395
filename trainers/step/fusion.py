"""The networks of several seeds as one network: their channels side by side, their convolutions grouped.

One grouped convolution over K networks costs less than K convolutions where networks are narrow: vector units are
filled, and every call is paid once instead of K times. The arithmetic of each replica stays its own; only the order of
sums inside a convolution may differ, so a replica equals its solo run up to rounding
(tests/trainers/step/test_fusion.py).

Images of a fused network are (count, K * channels, height, width), the replicas' channels one after another, and its
logits (count, K * classes). Every fused parameter and buffer holds the replicas' tensors one after another.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.fusing import channelwise, says_how_to_fuse
from search_spaces.layers import BatchNorm, NarrowProjection
from trainers.step.observation import has_hooks


class FusedLinear(nn.Linear):
    """K linear layers: (count, K * features) to (count, K * outputs)."""

    def __init__(self, count: int, features: int, outputs: int, bias: bool) -> None:
        super().__init__(features, count * outputs, bias)
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        """Multiply each replica's features with its own weights."""
        weight = self.weight.view(self.count, -1, self.in_features)
        features = x.reshape(len(x), self.count, -1).transpose(0, 1)
        result = torch.bmm(features, weight.mT).transpose(0, 1).flatten(1)
        return result if self.bias is None else result + self.bias


def fuse(networks: Sequence[nn.Module]) -> nn.Module | None:
    """Return one network that computes what `networks`, all of one arm, compute; None where that is not known how.

    It has shapes only: `load` puts the networks' values in.
    """
    if obstacle(networks) is not None:
        return None
    device = next(networks[0].parameters()).device
    with torch.device("meta"):  # values come with `load`, and drawing some here would disturb the caller's generator
        fused = _fuse(networks[0], len(networks))
    return _in_memory(fused, device)


def _in_memory(network: nn.Module, device: torch.device) -> nn.Module:
    """Give a network of shapes alone its memory, unfilled.

    torch's own `to_empty` imports sympy for it: half a second in each worker.
    """
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            memory = torch.empty(parameter.shape, dtype=parameter.dtype, device=device)
            setattr(module, name, nn.Parameter(memory, parameter.requires_grad))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, torch.empty(buffer.shape, dtype=buffer.dtype, device=device))
    return network


def obstacle(networks: Sequence[nn.Module]) -> str | None:
    """Return why `networks` cannot be fused, or None where nothing is known that speaks against it.

    Whatever could make a module compute something else than its class says speaks against it: hooks, weights that are
    computed from others, shared or frozen tensors, a ``forward`` that was replaced.
    """
    first = networks[0]
    for name, module in first.named_modules():
        reason = _obstacle_in(module)
        if reason is not None:
            return f"{name or 'the network'} ({type(module).__name__}) {reason}"
    return _obstacle_between_tensors(first) or _difference(networks)


def load(fused: nn.Module, networks: Sequence[nn.Module]) -> None:
    """Copy the replicas' parameters and buffers into the fused network."""
    for whole, parts in _pairs(fused, networks):
        for at, part in enumerate(parts):
            whole[at].copy_(part)


def store(fused: nn.Module, networks: Sequence[nn.Module]) -> None:
    """Copy the fused network's parameters and buffers back into the replicas."""
    for whole, parts in _pairs(fused, networks):
        for at, part in enumerate(parts):
            part.copy_(whole[at])


def split(whole: Tensor, parts: Sequence[Tensor]) -> Tensor:
    """Return the fused tensor `whole` seen as (K, *shape of a part)."""
    return whole.detach().view(len(parts), *parts[0].shape)  # the first dimension alone is divided


def _pairs(fused: nn.Module, networks: Sequence[nn.Module]) -> Iterator[tuple[Tensor, list[Tensor]]]:
    replicas = [dict(chain(each.named_parameters(), each.named_buffers())) for each in networks]
    for name, whole in chain(fused.named_parameters(), fused.named_buffers()):
        parts = [replica[name].detach() for replica in replicas]
        yield split(whole, parts), parts


def _fuse(module: nn.Module, count: int) -> nn.Module:
    """Return `module` for `count` networks; `obstacle` has said that there is one."""
    fused = _alone(module, count)
    assert fused is not None
    if module._modules:
        fused._modules = {
            name: None if child is None else _fuse(child, count) for name, child in module._modules.items()
        }
    return fused


def _alone(module: nn.Module, count: int) -> nn.Module | None:
    """Return `module` for `count` networks, its children left as they are; None where that is not known."""
    if type(module) in _FUSERS:
        return _FUSERS[type(module)](module, count)
    if says_how_to_fuse(module):
        return module.fused(count)
    return None


def _obstacle_in(module: nn.Module) -> str | None:
    if "forward" in vars(module):
        return "has its forward pass replaced, as recomputed activations do"
    if any(callable(each) for each in vars(module).values()):
        return "keeps a function of its own"
    if has_hooks(module):
        return "has hooks"
    if getattr(module, "is_random", False):
        return "draws random numbers"
    if isinstance(module, nn.Conv2d) and module.padding_mode != "zeros":
        return f"pads with padding_mode={module.padding_mode!r}"
    if isinstance(module, nn.BatchNorm2d) and not module.track_running_stats:
        return "keeps no running statistics"
    if type(module) is nn.BatchNorm2d and module.momentum is None:
        return "averages cumulatively (momentum=None)"
    if type(module) in _FUSERS:
        own = {*module._parameters, *module._buffers} - _TENSORS
        return f"has tensors of its own: {', '.join(sorted(own))}" if own else None
    with torch.device("meta"):
        return "is not known to fuse" if _alone(module, 2) is None else None


def _obstacle_between_tensors(network: nn.Module) -> str | None:
    if len(list(network.named_modules(remove_duplicate=False))) > len(list(network.modules())):
        return "a module is used in several places"
    tensors = [*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)]
    seen: dict[int, str] = {}
    for name, tensor in tensors:
        other = seen.setdefault(tensor.untyped_storage().data_ptr(), name)
        if other != name and tensor.numel():
            return f"{name} and {other} share their memory"
        if isinstance(tensor, nn.Parameter) and not tensor.requires_grad:
            return f"{name} is frozen"
        if tensor.is_floating_point() and tensor.dtype != torch.get_default_dtype():
            return f"{name} is of {tensor.dtype}"
        if tensor._backward_hooks or getattr(tensor, "_post_accumulate_grad_hooks", None):
            return f"{name} has hooks"
    return None


def _difference(networks: Sequence[nn.Module]) -> str | None:
    """Return what tells the networks' tensors apart: a seed may build layers that another does not."""
    first = _shapes(networks[0])
    differ = any(_shapes(each) != first for each in networks[1:])
    return "the seeds' networks have tensors of different shapes" if differ else None


def _shapes(network: nn.Module) -> list[tuple[str, torch.Size, torch.dtype]]:
    return [(name, value.shape, value.dtype) for name, value in network.state_dict().items()]


def _convolution(layer: Any, count: int) -> nn.Module:
    return nn.Conv2d(
        layer.in_channels * count,
        layer.out_channels * count,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups * count,
        layer.bias is not None,
    )


def _batch_norm(layer: Any, count: int) -> nn.Module:
    fused: nn.BatchNorm2d = type(layer)(layer.num_features * count, layer.eps, layer.momentum, layer.affine)
    fused.num_batches_tracked = None
    return fused


def _linear(layer: Any, count: int) -> nn.Module:
    return FusedLinear(count, layer.in_features, layer.out_features, layer.bias is not None)


_FUSERS: Mapping[type[nn.Module], Callable[[Any, int], nn.Module | None]] = {
    nn.Conv2d: _convolution,
    NarrowProjection: _convolution,
    nn.BatchNorm2d: _batch_norm,
    BatchNorm: _batch_norm,
    nn.Linear: _linear,
    # These do the same to every channel, or only put their children together.
    **dict.fromkeys((nn.ReLU, nn.Identity, nn.MaxPool2d, nn.AvgPool2d, nn.Sequential), channelwise),
}

_TENSORS = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}  # of the layers above
