"""A function of a batch, recorded as a CUDA graph for each batch shape, and replayed instead of launched anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainers.process import BrokenProcessError, is_out_of_memory
from trainers.step.observation import StepWatch, waits_noted

WARM_UP = 3  # calls made one kernel at a time before recording, in which libraries choose algorithms and workspaces
WATCHED = 2  # the call of the warm-up that is watched: the first one may wait for libraries
RECOVERS = (2, 12)  # the first torch that can go on after a failed recording


@dataclass(frozen=True)
class RecordedCall:
    """A recorded call: where its inputs go, and where its results appear."""

    graph: torch.cuda.CUDAGraph
    images: Tensor
    labels: Tensor
    results: tuple[Tensor, ...]


class Recording:
    """Calls `function` on batches on `stream`, and records the call for each shape of images after a few of them.

    The second call of each shape is watched: one that waits for the GPU, draws from a generator of the host or changes
    attributes of `network` is not recorded, and `obstacle` says why. `name` is what a call is, in words. Recordings
    that never replay at the same time share their memory: they are given the same list `graphs`.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[Tensor, Tensor], tuple[Tensor, ...]],
        network: nn.Module,
        stream: torch.cuda.Stream,
        graphs: list[torch.cuda.CUDAGraph],
    ) -> None:
        self.name = name
        self.function = function
        self.network = network
        self.stream = stream
        self.graphs = graphs
        self.seen: dict[Sequence[int], int] = {}
        self.recorded: dict[Sequence[int], RecordedCall] = {}
        self.obstacle: str | None = None

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
        """Return the function's results, which the device may still be computing; they belong to the caller."""
        shape = tuple(images.shape)
        self.seen[shape] = self.seen.get(shape, 0) + 1
        if self.seen[shape] == WATCHED and self.obstacle is None:
            return self._watched(images, labels)
        if self.seen[shape] <= WARM_UP or self.obstacle is not None:
            return self.function(images, labels)
        recorded = self.recorded.get(shape) or self._try_to_record(images, labels)
        if recorded is None:
            return self.function(images, labels)
        recorded.images.copy_(images)
        recorded.labels.copy_(labels)
        recorded.graph.replay()
        return tuple(each.clone() for each in recorded.results)

    @property
    def may_record(self) -> bool:
        """Whether the first shape, or another that has been seen, may yet be recorded, which takes memory."""
        return self.obstacle is None and (not self.recorded or self.seen.keys() > self.recorded.keys())

    def _watched(self, images: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
        """Make a call and find out whether it may be recorded."""
        waits: list[str] = []
        watch = StepWatch(self.network)
        with waits_noted(waits):
            results = self.function(images, labels)
        self.obstacle = f"{self.name} waits for the GPU: {waits[0]}" if waits else watch.obstacle(self.name)
        return results

    def _try_to_record(self, images: Tensor, labels: Tensor) -> RecordedCall | None:
        """Record the call; where that fails for another reason than memory, go on without.

        Raises BrokenProcessError where the process cannot go on, and with torch before 2.12, whose allocator is left
        recording by a failure (pytorch#180395).
        """
        shape = tuple(images.shape)
        try:
            self.recorded[shape] = self._record(images, labels)
        except RuntimeError as error:
            goes_on = _goes_on(images.device)
            if is_out_of_memory(error) and goes_on:
                raise
            reason = f"recording {self.name} failed: {type(error).__name__}: {error}"
            if _torch_version() < RECOVERS or not goes_on:
                raise BrokenProcessError(f"{reason}; `training: {{cuda_graph: never}}` trains without") from error
            self.obstacle = reason
            return None
        return self.recorded[shape]

    def _record(self, images: Tensor, labels: Tensor) -> RecordedCall:
        """Record the call; recording computes nothing.

        Only this thread's calls must be fit for a recording: a DataLoader's thread may pin memory meanwhile.
        """
        static_images, static_labels = images.clone(), labels.clone()
        graph = torch.cuda.CUDAGraph()
        pool = self.graphs[0].pool() if self.graphs else None
        try:
            with torch.cuda.graph(graph, pool=pool, stream=self.stream, capture_error_mode="thread_local"):
                results = self.function(static_images, static_labels)
        except RuntimeError as error:
            # Ending a recording that failed may fail too, and would hide that memory ran out.
            first = error.__context__
            if first is not None and is_out_of_memory(first):
                raise first from None
            raise
        self.graphs.append(graph)
        return RecordedCall(graph, static_images, static_labels, results)


def _goes_on(device: torch.device) -> bool:
    """Whether the device's allocator and generator work after a failed recording, or are left recording.

    A generator that is (pytorch#171263) would fail every dropout from then on.
    """
    try:
        torch.cuda.empty_cache()
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.empty(1, device=device).uniform_()
    except RuntimeError:
        return False
    return True


def _torch_version() -> tuple[int, int]:
    major, minor, *_ = torch.__version__.split(".")
    return int(major), int(minor)
