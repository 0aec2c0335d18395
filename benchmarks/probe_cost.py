"""What a probe adds to the time of a training: the same trial with and without it, in turns.

Run ``python -m benchmarks.probe_cost --probe gradient_flow --depth 20 --epochs 10``; the machine must do nothing else.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.record import machine, write_result
from orchestrator.engine.worker import WorkerSettings, train_pack
from orchestrator.scheduling.packs import Pack
from orchestrator.study_file.arms import complete_settings
from trainers.probes import ProbeRequest, complete_probes


def main() -> None:
    """Print and record the share of the training's time that a probe adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probe", default="gradient_flow")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    network = {"depth": given.depth, "width": given.width}
    settings = complete_settings({"data": "digits", "network": network, "training": {"epochs": given.epochs}})
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    _trained(settings, complete_probes([given.probe]))  # what the first training alone pays for
    for _ in range(given.rounds):
        seconds["without"].append(_trained(settings, ()))
        seconds["with"].append(_trained(settings, complete_probes([given.probe])))
    without, measured = min(seconds["without"]), min(seconds["with"])
    share = 100 * (measured - without) / without
    print(f"{given.probe}: {measured:.2f} s with, {without:.2f} s without: {share:+.1f} % (least of {given.rounds})")
    write_result("probe_cost", {**vars(given), "seconds": seconds, "added_per_cent": share}, machine("cpu"))


def _trained(settings: dict[str, object], probes: tuple[ProbeRequest, ...]) -> float:
    """Return how long one trial takes to train and to measure."""
    with tempfile.TemporaryDirectory() as folder:
        worker = WorkerSettings(checkpoints=Path(folder))
        began = time.perf_counter()
        for _ in train_pack(Pack(settings, {0: "trial"}, probes=probes), worker):
            pass
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
