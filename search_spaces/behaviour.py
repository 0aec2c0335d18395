"""What a network of the user's own computes before it is trained: its values, which a trace has not."""

import hashlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from search_spaces.errors import SettingError
from search_spaces.generators import generators_seeded


def behaviour_hash(build: Callable[[], nn.Module], images: Tensor) -> str:
    """Return 16 hexadecimal digits that identify a network's values, what is frozen, its logits and its gradients.

    It is built on the CPU from a fixed seed and takes one pass over `images`; what it cannot compute is left out.
    The generators are left as they were. SettingError for logits that no training could change, and for tensors that
    are trained and that another network of the same builder would have, too.
    """
    digest = hashlib.sha256()
    with generators_seeded(0):
        network = build().train()
        _check_no_trace_of_another(network)
        for value in (*network.parameters(), *network.buffers()):
            digest.update(f"{value.requires_grad} {tuple(value.shape)}".encode() + _bytes(value))
        with generators_seeded(0):  # what the network draws below stays what it was
            _check_tensors_of_its_own(network, build())
        try:
            logits = network(images)
            _check_gradient(logits)
            trained = [each for each in network.parameters() if each.requires_grad]
            gradients = torch.autograd.grad(logits.square().sum(), trained, allow_unused=True)
        except SettingError:
            raise
        except Exception:  # whatever the user's code raises was told, or will be, where the network is traced
            return digest.hexdigest()[:16]
        for result in (logits, *(each for each in gradients if each is not None)):
            digest.update(_bytes(result))
    return digest.hexdigest()[:16]


def _check_no_trace_of_another(network: nn.Module) -> None:
    """Refuse tensors without values: they are left from the network that was traced."""
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if tensor.is_meta:
            raise _shared(name)


def _check_tensors_of_its_own(network: nn.Module, another: nn.Module) -> None:
    theirs = {tensor.untyped_storage().data_ptr() for _, tensor in _changed_by_training(another)}
    for name, tensor in _changed_by_training(network):
        if tensor.numel() and tensor.untyped_storage().data_ptr() in theirs:
            raise _shared(name)


def _shared(name: str) -> SettingError:
    return SettingError(
        f"two networks that it builds have the same {name}: each trial would go on with what another has learned. "
        "Make the layer inside of the builder, anew at each call",
        ("family",),
    )


def _changed_by_training(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters to train, and the running statistics of normalisations."""
    yield from ((name, each) for name, each in network.named_parameters() if each.requires_grad)
    for place, module in network.named_modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            yield from module.named_buffers(place, recurse=False)


def _check_gradient(logits: Tensor) -> None:
    if not logits.requires_grad:
        raise SettingError(
            "its logits have no gradient, so nothing can be trained: look for `detach`, `torch.no_grad` or `.data` in "
            "its forward pass",
            ("family",),
        )


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
