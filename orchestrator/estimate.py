"""Estimate how long a trial takes on this machine: from trials on record, else by timing a few training steps."""

import time
from collections.abc import Mapping, Sequence

from orchestrator.arm_facts import data_info, trial_cost, trial_images
from orchestrator.study_plan import PlannedArm

TIMED_NETWORKS = 12
STEPS = 3
STEP_WORK = 5e8  # multiply-adds of a timed step, or two images: so that 1,000 layers take seconds


def trial_seconds(arms: Sequence[PlannedArm], recorded: Mapping[str, float]) -> tuple[dict[str, float], str]:
    """Return the expected seconds of one trial by arm id, and in words what the estimate rests on.

    `recorded` holds the mean seconds of finished trials by arm id. An arm without any is scaled by its multiply-adds
    from the nearest one that has been recorded or, when nothing is on record, timed here.
    """
    known = {arm.arm.id: recorded[arm.arm.id] for arm in arms if arm.arm.id in recorded}
    basis = f"{len(known)} of {len(arms)} arms have trials on record"
    if not known:
        sample = _spread(sorted(arms, key=lambda arm: trial_cost(arm.arm)), TIMED_NETWORKS)
        known = {arm.arm.id: _timed(arm) for arm in sample}
        basis = f"{STEPS} training steps of {len(sample)} arms, timed on one core of this machine"
    costs = {arm.arm.id: trial_cost(arm.arm) for arm in arms}
    seconds = {}
    for arm, cost in costs.items():
        nearest = arm if arm in known else min(known, key=lambda each: abs(costs[each] - cost))
        seconds[arm] = known[nearest] * cost / costs[nearest]
    return seconds, basis


def _spread(arms: Sequence[PlannedArm], count: int) -> list[PlannedArm]:
    """Return at most `count` of the arms, evenly spaced, with the first and the last among them."""
    if len(arms) <= count:
        return list(arms)
    return [arms[round(index * (len(arms) - 1) / (count - 1))] for index in range(count)]


def _timed(planned: PlannedArm) -> float:
    """Return the seconds of one trial at the pace of a few training steps on random images."""
    import torch

    from search_spaces import build_network

    settings = planned.arm.settings
    info = data_info(planned.arm)
    batch = min(settings["training"]["batch_size"], max(2, int(STEP_WORK / planned.flops)))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network = build_network(settings["network"], info.input_shape, info.num_classes)
    images = torch.randn(batch, *info.input_shape)
    labels = torch.randint(info.num_classes, (batch,))
    paces: list[float] = []
    for _ in range(STEPS + 1):
        start = time.perf_counter()
        torch.nn.functional.cross_entropy(network(images), labels).backward()  # type: ignore[no-untyped-call]
        paces.append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    return float(min(paces[1:]) / batch * trial_images(planned.arm))
