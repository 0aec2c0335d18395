"""Training steps of a user's, as an author of one would write them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def smoothed(network: nn.Module, images: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return cross-entropies with smoothed labels in training, and wrong answers."""
    logits = network(images)
    share = smoothing if network.training else 0.0
    losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=share)
    return losses, logits.argmax(1) != labels


def doubled(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return twice the cross-entropies, and wrong answers."""
    logits = network(images)
    return 2 * F.cross_entropy(logits, labels, reduction="none"), logits.argmax(1) != labels


def turned(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Turn each image by a random number of quarters, which the network is to tell."""
    quarters = torch.randint(0, 4, labels.shape, device=labels.device)
    pictures = torch.stack([torch.rot90(each, int(by), (1, 2)) for each, by in zip(images, quarters, strict=True)])
    logits = network(pictures)
    return F.cross_entropy(logits, quarters, reduction="none"), logits.argmax(1) != quarters


def averaged(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return one loss for all images, which is a mistake."""
    logits = network(images)
    return F.cross_entropy(logits, labels), logits.argmax(1) != labels


def counting(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return errors above 1, which is a mistake."""
    logits = network(images)
    return F.cross_entropy(logits, labels, reduction="none"), 0 * logits.argmax(1) + 2


def without_labels(network: nn.Module, images: Tensor) -> Tensor:
    """Lack an argument, which is a mistake."""
    return network(images)
