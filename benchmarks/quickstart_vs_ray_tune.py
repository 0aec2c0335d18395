"""The whole quickstart against the same 45 trials written by hand for Ray Tune: seconds of each, and their ratio.

Both run as whole processes on this machine, one after the other, `--rounds` times in turn, from an empty folder.

    python benchmarks/quickstart_vs_ray_tune.py [--rounds 1] [--epochs 10]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from record import write_result

from orchestrator import load_study
from orchestrator.records.environment import environment_facts

HERE = Path(__file__).resolve().parent
STUDY = HERE.parent / "ablation.yaml"


def timed(command: Sequence[str], folder: str) -> float:
    """Run `command` in `folder` to its end and return its seconds."""
    here = {**os.environ, "RAY_ADDRESS": "local"}  # whatever cluster was started on this machine before
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=here, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def by_hand(epochs: int) -> tuple[float, dict[str, float]]:
    """Run the hand-written script; return its seconds and each arm's mean test error."""
    with tempfile.TemporaryDirectory() as folder:
        script = HERE / "peers" / "quickstart_in_ray_tune.py"
        seconds = timed([sys.executable, str(script), "result.json", str(epochs)], folder)
        return seconds, json.loads((Path(folder) / "result.json").read_text())


def product(epochs: int) -> tuple[float, dict[str, float]]:
    """Run `orchestrate run` on the quickstart; return its seconds and each arm's mean test error."""
    with tempfile.TemporaryDirectory() as folder:
        orchestrate = Path(sys.executable).with_name("orchestrate")
        changes = ["--set", f"training.epochs={epochs}"] if epochs != 10 else []
        seconds = timed([str(orchestrate), "run", str(STUDY), *changes], folder)
        trials = load_study("degradation", db=f"sqlite:///{folder}/results.db").trials()
        return seconds, trials.groupby("arm")["test_error"].mean().to_dict()


def main() -> None:
    """Measure both, print the figures, and write them to results/."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    rounds = []
    for number in range(options.rounds):
        hand_seconds, hand_errors = by_hand(options.epochs)
        our_seconds, our_errors = product(options.epochs)
        rounds.append({"by_hand_seconds": hand_seconds, "product_seconds": our_seconds,
                       "ratio": hand_seconds / our_seconds})  # fmt: skip
        print(f"round {number + 1}: by hand {hand_seconds:.1f} s, orchestrate run {our_seconds:.1f} s, "
              f"ratio {hand_seconds / our_seconds:.2f}")  # fmt: skip
    for arm, error in our_errors.items():
        print(f"{arm}: mean test error {error:.2f} % (by hand {hand_errors[arm]:.2f} %)")
    figures = {
        "rounds": rounds,
        "median_ratio": statistics.median(each["ratio"] for each in rounds),
        "epochs": options.epochs,
        "test_error_product": our_errors,
        "test_error_by_hand": hand_errors,
    }
    print(write_result("quickstart_vs_ray_tune", figures, environment_facts("cpu", 1)))


if __name__ == "__main__":
    main()
