"""Autotuning: before a long training, candidates take a few steps each, and one that is far faster is chosen.

A candidate is a way to compute that the settings leave open: ``precision: autotune``, ``memory_format: auto``,
``fuse: auto`` in a pack of two or more, and the number of threads on a CPU, up to those that were given. Threads come
first, since too many on a busy machine slow everything down; one setting is timed after the other, from
`trainers.step.precision.choose_numerics` on.

A stopwatch is no reason to change results, and each candidate rounds differently. So the rule stands unless another
candidate is faster by a wide margin in every round (on a busy machine the fastest of several steps still misleads:
docs/log.md), and candidates are timed only where that takes at most a hundredth of the training's steps: short
trainings follow the rule, and repeat themselves bit for bit. What was chosen holds for every later training of the
process with the same network, batch and pack, and is stored in checkpoints. ``autotune: never`` keeps to the rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from search_spaces.arm import canonical_json
from trainers.data.batch_loader import BatchLoader
from trainers.process import is_out_of_memory
from trainers.records import DataInfo, Task
from trainers.step import recording
from trainers.step.precision import Numerics
from trainers.step.step_schedule import StepSchedule
from trainers.tuning.dry_run import DryRun, first_batches, free

MARGIN = 1.15  # the rule must take so many times a candidate's seconds of a step in every round, or it stays
COST = 0.01  # the largest share of a training's steps that autotuning may take
ROUNDS = 6  # in each of which each candidate takes a timed step
HOPELESS = 2.0  # a candidate whose fastest step takes so many times the seconds of the rule's is out


@dataclass(frozen=True)
class Choice:
    """How a pack computes, and what was measured: each candidate's fastest step in seconds, nothing where none was.

    On a CPU they are seconds of the processor, but for threads, where they are wall time.
    """

    numerics: Numerics
    seconds: Mapping[str, float] = field(default_factory=dict)

    def state(self) -> dict[str, Any] | None:
        """Return what a checkpoint keeps: None where the rule was followed, which needs no memory."""
        if not self.seconds:
            return None
        values = {name: value for name, value in asdict(self.numerics).items() if name != "device"}
        return {"numerics": values, "seconds": dict(self.seconds)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], rule: Numerics) -> "Choice":
        """Return the choice that `state` holds, with no more threads than the rule has now."""
        numerics = replace(rule, **state["numerics"])
        return cls(replace(numerics, threads=min(numerics.threads, rule.threads)), state["seconds"])


Alternatives = Mapping[str, Sequence[Any]]
MakeDryRun = Callable[[Numerics], DryRun]

_CHOSEN: dict[tuple[Any, ...], Choice] = {}  # the choices of this process, by what they depend on


def choose(
    task: Task, info: DataInfo, loader: BatchLoader, schedule: StepSchedule, rule: Numerics, pack: int, can_fuse: bool
) -> Choice:
    """Return how a pack of the first `pack` seeds of `task` is to compute: as `rule` says, or as timings decide.

    `can_fuse` says whether its networks can be fused at all.
    """
    alternatives = _alternatives(task.training, rule, can_fuse and pack > 1)
    candidates = sum(len(values) for values in alternatives.values())
    if not alternatives or candidates * (_warm_up(rule.device) + ROUNDS) > COST * schedule.total:
        return Choice(rule)
    key = (
        canonical_json(
            [task.network, task.training.get("step"), task.training["checkpoint_activations"], alternatives]
        ),
        (loader.sizes[0], *info.input_shape),
        (rule, pack),
    )
    if key not in _CHOSEN:
        batches = first_batches(loader, task.seeds[:pack])
        _CHOSEN[key] = _autotune(alternatives, rule, lambda numerics: DryRun(task, info, schedule, numerics, batches))
        free(rule.device)
    return _CHOSEN[key]


def _alternatives(training: Mapping[str, Any], rule: Numerics, can_fuse: bool) -> Alternatives:
    """Return the values that are timed for each field of the numerics, the rule's own among them."""
    if training.get("autotune") == "never":
        return {}
    candidates: dict[str, Sequence[Any]] = {}
    if rule.device.type == "cpu" and rule.threads > 1:
        candidates["threads"] = sorted({2**power for power in range(rule.threads.bit_length())} | {rule.threads})
    if training["precision"] == "autotune":
        candidates["precision"] = ("fp32", "bf16")
    if training["memory_format"] == "auto":
        candidates["memory_format"] = ("channels_last", "contiguous")
    if training["fuse"] == "auto" and can_fuse:
        candidates["fused"] = (True, False)
    return candidates


def _autotune(alternatives: Alternatives, rule: Numerics, dry_run: MakeDryRun) -> Choice:
    numerics, seconds = rule, {}
    for name, values in alternatives.items():
        others = [replace(numerics, **{name: value}) for value in values if value != getattr(numerics, name)]
        timings = _time([numerics, *others], dry_run, by_wall=name == "threads")
        seconds.update({f"{name}={getattr(each, name)}": min(steps) for each, steps in timings.items()})
        faster = [each for each in timings if _is_faster(timings[each], timings[numerics])]
        numerics = min(faster, key=lambda each: min(timings[each]), default=numerics)
    return Choice(numerics, seconds)


def _is_faster(candidate: Sequence[float], rule: Sequence[float]) -> bool:
    """Whether the candidate was faster in every round, each time by the margin."""
    return len(candidate) == len(rule) and all(
        MARGIN * one <= other for one, other in zip(candidate, rule, strict=True)
    )


def _time(candidates: Sequence[Numerics], dry_run: MakeDryRun, by_wall: bool) -> dict[Numerics, list[float]]:
    """Return each candidate's seconds by round, fewer if it left early; nothing if memory runs out. The rule is first.

    What other processes take of a CPU is no part of the seconds, unless they are to be counted `by_wall`.
    """
    try:
        left = [dry_run(each) for each in candidates]
        for each in left:
            for _ in range(_warm_up(candidates[0].device)):
                each.step(by_wall)
        timings: dict[Numerics, list[float]] = {each: [] for each in candidates}
        for _ in range(ROUNDS):
            for each in left:
                timings[each.numerics].append(each.step(by_wall))
            slowest = HOPELESS * min(timings[candidates[0]])
            left = [each for each in left if min(timings[each.numerics]) < slowest]
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return {}
    return timings


def _warm_up(device: torch.device) -> int:
    """Return the untimed steps of a candidate: on a GPU those up to the replay of a recorded step."""
    return recording.WARM_UP + 1 if device.type == "cuda" else 2
