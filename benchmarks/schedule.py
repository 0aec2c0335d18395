"""How busy the scheduler keeps 100 GPUs: its real plans, packs and dispatch loop, on a clock that is simulated.

Nothing is trained. A step takes as long as the launches of its kernels or its multiply-adds, whichever is more; four
seeds side by side take twice as long as one. What the scheduler does not know is drawn: each pack takes up to half as
much again or less than that, and one GPU in ten is a third slower. Every worker takes ten seconds to start, and one
second for every further pack.

    python -m benchmarks.schedule [--gpus 100]
"""

import argparse
import heapq
import json
import math
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any

from benchmarks.record import write_result
from orchestrator.engine.backend import Node, Report
from orchestrator.engine.dispatch import Dispatcher, Ending
from orchestrator.engine.limits import Limits
from orchestrator.planning.plan import make_plan
from orchestrator.records.environment import environment_facts
from orchestrator.records.events import AttemptStarted, Event, TrialEnded
from orchestrator.records.study_plan import PlannedTrial, StudyPlan
from orchestrator.scheduling.arm_facts import trial_images
from orchestrator.scheduling.blocks import StudyBlocks
from orchestrator.scheduling.packs import Pack
from orchestrator.scheduling.progress import Progress
from orchestrator.storage import Store
from orchestrator.study_file.config import read_study
from reports.trials import State

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LUCK = math.log(1.5)
START_SECONDS = 10.0
NEXT_SECONDS = 1.0
LAUNCH_SECONDS = 6e-6
KERNELS_PER_LAYER = 9
FLOPS_A_SECOND = 5e13
STUDY: dict[str, Any] = {
    "study": "schedule",
    "data": {"name": "synthetic", "train_size": 5000, "test_size": 8},
    "network": {"family": "resnet_cifar", "depth": 20, "width": 16},
    "factors": {
        "depth": [20, 32, 56, 110, 164],
        "width": [16, 64],
        "activation": ["original", "bn_after_add", "relu_before_add", "relu_only_preact", "full_preact"],
    },
    "training": {"recipe": "quick", "epochs": 2000, "batch_size": 128},
}
CASES: dict[str, dict[str, Any]] = {
    "1000 trials alone": {"seeds": 20, "resources": {"gpus": 1, "seeds_per_pack": 1}},
    "1000 trials in packs of up to 4": {"seeds": 20, "resources": {"gpus": 1, "seeds_per_pack": 4}},
    "5000 trials in packs of up to 4": {"seeds": 100, "resources": {"gpus": 1, "seeds_per_pack": 4}},
    "250 trials in packs of up to 4": {"seeds": 5, "resources": {"gpus": 1, "seeds_per_pack": 4}},
}


@dataclass
class SimulatedGpus:
    """A backend of so many workers whose packs take the `seconds` that their networks would, on a simulated clock."""

    count: int
    seconds: Mapping[str, float]
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def __post_init__(self) -> None:
        self.clock = self.busy = 0.0
        self.ends: list[tuple[float, int, int, Pack]] = []
        self._free = list(range(self.count))
        self._is_warm: set[int] = set()

    def slots(self) -> int:
        """Return the number of GPUs."""
        return self.count

    def start(self, key: int, pack: Pack, avoid: frozenset[str]) -> None:
        """Begin with a pack on a free GPU."""
        gpu = self._free.pop()
        once = max(self.seconds[trial] for trial in pack.trials.values())
        slower = 4 / 3 if gpu % 10 == 0 else 1.0
        beside = 1 + (len(pack.trials) - 1) / 3
        training = once * beside * slower * math.exp(self.chance.uniform(-LUCK, LUCK))
        start = NEXT_SECONDS if gpu in self._is_warm else START_SECONDS
        self._is_warm.add(gpu)
        self.busy += training
        heapq.heappush(self.ends, (self.clock + start + training, key, gpu, pack))

    def poll(self, timeout: float) -> Report | None:
        """Move the clock to the next end of a pack."""
        if not self.ends:
            return None
        self.clock, key, gpu, pack = heapq.heappop(self.ends)
        self._free.append(gpu)
        trials = pack.trials.values()
        begun: list[Event] = [AttemptStarted(trial, "cuda", "simulated", {}, self.now()) for trial in trials]
        return Report(
            key, [*begun, *(TrialEnded(each, State.COMPLETE, at=self.now()) for each in trials)], is_over=True
        )

    def stop(self, key: int) -> None:
        """Do nothing: every pack is trained to its end."""

    def kill(self, key: int) -> None:
        """Do nothing: no worker hangs."""

    def exclude(self, node: Node, reason: str) -> None:
        """Do nothing: every node fits."""

    def now(self) -> datetime:
        """Return where the clock stands."""
        return BEGINNING + timedelta(seconds=self.clock)

    def close(self) -> None:
        """Do nothing."""


def simulate(file: Mapping[str, Any], gpus: int) -> dict[str, float]:
    """Schedule a study on so many simulated GPUs; return its packs, its hours, and the share in which GPUs trained."""
    plan = make_plan(read_study({**STUDY, **file}))
    seconds = {trial.id: _seconds(plan, trial) for trial in plan.trials}
    backend = SimulatedGpus(gpus, seconds)
    packs: list[Pack] = []
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "schedule.db") as store:
        store.record_plan(plan)
        blocks = StudyBlocks(store, plan, Progress(), read_study({**STUDY, **file}).file.resources.seeds_per_pack)
        blocks.begin()
        source = blocks.source(lambda: None, backend.slots)
        dispatcher = Dispatcher(source, backend, lambda event: None, Flag(), Limits(), begun=packs.append)
        assert dispatcher.run() is Ending.DONE
    assert sorted(each for pack in packs for each in pack.trials.values()) == sorted(trial.id for trial in plan.trials)
    return {
        "trials": len(plan.trials),
        "packs": len(packs),
        "hours": backend.clock / 3600,
        "busy": backend.busy / (gpus * backend.clock),
        "hours_of_the_longest_trial": max(seconds.values()) / 3600,
    }


def _seconds(plan: StudyPlan, trial: PlannedTrial) -> float:
    """Return how long a GPU would train a trial alone."""
    arm = next(each for each in plan.arms if each.arm is trial.arm)
    batch = trial.arm.settings["training"]["batch_size"]
    launches = LAUNCH_SECONDS * KERNELS_PER_LAYER * trial.arm.settings["network"]["depth"]
    return trial_images(trial.arm) / batch * max(launches, 3 * arm.flops * batch / FLOPS_A_SECOND)


def main() -> None:
    """Schedule every case and store how busy the GPUs were."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--gpus", type=int, default=100)
    gpus = words.parse_args().gpus
    figures = {}
    for name, case in CASES.items():
        figures[name] = simulate(case, gpus)
        print(name, json.dumps(figures[name]))
    print(write_result("schedule", {"gpus": gpus, **figures}, environment_facts("cpu", 1)))


if __name__ == "__main__":
    main()
