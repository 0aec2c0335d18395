"""One seed of a pack: its network, its optimiser, and how far it has come."""

import copy
from collections.abc import Mapping
from typing import Any

from torch import nn

from trainers.records import DataInfo, Task
from trainers.step.activation_checkpoints import checkpoint_units
from trainers.step.divergence import Divergence
from trainers.step.precision import Numerics
from trainers.step.start_weights import start_network
from trainers.step.torch_optim import Optimiser, make_optimiser


class Replica:
    """What is trained for one seed of a task; everything in it that a checkpoint must hold is in `state`."""

    def __init__(self, task: Task, seed: int, info: DataInfo, numerics: Numerics) -> None:
        self.seed = seed
        self.task = task
        self.info = info
        self.numerics = numerics
        self.training = task.training
        self.network: nn.Module = start_network(task.network, task.training["init"], seed, info)
        self.network.to(numerics.device).to(memory_format=numerics.order)
        if task.training["checkpoint_activations"]:
            checkpoint_units(self.network)
        self.optimiser: Optimiser = make_optimiser(self.network, task.training)
        self.epoch = 0
        self.last_loss: float | None = None
        self.divergence: Divergence | None = None
        self.seconds = 0.0
        self.training_seconds = 0.0
        self.busy_seconds = 0.0
        self.joules = 0.0
        self.images = 0
        self.steps = 0

    def count(self, images: int, steps: int, seconds: float, training: float, busy: float, joules: float) -> None:
        """Add one epoch's work: its seconds, those in training, those in which the device computed, its energy."""
        self.images += images
        self.steps += steps
        self.seconds += seconds
        self.training_seconds += training
        self.busy_seconds += busy
        self.joules += joules

    def copy_state(self) -> dict[str, Any]:
        """Return a state that stays as it is while the replica trains on."""
        return copy.deepcopy(self.state())

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the training depends on, as tensors and plain values."""
        gone = self.divergence
        return {
            "network": self.network.state_dict(),
            "velocities": self.optimiser.velocities,
            "divergence": None if gone is None else [gone.epoch, gone.loss_before_divergence, gone.reason],
            **{name: getattr(self, name) for name in _COUNTERS},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.network.load_state_dict(state["network"])
        for velocity, stored in zip(self.optimiser.velocities, state["velocities"], strict=True):
            velocity.copy_(stored)
        self.divergence = None if state["divergence"] is None else Divergence(*state["divergence"])
        for name in _COUNTERS:
            setattr(self, name, state.get(name, 0.0))  # the first checkpoints have no energy


_COUNTERS = ("epoch", "last_loss", "seconds", "training_seconds", "busy_seconds", "joules", "images", "steps")
