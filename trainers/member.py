"""One seed of a pack: its network, its optimiser, and how far it has come."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from search_spaces import build_network
from trainers.divergence import Divergence
from trainers.initialise import initialise
from trainers.optim import build_optimiser
from trainers.records import DataInfo, Task
from trainers.seeding import seeded


class Member:
    """What is trained for one seed of a task; everything in it that a checkpoint must hold is in `state`."""

    def __init__(self, task: Task, seed: int, info: DataInfo, device: torch.device) -> None:
        self.seed = seed
        self.training = task.training
        with seeded(seed, "init"):
            self.network: nn.Module = build_network(dict(task.network), info.input_shape, info.num_classes)
            initialise(self.network, task.training["init"])
        self.network.to(device)
        self.optimiser = build_optimiser(self.network, task.training)
        self.epoch = 0
        self.last_loss: float | None = None
        self.divergence: Divergence | None = None
        self.seconds = 0.0
        self.training_seconds = 0.0
        self.images = 0

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the training depends on, as tensors and plain values."""
        gone = self.divergence
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict()["state"],
            "divergence": None if gone is None else [gone.epoch, gone.last_sound_loss, gone.reason],
            **{name: getattr(self, name) for name in _COUNTERS},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.network.load_state_dict(state["network"])
        whole = {**self.optimiser.state_dict(), "state": state["optimiser"]}
        self.optimiser.load_state_dict(whole)
        self.divergence = None if state["divergence"] is None else Divergence(*state["divergence"])
        for name in _COUNTERS:
            setattr(self, name, state[name])


_COUNTERS = ("epoch", "last_loss", "seconds", "training_seconds", "images")
