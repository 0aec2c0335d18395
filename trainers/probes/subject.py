"""What a probe is given: a network of its own with some weights, and the images to measure it on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from search_spaces.units import NetworkUnit, find_units
from trainers.data import load
from trainers.data.batch_loader import Batch, BatchLoader
from trainers.data.loaders import make_loader
from trainers.process import process_settings
from trainers.records import DataInfo, Task
from trainers.seeding import derive
from trainers.step.own_step import load_own_step
from trainers.step.precision import Numerics, choose_numerics
from trainers.step.start_weights import start_network

BATCH = 256


@dataclass(frozen=True)
class Bench:
    """What the probes of one task share: its data on a device, and how that device computes."""

    task: Task
    info: DataInfo
    loader: BatchLoader
    numerics: Numerics

    @classmethod
    def of(cls, task: Task, device: str, threads: int) -> "Bench":
        """Return the bench of a task whose training is over."""
        place = torch.device(device)
        data = load(task.data, place, task.seeds)
        numerics = choose_numerics(task.training, place, threads)
        return cls(task, data.info, make_loader(data, task.training, place), numerics)

    def start(self, seed: int) -> nn.Module:
        """Return a network with the weights that the training of a seed starts from, on the CPU."""
        return start_network(self.task.network, self.task.training["init"], seed, self.info)

    def subject(
        self, seed: int, weights: Mapping[str, Tensor] | None, epoch: int, partner: "Partner | None" = None
    ) -> "Subject":
        """Return the network of one seed with these weights; with those that it starts from where there are none."""
        network = self.start(seed)
        network.to(self.numerics.device).to(memory_format=self.numerics.order)
        subject = Subject(self, network.eval(), seed, epoch, partner)
        if weights is not None:
            subject.take(seed, weights, epoch)
        return subject


@dataclass(frozen=True)
class Partner:
    """The trained weights of another seed of the same arm."""

    seed: int
    state: Mapping[str, Tensor]


class Subject:
    """A network in evaluation mode that belongs to the probe, with fixed images; everything is computed in fp32.

    `seed` is the trial's, and `epoch` counts the epochs behind the weights. `partner` is there for probes that need it.
    """

    def __init__(self, bench: Bench, network: nn.Module, seed: int, epoch: int, partner: Partner | None = None) -> None:
        self._bench = bench
        self.network = network
        self.seed = seed
        self.epoch = epoch
        self.partner = partner
        self._batches: dict[tuple[str, int | None], list[Batch]] = {}
        self._own_step = load_own_step(bench.task.training)

    def take(self, seed: int, weights: Mapping[str, Tensor], epoch: int) -> None:
        """Become the network of another seed or epoch; what is known of images and units stays."""
        own = dict(self.network.named_parameters()) | dict(self.network.named_buffers())
        if own.keys() == weights.keys() and all(own[name].shape == weights[name].shape for name in own):
            # As `load_state_dict` would, in half the time; it is what says what is wrong with other weights.
            with torch.no_grad():
                for name, tensor in own.items():
                    tensor.copy_(weights[name])
        else:
            self.network.load_state_dict(weights)
        self.network.eval()
        self.seed, self.epoch = seed, epoch

    @property
    def info(self) -> DataInfo:
        """The facts of the data set."""
        return self._bench.info

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self._bench.numerics.device

    @cached_property
    def units(self) -> tuple[NetworkUnit, ...]:
        """The units of the network; none where nothing repeats."""
        images, _ = self.training_images(2)[0]
        return find_units(self.network, images)

    def generator(self, number: int = 0) -> torch.Generator:
        """Return the `number`-th source of random choices of this trial, on the CPU."""
        return torch.Generator().manual_seed(derive(self.seed, "probe", number))

    def training_images(self, most: int | None = None) -> list[Batch]:
        """Return a fixed choice of at most `most` training images, unaugmented; the same for every trial."""
        if ("train", most) not in self._batches:
            count = self.info.train_size
            order = torch.randperm(count, generator=torch.Generator().manual_seed(derive(0, "probe"))).tolist()
            chosen = sorted(order[: min(most or count, count)])
            self._batches["train", most] = self._lay_out(self._bench.loader.plain(chosen, BATCH))
        return self._batches["train", most]

    def training_epoch(self) -> Iterator[Batch]:
        """Yield the batches of the epoch that would have come next, augmented as in the training."""
        for images, labels in self._bench.loader.train(self.seed, self.epoch + 1):
            yield self._bench.numerics.lay_out(images), labels

    def test_images(self) -> list[Batch]:
        """Return the whole test set."""
        if ("test", None) not in self._batches:
            self._batches["test", None] = self._lay_out(self._bench.loader.test(BATCH))
        return self._batches["test", None]

    def loss(self, images: Tensor, labels: Tensor, reduction: Literal["mean", "sum"] = "mean") -> Tensor:
        """Return the loss of a batch as the training has it: cross-entropy in nats, or that of the user's own step."""
        if self._own_step is None:
            return F.cross_entropy(self.network(images).float(), labels, reduction=reduction)
        losses, _ = self._own_step(self.network, images, labels)
        return losses.mean() if reduction == "mean" else losses.sum()

    @torch.inference_mode()
    def score(self, batches: list[Batch]) -> tuple[float, float]:
        """Return the mean loss and the error in per cent; a loss may be infinite or not a number."""
        sums = torch.zeros(2, dtype=torch.float64, device=self.device)
        for images, labels in batches:
            if self._own_step is not None:
                sums += torch.stack([each.double().sum() for each in self._own_step(self.network, images, labels)])
                continue
            logits = self.network(images).float()
            sums[0] += F.cross_entropy(logits, labels, reduction="none").double().sum()
            sums[1] += (logits.argmax(1) != labels).sum()
        loss, wrong = (sums / sum(len(labels) for _, labels in batches)).tolist()
        return loss, 100 * wrong

    def error(self, batches: list[Batch]) -> float:
        """Return the error in per cent."""
        return self.score(batches)[1]

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Compute inside the block as the training did, and leave the process as it was."""
        devices: list[Any] = [self.device] if self.device.type == "cuda" else []
        with process_settings(self._bench.numerics.threads), torch.random.fork_rng(devices=devices):
            torch.manual_seed(derive(self.seed, "probe"))
            yield

    def _lay_out(self, batches: Iterator[Batch]) -> list[Batch]:
        return [(self._bench.numerics.lay_out(images), labels) for images, labels in batches]
