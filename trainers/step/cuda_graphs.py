"""A replica group on a GPU: the whole step recorded once as a CUDA graph, and replayed on a stream of its own.

A step of a CIFAR network launches hundreds of kernels of a few microseconds; replaying a graph launches them all at
once. Groups of a pack replay on different streams, so that one replica's kernels fill what another's leave idle.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainers.data.batch_loader import Batch
from trainers.step.evaluation import PendingScores
from trainers.step.precision import Numerics
from trainers.step.recording import Recording
from trainers.step.replica import Replica
from trainers.step.replica_group import ReplicaGroup
from trainers.step.stopwatch import Stopwatch

AHEAD = 16  # steps that a group may have in wait on the device; the batches of all of them lie in its memory


class GraphedReplicaGroup(ReplicaGroup):
    """Steps and evaluates like `ReplicaGroup`, and records either for each batch shape after a few calls of it."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        network: nn.Module,
        training: Mapping[str, Any],
        numerics: Numerics,
        stopwatch: Stopwatch,
    ) -> None:
        super().__init__(replicas, network, training, numerics, stopwatch)
        device = numerics.device
        self.stream: torch.cuda.Stream = torch.cuda.Stream(device)
        # A recorded step reads from the device what changes between steps: its rate, and a momentum that cycles.
        self.rate = torch.zeros((), device=device)
        cycles = training["schedule"].get("momentum") is not None
        self.optimiser.cycled_momentum = torch.zeros((), device=device) if cycles else None
        # What ends the last steps in wait, each in turn.
        self.ends: list[torch.cuda.Event] = [torch.cuda.Event(blocking=True) for _ in range(AHEAD)]
        graphs: list[torch.cuda.CUDAGraph] = []
        self.steps = Recording("a step", self._compute, network, self.stream, graphs)
        self.evaluations = Recording("an evaluation", self._evaluate, network, self.stream, graphs)

    def begin(self) -> None:
        """Take over the replicas' values; the group's stream waits for them."""
        super().begin()
        self.stream.wait_stream(torch.cuda.current_stream(self.numerics.device))

    def end(self) -> None:
        """Wait for the group's steps, then give the replicas their values."""
        torch.cuda.current_stream(self.numerics.device).wait_stream(self.stream)
        super().end()

    def step(self, batch: Batch, lr: float, before: float) -> Tensor:
        """Take one step on the group's stream; return each replica's mean loss (K), which may still be computed.

        The host goes on before the device is done, but never more than `AHEAD` steps. After an error nothing runs any
        more on any stream, so that the caller may put older values back.
        """
        images, labels = batch
        end = self.ends[len(self.results) % AHEAD]
        self.stream.wait_stream(torch.cuda.current_stream(self.numerics.device))
        for tensor in batch:
            tensor.record_stream(self.stream)
        try:
            end.synchronize()
            with torch.cuda.stream(self.stream):
                self.optimiser.change_rate(before, lr)
                self.rate.fill_(lr)
                if self.optimiser.cycled_momentum is not None:
                    self.optimiser.cycled_momentum.fill_(self.optimiser.momentum)
                losses, wrong = self.steps(images, labels)
                self.results.append((losses, wrong))
                end.record(self.stream)
        except RuntimeError:
            torch.cuda.synchronize(self.numerics.device)
            raise
        return losses

    @property
    def unrecorded(self) -> str | None:
        """Why the steps, or else the evaluations, are not recorded; None where they are or may yet be."""
        return self.steps.obstacle or self.evaluations.obstacle

    def has_recorded(self, shapes: Collection[int]) -> bool:
        """Whether steps of all batch sizes in `shapes`, and the evaluations, are recorded: they need no more memory."""
        return set(shapes) <= {shape[0] for shape in self.steps.recorded} and not self.evaluations.may_record

    def start_evaluation(self, batches: Iterator[Batch]) -> PendingScores:
        """Evaluate on the group's stream, beside the other groups."""
        current = torch.cuda.current_stream(self.numerics.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            pending = super().start_evaluation(batches)
        current.wait_stream(self.stream)
        return pending

    def score(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return what `ReplicaGroup.score` does, from a recorded evaluation once there is one."""
        (sums,) = self.evaluations(images, labels)
        return sums

    def _compute(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return self.compute(images, labels, self.rate)

    def _evaluate(self, images: Tensor, labels: Tensor) -> tuple[Tensor]:
        return (super().score(images, labels),)
