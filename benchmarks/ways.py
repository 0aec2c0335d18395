"""Ways to compute a training step, and the kernels of some: one line of JSON each, written as soon as it is known.

    PYTHONPATH=. python benchmarks/ways.py --out ways.jsonl --seconds 150

Random images of CIFAR's shape, so that figures compare with published ones; the most wanted ways come first, and the
list ends when its seconds are over. A way that fails says why and leaves the others be. `benchmarks/gpu.sh` runs this.
"""

import argparse
import gc
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from loops import Ours
from record import machine
from torch.profiler import ProfilerActivity, profile

from search_spaces import complete_network
from trainers import complete_data

BF16, TF32 = {"precision": "bf16"}, {"precision": "fp32"}
FUSED_NORM = {"fused_norm": "auto"}
FUSED_CONV = {"fused_conv": "auto", "fuse": "always"}
REPEATS = 3  # epochs after the first; the fastest counts
KERNELS = 40  # that are listed of a step
PROFILED = 20  # steps

# What is measured, of which depth, seeds and settings, the most wanted first. The first way with `FUSED_CONV`, and the
# first in TF32, wait for Triton's compiler: about a second a kernel.
WAYS: tuple[tuple[str, str, int, Mapping[str, Any]], ...] = (
    ("speed", "deep", 1, BF16),
    ("speed", "deep", 5, BF16),
    ("speed", "deep", 5, BF16 | FUSED_CONV),
    ("kernels", "deep", 5, BF16 | FUSED_CONV),
    ("speed", "deep", 1, BF16 | FUSED_NORM),
    ("speed", "deep", 5, BF16 | FUSED_NORM),
    ("speed", "shallow", 5, BF16),
    ("speed", "shallow", 5, BF16 | FUSED_CONV),
    ("speed", "deep", 1, BF16 | FUSED_CONV),
    ("kernels", "deep", 1, BF16),
    ("speed", "shallow", 1, BF16),
    ("speed", "deep", 1, TF32),
    ("speed", "deep", 5, TF32),
    ("speed", "deep", 5, TF32 | FUSED_NORM),
    ("speed", "deep", 10, BF16 | FUSED_CONV),
    ("kernels", "deep", 1, BF16 | FUSED_NORM),
    ("speed", "shallow", 5, BF16 | FUSED_NORM),
    ("speed", "deep", 5, BF16 | {"deterministic": False}),
    ("speed", "deep", 1, BF16 | {"cuda_graph": "never"}),
    ("speed", "deep", 5, TF32 | FUSED_CONV),
    ("kernels", "deep", 1, TF32),
    ("speed", "deep", 5, TF32 | {"deterministic": False}),
    ("speed", "deep", 1, TF32 | {"memory_format": "contiguous"}),
    ("speed", "deep", 10, BF16),
    ("speed", "shallow", 10, BF16),
    ("speed", "shallow", 16, BF16),
    ("speed", "shallow", 5, BF16 | {"fuse": "always"}),
)


def main() -> None:
    """Measure the ways in their order, speeds and the kernels of a step; write each figure at once."""
    args = command_line()
    began = time.perf_counter()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("a", encoding="utf-8") as file:

        def note(facts: Mapping[str, Any]) -> None:
            line = json.dumps(facts)
            file.write(f"{line}\n")
            file.flush()
            print(line, flush=True)

        note({"machine": machine(args.device), "arguments": {**vars(args), "out": str(args.out)}})
        for measured, depth, seeds, given in WAYS:
            if time.perf_counter() - began > args.seconds:
                note({"stopped": f"{args.seconds:g} s are over"})
                return
            found = tried(args, depth, seeds, given, MEASURES[measured])
            note({"depth": depth_of(args, depth), "seeds": seeds, **given, **found})


def command_line() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("ways.jsonl"), help="lines are added to this file")
    parser.add_argument("--seconds", type=float, default=150, help="no way is begun after so many")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=100, help="of each seed in an epoch")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--shape", type=int, nargs=3, default=[3, 32, 32])
    parser.add_argument("--deep", type=int, default=110, help="depth of the deep network")
    parser.add_argument("--shallow", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def depth_of(args: argparse.Namespace, name: str) -> int:
    """Return the depth that `name` stands for."""
    return int(getattr(args, name))


def tried(args: argparse.Namespace, depth: str, seeds: int, given: Mapping[str, Any], measure: Any) -> dict[str, Any]:
    """Return what `measure` finds, or why it failed; the device is empty again afterwards."""
    on_gpu = torch.device(args.device).type == "cuda"
    try:
        found: dict[str, Any] = measure(loop(args, depth, seeds, given), args)
    except Exception as error:  # of whatever kind: the next way is measured all the same
        found = {"failed": f"{type(error).__name__}: {str(error).strip()[:300]}"}
    gc.collect()
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return found


def loop(args: argparse.Namespace, depth: str, seeds: int, given: Mapping[str, Any]) -> Ours:
    """Return the training of one way, nothing in it left to be decided by timings."""
    data = complete_data(
        {"name": "synthetic", "shape": args.shape, "train_size": args.batch_size * args.steps, "test_size": 1000}
    )
    network = complete_network({"family": "resnet_cifar", "depth": depth_of(args, depth), "width": args.width})
    training = {"fuse": "never", "autotune": "never", **given}
    return Ours(network, data, args, tuple(range(seeds)), **training)


def speed(ours: Ours, args: argparse.Namespace) -> dict[str, Any]:
    """Return the images a second of all seeds, and how the steps were really computed."""
    first = ours()
    seconds = min(ours() for _ in range(REPEATS))
    replica = ours.trainer.replicas[0]
    on_gpu = torch.device(args.device).type == "cuda"
    return {
        "images_per_second": round(ours.images / seconds),
        "ms_a_step_and_seed": round(1000 * seconds * args.batch_size / ours.images, 3),
        "first_epoch_seconds": round(first, 2),
        "computed": {**ours.trainer._telemetry(replica), "autotune": None},
        "reserved_gib": round(torch.cuda.max_memory_reserved() / 2**30, 2) if on_gpu else None,
        "loss": round(ours.loss, 4),
    }


def kernels(ours: Ours, args: argparse.Namespace) -> dict[str, Any]:
    """Return the kernels of a step, those that take longest first: name, calls and microseconds a step."""
    if torch.device(args.device).type != "cuda":
        return {"kernels": None}
    ours()
    ours()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        ours()
    rows = [
        (each.key[:90], each.count / args.steps, each.self_device_time_total / args.steps)
        for each in seen.key_averages()
        if each.self_device_time_total
    ]
    rows.sort(key=lambda row: -row[2])
    return {
        "kernels_a_step": round(sum(row[1] for row in rows)),
        "device_us_a_step": round(sum(row[2] for row in rows)),
        "kernels": [(name, round(calls, 2), round(microseconds, 1)) for name, calls, microseconds in rows[:KERNELS]],
    }


MEASURES = {"speed": speed, "kernels": kernels}


if __name__ == "__main__":
    main()
