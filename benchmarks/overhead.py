"""What a trial costs beyond its training: 100 trials of one step each, against Ray Tune's function trainable.

Both run on one Ray cluster in this process, one after the other. The cost of a trial is the time between the first
and the last result, divided by the trials in between, times the slots, so that starting the cluster does not count.

    python benchmarks/overhead.py [--trials 100]
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray import tune
from record import write_result

from orchestrator import RunOptions, run_study
from orchestrator.records.environment import environment_facts
from orchestrator.records.events import Event, TrialEnded
from orchestrator.records.study_plan import StudyPlan
from orchestrator.scheduling.progress import Progress
from orchestrator.storage import PlanOutcome
from orchestrator.study import Listener

NETWORK = {"family": "resnet_cifar", "depth": 8, "width": 2}
STUDY = """\
study: overhead
data: {{name: synthetic, train_size: 8, test_size: 8}}
network: {{family: resnet_cifar, depth: 8, width: 2}}
training: {{recipe: quick, epochs: 1, batch_size: 8}}
seeds: {trials}
resources: {{seeds_per_pack: 1}}
"""


def product(trials: int) -> float:
    """Return the seconds a trial of one training step takes, from recorded result to recorded result."""
    ends: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, TrialEnded):
            ends.append(time.perf_counter())

    @contextmanager
    def show(progress: Progress, plan: StudyPlan, outcome: PlanOutcome) -> Iterator[Listener]:
        yield note

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "overhead.yaml"
        file.write_text(STUDY.format(trials=trials))
        options = RunOptions(db=f"{folder}/results.db", out=Path(folder) / "out", report=False)
        run_study(file, options=options, show=show)
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def one_step(config: dict[str, int]) -> None:
    """Train one step the way a function trainable does, and report it."""
    import torch

    from search_spaces import build_network

    torch.manual_seed(config["seed"])
    network = build_network(NETWORK)
    torch.nn.functional.cross_entropy(network(torch.randn(8, 3, 32, 32)), torch.arange(8)).backward()
    tune.report({"loss": 0.0})


def function_trainable(trials: int) -> float:
    """Return the seconds a trial takes as a Ray Tune function trainable with Tune's defaults, from end to end."""
    ends: list[float] = []

    class Note(tune.Callback):
        def on_trial_complete(self, **_: object) -> None:
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        run_config = tune.RunConfig(storage_path=folder, verbose=0, callbacks=[Note()])
        tune.Tuner(one_step, param_space={"seed": tune.grid_search(list(range(trials)))}, run_config=run_config).fit()
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def main() -> None:
    """Measure both, print the figures, and write them to results/."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--function-trials", type=int, default=20)
    options = parser.parse_args()
    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ours, theirs = product(options.trials), function_trainable(options.function_trials)
    slots = int(ray.cluster_resources()["CPU"])
    ray.shutdown()
    figures = {
        "seconds_between_results": ours,
        "seconds_a_trial_and_slot": ours * slots,
        "function_trainable_seconds_between_results": theirs,
        "function_trainable_seconds_a_trial_and_slot": theirs * slots,
        "ratio": theirs / ours,
        "slots": slots,
        "trials": options.trials,
    }
    print(f"orchestrate: {ours:.3f} s from result to result ({ours * slots:.3f} s a trial on each of {slots} slots)")
    print(f"function trainable: {theirs:.3f} s ({theirs * slots:.3f} s); ratio {theirs / ours:.1f}")
    print(write_result("overhead", figures, environment_facts("cpu", 1)))


if __name__ == "__main__":
    main()
