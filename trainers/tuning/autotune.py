"""A race: before a long training, ways to compute take a few steps each, and one that is far faster is chosen.

What is raced is what the settings leave open: ``precision: race``, ``memory_format: auto``, ``fuse: auto`` in a pack
of two or more, and the number of threads on a CPU, up to those that were given. Threads come first, since too many on
a busy machine slow everything down; one is raced after the other, from `trainers.step.precision.choose_numerics` on.

A stopwatch is no reason to change results, and each way rounds differently. So the rule stands unless another way is
faster by a wide margin in every round (on a busy machine the fastest of several steps still misleads: docs/log.md),
and a race is held only where it takes at most a hundredth of the training's steps: short
trainings follow the rule, and repeat themselves bit for bit. What was chosen holds for every later training of the
process with the same network, batch and pack, and is stored in checkpoints. ``race: never`` keeps to the rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from search_spaces.arm import canonical_json
from trainers.data.batch_loader import Feed
from trainers.process import is_out_of_memory
from trainers.records import DataInfo, Task
from trainers.step import cuda_graphs
from trainers.step.precision import Numerics
from trainers.step.step_schedule import Course
from trainers.tuning.dry_run import Rehearsal, first_batches, free

MARGIN = 1.15  # the rule's way must take so many times the seconds of a step in every round, or it stays
COST = 0.01  # the largest share of a training's steps that a race may take
ROUNDS = 6  # in each of which each way takes a timed step
HOPELESS = 2.0  # a way whose fastest step takes so many times the seconds of the rule's is out


@dataclass(frozen=True)
class Choice:
    """How a pack computes, and what its race measured: each way's fastest step in seconds, nothing without a race.

    On a CPU they are seconds of the processor, but for threads, where they are wall time.
    """

    numerics: Numerics
    seconds: Mapping[str, float] = field(default_factory=dict)

    def state(self) -> dict[str, Any] | None:
        """Return what a checkpoint keeps: None where the rule was followed, which needs no memory."""
        if not self.seconds:
            return None
        ways = {name: value for name, value in asdict(self.numerics).items() if name != "device"}
        return {"numerics": ways, "seconds": dict(self.seconds)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], rule: Numerics) -> "Choice":
        """Return the choice that `state` holds, with no more threads than the rule has now."""
        numerics = replace(rule, **state["numerics"])
        return cls(replace(numerics, threads=min(numerics.threads, rule.threads)), state["seconds"])


Events = Mapping[str, Sequence[Any]]
Rehearse = Callable[[Numerics], Rehearsal]

_HELD: dict[tuple[Any, ...], Choice] = {}  # the races of this process, by what they depend on


def choose(task: Task, info: DataInfo, feed: Feed, course: Course, rule: Numerics, pack: int, can_fuse: bool) -> Choice:
    """Return how a pack of the first `pack` seeds of `task` is to compute: as `rule` says, or as a race decides.

    `can_fuse` says whether its networks can be fused at all.
    """
    events = _events(task.training, rule, can_fuse and pack > 1)
    ways = sum(len(values) for values in events.values())
    if not events or ways * (_warm_up(rule.device) + ROUNDS) > COST * course.total:
        return Choice(rule)
    key = (
        canonical_json([task.network, task.training["checkpoint_activations"], events]),
        (feed.sizes[0], *info.input_shape),
        (rule, pack),
    )
    if key not in _HELD:
        batches = first_batches(feed, task.seeds[:pack])
        _HELD[key] = _race(events, rule, lambda numerics: Rehearsal(task, info, course, numerics, batches))
        free(rule.device)
    return _HELD[key]


def _events(training: Mapping[str, Any], rule: Numerics, can_fuse: bool) -> Events:
    """Return the values that are raced for each field of the numerics, the rule's own among them."""
    if training.get("race") == "never":
        return {}
    found: dict[str, Sequence[Any]] = {}
    if rule.device.type == "cpu" and rule.threads > 1:
        found["threads"] = sorted({2**power for power in range(rule.threads.bit_length())} | {rule.threads})
    if training["precision"] == "race":
        found["precision"] = ("fp32", "bf16")
    if training["memory_format"] == "auto":
        found["memory_format"] = ("channels_last", "contiguous")
    if training["fuse"] == "auto" and can_fuse:
        found["fused"] = (True, False)
    return found


def _race(events: Events, rule: Numerics, rehearse: Rehearse) -> Choice:
    numerics, seconds = rule, {}
    for name, values in events.items():
        ways = [numerics] + [replace(numerics, **{name: value}) for value in values if value != getattr(numerics, name)]
        laps = _heat(ways, rehearse, by_wall=name == "threads")
        seconds.update({f"{name}={getattr(way, name)}": min(found) for way, found in laps.items()})
        ahead = [way for way in laps if _is_ahead(laps[way], laps[numerics])]
        numerics = min(ahead, key=lambda way: min(laps[way]), default=numerics)
    return Choice(numerics, seconds)


def _is_ahead(challenger: Sequence[float], rule: Sequence[float]) -> bool:
    """Whether the challenger took every round, each by the margin."""
    return len(challenger) == len(rule) and all(
        MARGIN * one <= other for one, other in zip(challenger, rule, strict=True)
    )


def _heat(ways: Sequence[Numerics], rehearse: Rehearse, by_wall: bool) -> dict[Numerics, list[float]]:
    """Return each way's seconds by round, fewer if it left early; nothing if memory runs out. The rule's way is first.

    What other processes take of a CPU is no part of the seconds, unless they are to be counted `by_wall`.
    """
    try:
        racing = [rehearse(way) for way in ways]
        for each in racing:
            for _ in range(_warm_up(ways[0].device)):
                each.step(by_wall)
        laps: dict[Numerics, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for each in racing:
                laps[each.numerics].append(each.step(by_wall))
            slowest = HOPELESS * min(laps[ways[0]])
            racing = [each for each in racing if min(laps[each.numerics]) < slowest]
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return {}
    return laps


def _warm_up(device: torch.device) -> int:
    """Return the untimed steps of a way: on a GPU those up to the replay of a recorded step."""
    return cuda_graphs.WARM_UP + 1 if device.type == "cuda" else 2
