"""What a network of the user's own computes before it is trained: its values, which a trace has not."""

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

from search_spaces.errors import SettingError


def behaviour_hash(build: Callable[[], nn.Module], images: Tensor) -> str:
    """Return 16 hexadecimal digits that identify a network's values, what is frozen, its logits and its gradients.

    It is built on the CPU from a fixed seed and takes one pass over `images`; what it cannot compute is left out.
    Torch's generator is left as it was. SettingError for logits that no training could change.
    """
    digest = hashlib.sha256()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build().train()
        for value in (*network.parameters(), *network.buffers()):
            digest.update(f"{value.requires_grad} {tuple(value.shape)}".encode() + _bytes(value))
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


def _check_gradient(logits: Tensor) -> None:
    if not logits.requires_grad:
        raise SettingError(
            "its logits have no gradient, so nothing can be trained: look for `detach`, `torch.no_grad` or `.data` in "
            "its forward pass",
            ("family",),
        )


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
