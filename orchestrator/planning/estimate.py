"""Estimate how long a trial takes: from trials on record, else by timing a few training steps on this machine."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import trainers
from orchestrator.records.study_plan import PlannedArm
from orchestrator.scheduling.arm_facts import data_info, trial_cost, trial_images
from reports.wording import counted

TIMED_NETWORKS = 8
STEPS = 2  # in a round
ROUNDS = 3  # of which the fastest counts; a GPU records its steps in the first two
STEP_WORK = 1e9  # multiply-adds of a timed step on a CPU, or two images: so that 1,000 layers take seconds
# What a timing changes of a training: no end, no test, and steps so small that nothing diverges.
ENDLESS = {
    "epochs": 10**6,
    "iterations": None,
    "evaluate_every": 10**6,
    "lr": 1e-9,
    "autotune": "never",
}


@dataclass(frozen=True)
class Estimate:
    """The expected seconds of one trial by arm id, the kind of device they are of, and in words what they rest on."""

    seconds: Mapping[str, float]
    device: str
    basis: str


def trial_seconds(arms: Sequence[PlannedArm], recorded: Mapping[str, float], device: str, pack: int) -> Estimate:
    """Return how long a trial of each arm takes on a `device`, or on a CPU where it is "cuda" and no GPU is here.

    `recorded` holds the mean seconds of finished trials on such a device by arm id. An arm without any is scaled by
    its multiply-adds from the nearest one that has been recorded or, when nothing is on record, timed here, in packs
    of `pack` seeds where that takes no longer than a network alone.
    """
    known = {arm.arm.id: recorded[arm.arm.id] for arm in arms if arm.arm.id in recorded}
    basis = f"{len(known)} of {counted(len(arms), 'arm')} have trials on record"
    if not known:
        sample = _spread(sorted(arms, key=lambda arm: trial_cost(arm.arm)), TIMED_NETWORKS)
        device, known = _timed_on(device, sample, pack)
        place = "one core" if device == "cpu" else "a GPU"
        basis = f"some training steps of {counted(len(sample), 'arm')}, timed on {place} of this machine"
    costs = {arm.arm.id: trial_cost(arm.arm) for arm in arms}
    seconds = {}
    for arm, cost in costs.items():
        nearest = arm if arm in known else min(known, key=lambda each: abs(costs[each] - cost))
        seconds[arm] = known[nearest] * cost / costs[nearest]
    return Estimate(seconds, device, basis)


def _spread(arms: Sequence[PlannedArm], count: int) -> list[PlannedArm]:
    """Return at most `count` of the arms, evenly spaced, with the first and the last among them."""
    if len(arms) <= count:
        return list(arms)
    return [arms[round(index * (len(arms) - 1) / (count - 1))] for index in range(count)]


def _timed_on(device: str, arms: Sequence[PlannedArm], pack: int) -> tuple[str, dict[str, float]]:
    """Return the seconds of a trial by arm id, and where they were measured: on a CPU if no GPU here holds a trial."""
    import torch  # takes seconds, and records need no timing

    if device != "cpu" and torch.cuda.is_available():
        try:
            return device, {arm.arm.id: _timed(arm, device, pack) for arm in arms}
        except torch.OutOfMemoryError:
            pass
    return "cpu", {arm.arm.id: _timed(arm, "cpu", pack) for arm in arms}


def _timed(planned: PlannedArm, device: str, pack: int) -> float:
    """Return the seconds of one trial at the pace of a few training steps on made-up images."""
    settings, info = planned.arm.settings, data_info(planned.arm)
    batch, seeds = settings["training"]["batch_size"], pack
    if device == "cpu" and batch * pack * planned.flops > STEP_WORK:
        batch, seeds = min(batch, max(2, int(STEP_WORK / planned.flops))), 1
    data = {"shape": list(info.input_shape), "classes": info.num_classes, "train_size": batch * STEPS, "test_size": 2}
    kept = {name: value for name, value in settings["training"]["augment"].items() if name in ("crop", "flip")}
    trainer = trainers.Trainer(
        trainers.Task(
            trainers.complete_data({"name": "synthetic", **data}),
            settings["network"],
            {**settings["training"], **ENDLESS, "batch_size": batch, "augment": {"crop": 0, "flip": False, **kept}},
            tuple(range(seeds)),
        ),
        device=device,
    )
    paces: list[float] = []
    while len(paces) < ROUNDS and not trainer.finished:
        start = time.perf_counter()
        trainer.run_epoch()
        paces.append(time.perf_counter() - start)
    return float(min(paces) / (batch * STEPS * seeds) * trial_images(planned.arm))
