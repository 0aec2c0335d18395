"""One epoch of a pack: its replicas side by side, as many as memory holds."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainers.data.batch_loader import Batch, BatchLoader
from trainers.energy import EnergyMeter
from trainers.process import BusyMeter, is_out_of_memory
from trainers.seeding import seeded
from trainers.step import fusion
from trainers.step.cuda_graphs import GraphedReplicaGroup
from trainers.step.divergence import LossWatch
from trainers.step.evaluation import Evaluation, PendingScores
from trainers.step.fusion_check import fusion_obstacle
from trainers.step.precision import Numerics
from trainers.step.replica import Replica
from trainers.step.replica_group import ReplicaGroup, Tally
from trainers.step.step_schedule import StepSchedule
from trainers.step.stopwatch import Stopwatch

EVALUATION_BATCH = 1000
_OWN_STEP = "the training step is the user's own, and may do whatever Python allows"


@dataclass(frozen=True)
class EpochResult:
    """What one epoch gave for one replica.

    The seconds are its share of the wall time, of that in training, and of that in which the device computed.
    """

    replica: Replica
    tally: Tally
    test: Evaluation | None
    validation: Evaluation | None
    lr: float
    seconds: float
    training_seconds: float
    busy_seconds: float
    joules: float | None


class PackTrainer:
    """Trains replicas of one task side by side.

    They are fused into one network where the numerics want it and it is known how. Else they train in turn on a CPU,
    and on a GPU each on a stream of its own. `side_by_side` is how many memory has room for, as far as is known.
    """

    def __init__(
        self,
        loader: BatchLoader,
        schedule: StepSchedule,
        training: Mapping[str, Any],
        numerics: Numerics,
        stopwatch: Stopwatch,
        side_by_side: int,
    ) -> None:
        self.loader = loader
        self.schedule = schedule
        self.numerics = numerics
        self.device = numerics.device
        self.stopwatch = stopwatch
        self.training = training
        self.side_by_side = side_by_side
        self.steps_begun = 0
        self._replicas: list[Replica] = []
        self._groups: list[ReplicaGroup] = []

    def run_epoch(self, replicas: Sequence[Replica]) -> list[EpochResult]:
        """Train one epoch of every replica. Out of memory halves the number side by side, and goes on.

        Replicas that ran out of memory start the epoch again from where they were, so the numbers stay the same.
        """
        results: list[EpochResult] = []
        waiting = list(replicas)
        while waiting:
            chosen = waiting[: self.side_by_side]
            before = [replica.copy_state() for replica in chosen] if self._may_shrink(chosen) else None
            try:
                results += self._train(chosen)
                waiting = waiting[len(chosen) :]
                continue
            except (RuntimeError, MemoryError) as error:
                if before is None or not is_out_of_memory(error):
                    raise
            # Outside of the handler, whose traceback would keep alive what is to be given back.
            for replica, state in zip(chosen, before, strict=True):
                replica.load_state(state)
            self._shrink(len(chosen) // 2)
        return results

    def _may_shrink(self, chosen: Sequence[Replica]) -> bool:
        """Whether memory may still run out: on a GPU no longer, once every batch size of theirs is recorded."""
        if len(chosen) == 1:
            return False
        settled = self._replicas == list(chosen) and all(
            isinstance(group, GraphedReplicaGroup) and group.has_recorded(self.loader.sizes) for group in self._groups
        )
        return not settled

    def _train(self, replicas: list[Replica]) -> list[EpochResult]:
        groups = self._groups_of(replicas)
        draws = "step" in self.training or any(is_random(replica.network) for replica in replicas)
        if self.device.type == "cuda" and not draws:
            return self._train_groups(groups)
        # In turn: on a CPU a network stays in the cache, and what draws random numbers draws what it would draw alone.
        return [result for group in groups for result in self._train_groups([group])]

    def _train_groups(self, groups: list[ReplicaGroup]) -> list[EpochResult]:
        replicas = [replica for group in groups for replica in group.replicas]
        started, meter, energy = time.perf_counter(), BusyMeter(self.device), EnergyMeter(self.device)
        epoch = replicas[0].epoch + 1
        with seeded(replicas[0].seed, "dropout", epoch, self.device):
            lr = self._take_steps(groups, epoch)
        tallies = [tally for group in groups for tally in group.tallies()]
        training = time.perf_counter() - started
        shares = training / len(replicas), meter.busy_share(training) * training / len(replicas)
        measured = self.schedule.is_measured(epoch)
        with seeded(replicas[0].seed, "evaluation", epoch, self.device):  # a step of the user's own may draw
            scores = self._scores(groups) if measured else [(None, None)] * len(replicas)
        seconds = (time.perf_counter() - started) / len(replicas)
        joules = energy.joules()
        joules = None if joules is None else joules / len(replicas)
        return [
            EpochResult(replica, tally, *pair, lr, seconds, *shares, joules)
            for replica, tally, pair in zip(replicas, tallies, scores, strict=True)
        ]

    def _take_steps(self, groups: list[ReplicaGroup], epoch: int) -> float:
        """Take the steps of one epoch; return the last learning rate."""
        sizes, first = self.schedule.sizes(epoch), self.schedule.first_step(epoch)
        watches = [[LossWatch(self.training["diverged_above"], sum(sizes)) for _ in group.replicas] for group in groups]
        lr = self.schedule.lr(max(first - 1, 0))
        for group in groups:
            group.begin()
        self.stopwatch.start()
        batches: Iterator[tuple[Batch, ...]] = zip(
            *(group.batches(self.loader, epoch) for group in groups), strict=True
        )
        for step, parts in zip(range(first, first + len(sizes)), batches, strict=False):
            self.steps_begun += 1
            before, lr = lr, self.schedule.lr(step)
            for group in groups:
                group.optimiser.momentum = self.schedule.momentum(step)
            self.stopwatch.mark("data")
            losses = [group.step(batch, lr, before) for group, batch in zip(groups, parts, strict=True)]
            # Reading a number from a CPU costs nothing; from a GPU it would stall the queue at every step.
            if self.device.type == "cpu" and _all_diverged(watches, losses, sizes[step - first]):
                break
        for group in groups:
            group.end()
        return lr

    def _scores(self, groups: list[ReplicaGroup]) -> list[tuple[Evaluation | None, Evaluation | None]]:
        """Return each replica's scores on the test and on the validation set, None where there is none.

        All groups are started before the first score is read.
        """
        started = [self._start_evaluation(group) for group in groups]
        return [
            pair
            for group, (test, validation) in zip(groups, started, strict=True)
            for pair in zip(
                test.read(), [None] * len(group.replicas) if validation is None else validation.read(), strict=True
            )
        ]

    def _start_evaluation(self, group: ReplicaGroup) -> tuple[PendingScores, PendingScores | None]:
        test = group.start_evaluation(self.loader.test(EVALUATION_BATCH))
        held_out = self.loader.validation(EVALUATION_BATCH)
        return test, None if held_out is None else group.start_evaluation(held_out)

    def unrecorded(self, replica: Replica) -> str | None:
        """Return why the steps of `replica` are not recorded on a GPU; None where they are, or are not meant to be."""
        if "step" in self.training and self.device.type == "cuda" and self.training.get("cuda_graph") != "never":
            return _OWN_STEP
        group = next((each for each in self._groups if replica in each.replicas), None)
        return group.unrecorded if isinstance(group, GraphedReplicaGroup) else None

    def _groups_of(self, replicas: list[Replica]) -> list[ReplicaGroup]:
        """Return the groups of `replicas`, made once for as long as the same replicas train together."""
        if self._replicas != replicas:
            self._replicas = replicas
            self._groups = make_groups(replicas, self.training, self.numerics, self.stopwatch)
        return self._groups

    def _shrink(self, side_by_side: int) -> None:
        self.side_by_side = side_by_side
        self._replicas, self._groups = [], []
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def make_groups(
    replicas: Sequence[Replica], training: Mapping[str, Any], numerics: Numerics, stopwatch: Stopwatch
) -> list[ReplicaGroup]:
    """Return one group for all `replicas` where they are to be fused and can be, else one for each."""
    on_gpu = numerics.device.type == "cuda"
    # A profiled step waits for the device after each part, and one that recomputes activations saves generators:
    # neither can be recorded.
    kept_from = (
        training["profile"]
        or training["checkpoint_activations"]
        or training.get("cuda_graph") == "never"
        or "step" in training
    )
    recordable = on_gpu and not kept_from and "optimizer" not in training
    kind = GraphedReplicaGroup if recordable else ReplicaGroup
    networks = [replica.network for replica in replicas]
    fused = fusion.fuse(networks) if why_apart(replicas, numerics) is None else None
    if fused is not None:
        return [kind(replicas, fused.to(memory_format=numerics.order), training, numerics, stopwatch)]
    return [kind([replica], replica.network, training, numerics, stopwatch) for replica in replicas]


def why_apart(replicas: Sequence[Replica], numerics: Numerics) -> str | None:
    """Return why the replicas compute apart; None where they compute as one network."""
    if len(replicas) < 2:
        return "there is one"
    if not numerics.fused:
        return "their settings, device or timings say so"
    if "step" in replicas[0].training:
        return _OWN_STEP
    return fusion_obstacle(replicas)


def is_random(network: nn.Module) -> bool:
    """Whether the network draws random numbers in training, as modules of the user's own may."""
    return any(
        getattr(module, "is_random", isinstance(module, _RANDOM) or _package(module) not in ("torch", "search_spaces"))
        for module in network.modules()
    )


_RANDOM = (
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout, nn.RReLU),
    *(nn.FractionalMaxPool2d, nn.MultiheadAttention),
)


def _package(module: nn.Module) -> str:
    return type(module).__module__.partition(".")[0]


def _all_diverged(watches: list[list[LossWatch]], losses: list[Tensor], images: int) -> bool:
    """Whether every replica's epoch has diverged already."""
    added = [
        watch.add(loss, images)
        for group, means in zip(watches, losses, strict=True)
        for watch, loss in zip(group, means.tolist(), strict=True)
    ]
    return all(added)
