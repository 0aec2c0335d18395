"""One epoch of a pack: its members side by side, as many as memory holds."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces import shortcuts
from trainers.data.batch_loader import Batch, Feed
from trainers.process import BusyMeter, is_out_of_memory
from trainers.seeding import seeded
from trainers.step import fusion
from trainers.step.cuda_graphs import GraphedLane
from trainers.step.divergence import LossWatch
from trainers.step.evaluation import Score
from trainers.step.precision import Numerics
from trainers.step.replica import Member
from trainers.step.replica_group import Lane, Tally
from trainers.step.step_schedule import Course
from trainers.step.stopwatch import Stopwatch

EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class EpochResult:
    """What one epoch gave for one member.

    The seconds are its share of the wall time, of that in training, and of that in which the device computed.
    """

    member: Member
    tally: Tally
    test: Score | None
    validation: Score | None
    lr: float
    seconds: float
    training_seconds: float
    busy_seconds: float


class Pack:
    """Trains members of one task side by side.

    They are fused into one network where the numerics want it and it is known how. Else they train in turn on a CPU,
    and on a GPU each on a stream of its own. `side_by_side` is how many memory has room for, as far as is known.
    """

    def __init__(
        self,
        feed: Feed,
        course: Course,
        training: Mapping[str, Any],
        numerics: Numerics,
        stopwatch: Stopwatch,
        side_by_side: int,
    ) -> None:
        self.feed = feed
        self.course = course
        self.numerics = numerics
        self.device = numerics.device
        self.stopwatch = stopwatch
        self.training = training
        self.side_by_side = side_by_side
        self._members: list[Member] = []
        self._lanes: list[Lane] = []

    def run_epoch(self, members: Sequence[Member]) -> list[EpochResult]:
        """Train one epoch of every member. Out of memory halves the number side by side, and goes on.

        Members that ran out of memory start the epoch again from where they were, so the numbers stay the same.
        """
        results: list[EpochResult] = []
        waiting = list(members)
        while waiting:
            chosen = waiting[: self.side_by_side]
            before = [member.copy_state() for member in chosen] if len(chosen) > 1 else []
            try:
                results += self._train(chosen)
                waiting = waiting[len(chosen) :]
            except (RuntimeError, MemoryError) as error:
                if len(chosen) == 1 or not is_out_of_memory(error):
                    raise
                for member, state in zip(chosen, before, strict=True):
                    member.load_state(state)
                self._shrink(len(chosen) // 2)
        return results

    def _train(self, members: list[Member]) -> list[EpochResult]:
        lanes = self._lanes_of(members)
        if self.device.type == "cuda" and not any(is_random(member.network) for member in members):
            return self._train_lanes(lanes)
        # In turn: on a CPU a network stays in the cache, and random layers draw what they would draw alone.
        return [result for lane in lanes for result in self._train_lanes([lane])]

    def _train_lanes(self, lanes: list[Lane]) -> list[EpochResult]:
        members = [member for lane in lanes for member in lane.members]
        started, meter = time.perf_counter(), BusyMeter(self.device)
        epoch = members[0].epoch + 1
        with seeded(members[0].seed, "dropout", epoch, self.device):
            lr = self._take_steps(lanes, epoch)
        tallies = [tally for lane in lanes for tally in lane.tallies()]
        training = time.perf_counter() - started
        shares = training / len(members), meter.busy_share(training) * training / len(members)
        measured = self.course.is_measured(epoch)
        scores = [pair for lane in lanes for pair in self._scores(lane, measured)]
        seconds = (time.perf_counter() - started) / len(members)
        return [
            EpochResult(member, tally, *pair, lr, seconds, *shares)
            for member, tally, pair in zip(members, tallies, scores, strict=True)
        ]

    def _take_steps(self, lanes: list[Lane], epoch: int) -> float:
        """Take the steps of one epoch; return the last learning rate."""
        sizes, first = self.course.sizes(epoch), self.course.first_step(epoch)
        watches = [[LossWatch(self.training["diverged_above"], sum(sizes)) for _ in lane.members] for lane in lanes]
        lr = self.course.lr(max(first - 1, 0))
        for lane in lanes:
            lane.begin()
        self.stopwatch.start()
        batches: Iterator[tuple[Batch, ...]] = zip(*(lane.batches(self.feed, epoch) for lane in lanes), strict=True)
        for step, parts in zip(range(first, first + len(sizes)), batches, strict=False):
            before, lr = lr, self.course.lr(step)
            for lane in lanes:
                lane.optimiser.momentum = self.course.momentum(step)
            self.stopwatch.lap("data")
            losses = [lane.step(batch, lr, before) for lane, batch in zip(lanes, parts, strict=True)]
            # Reading a number from a CPU costs nothing; from a GPU it would stall the queue at every step.
            if self.device.type == "cpu" and _all_unsound(watches, losses, sizes[step - first]):
                break
        for lane in lanes:
            lane.end()
        return lr

    def _scores(self, lane: Lane, measured: bool) -> list[tuple[Score | None, Score | None]]:
        """Return each member's scores on the test and on the validation set, each None where it is not measured."""
        if not measured:
            return [(None, None)] * len(lane.members)
        test = lane.evaluate(self.feed.test(EVALUATION_BATCH))
        held_out = self.feed.validation(EVALUATION_BATCH)
        validation = [None] * len(lane.members) if held_out is None else lane.evaluate(held_out)
        return list(zip(test, validation, strict=True))

    def _lanes_of(self, members: list[Member]) -> list[Lane]:
        """Return the lanes of `members`, made once for as long as the same members train together."""
        if self._members != members:
            self._members = members
            self._lanes = make_lanes(members, self.training, self.numerics, self.stopwatch)
        return self._lanes

    def _shrink(self, side_by_side: int) -> None:
        self.side_by_side = side_by_side
        self._members, self._lanes = [], []
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def make_lanes(
    members: Sequence[Member], training: Mapping[str, Any], numerics: Numerics, stopwatch: Stopwatch
) -> list[Lane]:
    """Return one lane for all `members` where they are to be fused and can be, else one for each."""
    on_gpu = numerics.device.type == "cuda"
    # A profiled step waits for the device after each part, a forgetful one saves generators: neither can be recorded.
    recordable = on_gpu and not (training["profile"] or training["checkpoint_activations"])
    kind = GraphedLane if recordable else Lane
    fused = fusion.fuse([member.network for member in members]) if numerics.fused and len(members) > 1 else None
    if fused is not None:
        return [kind(members, fused.to(memory_format=numerics.order), training, numerics, stopwatch)]
    return [kind([member], member.network, training, numerics, stopwatch) for member in members]


def is_random(network: nn.Module) -> bool:
    """Whether the network draws random numbers in training, as modules of the user's own may."""
    dropouts = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
    drawing = (*dropouts, nn.RReLU, shortcuts.Dropout, shortcuts.StochasticDepth)
    return any(
        isinstance(module, drawing) or type(module).__module__.partition(".")[0] not in ("torch", "search_spaces")
        for module in network.modules()
    )


def _all_unsound(watches: list[list[LossWatch]], losses: list[Tensor], images: int) -> bool:
    """Whether every member's epoch is unsound already."""
    added = [
        watch.add(loss, images)
        for lane, means in zip(watches, losses, strict=True)
        for watch, loss in zip(lane, means.tolist(), strict=True)
    ]
    return all(added)
