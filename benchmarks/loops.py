"""Loops to be timed: how they are measured in turn, and the product's own trainer as one of them."""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

import torch

from trainers import Task, Trainer, complete_training
from trainers.data import load
from trainers.data.images import DataSet

NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "resnet20": {"depth": 20},
    "resnet56": {"depth": 56},
    "resnet110": {"depth": 110},
    "preact164": {"depth": 164, "block": "bottleneck", "activation": "full_preact"},
    "resnet1001": {"depth": 1001, "block": "bottleneck", "activation": "full_preact"},
    "resnet1202": {"depth": 1202},
}
NEVER = 10**6  # epochs: no measurement comes near


class Loop(Protocol):
    """A training that goes on with each call, by the same number of steps.

    A call returns the seconds of these steps, once the device has finished them. `images` are those that one call
    trains on, over all seeds; `loss` is the latest training loss, which tells whether loops train alike.
    """

    images: int

    @property
    def loss(self) -> float:
        """Return the latest training loss, in nats."""
        ...

    def __call__(self) -> float:
        """Take the steps."""
        ...


@dataclass(frozen=True)
class Measured:
    """The wall time of a loop's first call, which compiles, records and chooses algorithms, and its fastest round."""

    images: int
    first: float
    seconds: float

    @property
    def rate(self) -> float:
        """Return the images a second, once everything is warm."""
        return self.images / self.seconds

    @property
    def preparation(self) -> float:
        """Return what the first call took beyond its steps, in seconds."""
        return max(self.first - self.seconds, 0.0)


def in_turn(
    loops: Mapping[str, Loop],
    rounds: int,
    first: Mapping[str, float] | None = None,
    on_round: Callable[[dict[str, Measured]], None] = lambda measured: None,
) -> dict[str, Measured]:
    """Measure the loops round after round, so that whatever else the machine does meets all of them alike.

    `first` is the wall time of first calls that were made already. `on_round` is told after each round what is known.
    """
    first = first or {name: wall(loop) for name, loop in loops.items()}
    measured: dict[str, Measured] = {}
    for _ in range(rounds):
        for name, loop in loops.items():
            seconds = loop()
            fastest = min(seconds, measured[name].seconds) if name in measured else seconds
            measured[name] = Measured(loop.images, first[name], fastest)
        on_round(measured)
    return measured


class Ours:
    """The trainer of this project; a call is one epoch of `steps` whole batches, or of as many as there are.

    Its time is that of all an epoch needs: order, augmentation, steps, bookkeeping; no test set. `recorded` false
    takes the kernels one by one where a GPU's steps would be recorded.
    """

    def __init__(
        self,
        network: Mapping[str, Any],
        data: Mapping[str, Any],
        args: argparse.Namespace,
        seeds: tuple[int, ...] = (0,),
        recorded: bool = True,
        **training: Any,
    ) -> None:
        self.recorded = recorded
        complete = settings(args, data, epochs=NEVER, evaluate_every=NEVER, **training)

        def beginning(data: Mapping[str, Any], device: torch.device, seeds: Sequence[int]) -> DataSet:
            whole = load(data, device, seeds)
            assert isinstance(whole, DataSet)
            batch = min(args.batch_size, len(whole.train))
            count = min(args.steps, len(whole.train) // batch) * batch
            return replace(whole, train=whole.train.take(torch.arange(count, device=device)))

        with patch("trainers.loop.load", beginning):
            self.trainer = Trainer(Task(data, network, complete, seeds), device=args.device, threads=args.threads)
        self.images = len(seeds) * sum(self.trainer.loader.sizes)

    @property
    def loss(self) -> float:
        """Return the first seed's mean training loss in the latest epoch."""
        first = self.trainer.task.seeds[0]
        return next(each.train_loss for each in reversed(self.trainer.records) if each.seed == first)

    def __call__(self) -> float:
        """Train one epoch."""
        if self.recorded:
            return wall(self.trainer.run_epoch)
        with patch("trainers.step.recording.WARM_UP", NEVER):
            return wall(self.trainer.run_epoch)


def label(args: argparse.Namespace) -> str:
    """Return the end of the name of a result."""
    return f"_{args.label}" if args.label else ""


def settings(args: argparse.Namespace, data: Mapping[str, Any], **training: Any) -> dict[str, Any]:
    """Return the completed settings that every measured training shares."""
    shared = {
        "recipe": "quick",
        "autotune": "never",
        "batch_size": args.batch_size,
        "augment": {"crop": 4, "flip": True},
    }
    return complete_training({**shared, **training}, data)


def wall(work: Callable[[], object]) -> float:
    """Return the wall time of `work`."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def arguments(parser: argparse.ArgumentParser, networks: str) -> None:
    """Add what the benchmarks of training share to a command line."""
    parser.add_argument("--data", default="fashion_mnist", help="cifar10, cifar100, fashion_mnist or digits")
    parser.add_argument("--root", help="where the data set's files are")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--networks", default=networks, help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=5, help="seeds of a pack")
    parser.add_argument("--steps", type=int, default=50, help="steps of each seed in a round")
    parser.add_argument("--rounds", type=int, default=3, help="each loop's fastest of so many rounds counts")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--label", help="ends the name of the file with the results")
    parser.add_argument("--workers", type=int, help="processes of the plain loop's DataLoader; 0 on a CPU, 8 on a GPU")


def default_workers(args: argparse.Namespace) -> int:
    """Return the DataLoader's processes: what the command line says, or as many as serve it best."""
    if args.workers is not None:
        return int(args.workers)
    return min(8, os.cpu_count() or 1) if torch.device(args.device).type == "cuda" else 0


@contextmanager
def fresh_compiler() -> Iterator[None]:
    """Let torch.compile find nothing from earlier runs, so that its seconds are those of a first use."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, TORCHINDUCTOR_CACHE_DIR=str(Path(folder))):
        yield


def free_memory(device: str) -> None:
    """Free what earlier loops held on the device, and compiled code with it."""
    gc.collect()
    torch.compiler.reset()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
