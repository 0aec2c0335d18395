"""A replica group on a GPU: the whole step recorded once as a CUDA graph, and replayed on a stream of its own.

A step of a CIFAR network launches hundreds of kernels of a few microseconds; replaying a graph launches them all at
once. Groups of a pack replay on different streams, so that one replica's kernels fill what another's leave idle.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainers.data.batch_loader import Batch
from trainers.process import BrokenProcessError, is_out_of_memory
from trainers.step.evaluation import PendingScores
from trainers.step.observation import StepWatch, waits_noted
from trainers.step.precision import Numerics
from trainers.step.replica import Replica
from trainers.step.replica_group import ReplicaGroup
from trainers.step.stopwatch import Stopwatch

WARM_UP = 3  # steps taken one kernel at a time before recording, in which libraries choose algorithms and workspaces
WATCHED = 2  # the step of the warm-up that is watched: the first one may wait for libraries
RECOVERS = (2, 12)  # the first torch that can go on after a failed recording
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
    """Steps like `ReplicaGroup`, and records the step of each batch shape after a few steps of it.

    The second step of each shape is watched: one that waits for the GPU, draws from a generator of the host or changes
    attributes is not recorded, and `unrecorded` says why.
    """

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
        self.seen: dict[Sequence[int], int] = {}
        self.recorded: dict[Sequence[int], Recorded] = {}
        self.unrecorded: str | None = None

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
        if self.seen[shape] == WATCHED and self.unrecorded is None:
            return self._watched(images, labels)
        if self.seen[shape] <= WARM_UP or self.unrecorded is not None:
            return self.compute(images, labels, self.rate)
        recorded = self.recorded.get(shape) or self._try_to_record(images, labels)
        if recorded is None:
            return self.compute(images, labels, self.rate)
        recorded.images.copy_(images)
        recorded.labels.copy_(labels)
        recorded.graph.replay()
        return recorded.losses.clone(), recorded.wrong.clone()

    def has_recorded(self, shapes: Collection[int]) -> bool:
        """Whether the steps of all batch sizes in `shapes` are recorded: they will need no more memory."""
        return set(shapes) <= {shape[0] for shape in self.recorded}

    def start_evaluation(self, batches: Iterator[Batch]) -> PendingScores:
        """Evaluate on the group's stream, beside the other groups."""
        current = torch.cuda.current_stream(self.numerics.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            pending = super().start_evaluation(batches)
        current.wait_stream(self.stream)
        return pending

    def _watched(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Take a step and find out whether it may be recorded."""
        waits: list[str] = []
        observed = StepWatch(self.network)
        with waits_noted(waits):
            results = self.compute(images, labels, self.rate)
        self.unrecorded = f"a step waits for the GPU: {waits[0]}" if waits else observed.obstacle()
        return results

    def _try_to_record(self, images: Tensor, labels: Tensor) -> Recorded | None:
        """Record the step; where that fails for another reason than memory, go on without.

        Raises BrokenProcessError with torch before 2.12, whose allocator is left recording by a failure
        (pytorch#180395).
        """
        shape = tuple(images.shape)
        try:
            self.recorded[shape] = self._record(images, labels)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            reason = f"recording a step failed: {type(error).__name__}: {error}"
            if _torch_version() < RECOVERS:
                raise BrokenProcessError(f"{reason}; `training: {{cuda_graph: never}}` trains without") from error
            self.unrecorded = reason
            return None
        return self.recorded[shape]

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


def _torch_version() -> tuple[int, int]:
    major, minor, *_ = torch.__version__.split(".")
    return int(major), int(minor)
