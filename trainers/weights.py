"""Trained weights as files: named by their contents, safe to load, with all that makes a network of them again."""

import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces import build_network
from trainers.data.batch_loader import BatchLoader
from trainers.records import DataInfo


class WeightsError(Exception):
    """The file is missing, damaged, or holds no weights of this program; the message says which."""


@dataclass(frozen=True)
class Normalisation:
    """What turns raw images (N, C, H, W), whole numbers as the data set has them, into what the network was given."""

    shift: Tensor
    scale: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Return the normalised images."""
        return (images.float() - self.shift.to(images.device)) * self.scale.to(images.device)


@dataclass(frozen=True)
class Weights:
    """The weights of one network after some epoch, with its settings and the normalisation of its images."""

    network: Mapping[str, Any]
    input_shape: tuple[int, int, int]
    num_classes: int
    seed: int
    epoch: int
    normalisation: Normalisation
    state: Mapping[str, Tensor]

    @classmethod
    def of(
        cls, network: Mapping[str, Any], info: DataInfo, loader: BatchLoader, state: Mapping[str, Tensor],
        seed: int, epoch: int,
    ) -> "Weights":  # fmt: skip
        """Return the weights of a network in training, apart from it."""
        shift, scale = (each.detach().cpu().clone() for each in loader.normaliser())
        apart = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
        return cls(network, info.input_shape, info.num_classes, seed, epoch, Normalisation(shift, scale), apart)

    def build(self) -> nn.Module:
        """Return the trained network in evaluation mode, with its `Normalisation` as the attribute `normalisation`."""
        with torch.random.fork_rng(devices=[]):
            network = build_network(self.network, self.input_shape, self.num_classes)
        network.load_state_dict(dict(self.state))
        network.normalisation = self.normalisation  # type: ignore[assignment]  # no module, so not in its state
        return network.eval()


def save_weights(folder: Path, weights: Weights) -> tuple[Path, int]:
    """Write the weights into `folder` in one step; return the file, named by its SHA-256, and its bytes.

    Raises OSError when the folder cannot be written.
    """
    buffer = io.BytesIO()
    values = {
        "network": dict(weights.network),
        "input_shape": list(weights.input_shape),
        "num_classes": weights.num_classes,
        "seed": weights.seed,
        "epoch": weights.epoch,
        "shift": weights.normalisation.shift,
        "scale": weights.normalisation.scale,
        "state": dict(weights.state),
    }
    torch.save(values, buffer)
    content = buffer.getvalue()
    path = folder / f"{hashlib.sha256(content).hexdigest()}.pt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            beside.write_bytes(content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return path, len(content)


def load_weights(path: Path) -> Weights:
    """Return the weights in a file, on the CPU; WeightsError when there are none. Nothing in the file can run code."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights {path} cannot be read: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != path.stem:
        raise WeightsError(f"the weights {path} are damaged: the file is not what was written")
    values = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    channels, height, width = values["input_shape"]
    return Weights(
        network=values["network"],
        input_shape=(channels, height, width),
        num_classes=values["num_classes"],
        seed=values["seed"],
        epoch=values["epoch"],
        normalisation=Normalisation(values["shift"], values["scale"]),
        state=values["state"],
    )
