"""A replica group on a GPU: the whole step recorded once as a CUDA graph, and replayed on a stream of its own.

A step of a CIFAR network launches hundreds of kernels of a few microseconds; replaying a graph launches them all at
once. Groups of a pack replay on different streams, so that one replica's kernels fill what another's leave idle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainers.data.batch_loader import Batch
from trainers.process import is_out_of_memory
from trainers.step.precision import Numerics
from trainers.step.replica import Replica
from trainers.step.replica_group import ReplicaGroup
from trainers.step.stopwatch import Stopwatch

WARM_UP = 3  # steps taken one kernel at a time before recording, in which libraries choose algorithms and workspaces
AHEAD = 16  # steps that a group may have in wait on the device; the batches of all of them lie in its memory


@dataclass(frozen=True)
class Recorded:
    """A recorded step: where its inputs go, and where its results appear."""

    graph: torch.cuda.CUDAGraph
    images: Tensor
    labels: Tensor
    losses: Tensor
    wrong: Tensor


class GraphedReplicaGroup(ReplicaGroup):
    """Steps like `ReplicaGroup`, and records the step of each batch shape after a few steps of it."""

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
        self.stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        # A recorded step reads from the device what changes between steps: its rate, and a momentum that cycles.
        self.rate = torch.zeros((), device=device)
        cycles = training["schedule"].get("momentum") is not None
        self.optimiser.cycled_momentum = torch.zeros((), device=device) if cycles else None
        # What ends the last steps in wait, each in turn.
        self.ends: list[torch.cuda.Event] = [
            torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            for _ in range(AHEAD)
        ]
        self.seen: dict[Sequence[int], int] = {}
        self.recorded: dict[Sequence[int], Recorded] = {}

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
                losses, wrong = self._run(images, labels)
                self.results.append((losses, wrong))
                end.record(self.stream)
        except RuntimeError:
            torch.cuda.synchronize(self.numerics.device)
            raise
        return losses

    def _run(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        shape = tuple(images.shape)
        self.seen[shape] = self.seen.get(shape, 0) + 1
        if self.seen[shape] <= WARM_UP:
            return self.compute(images, labels, self.rate)
        if shape not in self.recorded:
            self.recorded[shape] = self._record(images, labels)
        recorded = self.recorded[shape]
        recorded.images.copy_(images)
        recorded.labels.copy_(labels)
        recorded.graph.replay()
        return recorded.losses.clone(), recorded.wrong.clone()

    def _record(self, images: Tensor, labels: Tensor) -> Recorded:
        """Record the step; recording computes nothing.

        Only this thread's calls must be fit for a recording: a DataLoader's thread may pin memory meanwhile. Graphs of
        several batch shapes share memory, since they replay one after another and their results are copied at once.
        """
        static_images, static_labels = images.clone(), labels.clone()
        graph = torch.cuda.CUDAGraph()
        pool = next((each.graph.pool() for each in self.recorded.values()), None)
        try:
            with torch.cuda.graph(graph, pool=pool, stream=self.stream, capture_error_mode="thread_local"):
                losses, wrong = self.compute(static_images, static_labels, self.rate)
        except RuntimeError as error:
            # Ending a recording that failed may fail too, and would hide that memory ran out.
            first = error.__context__
            if first is not None and is_out_of_memory(first):
                raise first from None
            raise
        return Recorded(graph, static_images, static_labels, losses, wrong)
