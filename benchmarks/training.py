"""Training speed against the plain PyTorch loop, the same with torch.compile, and a library's network in that loop.

    PYTHONPATH=. python benchmarks/training.py --data cifar10 --root ~/data --steps 390 --whole-epochs 2   # a GPU
    PYTHONPATH=. python benchmarks/training.py --data digits --width 8 --batch-size 64 --seeds 3           # a laptop
    PYTHONPATH=. python benchmarks/training.py --data cifar10 --root ~/data --networks resnet110 --deep 5  # memory

Needs torch and torchvision alone (scikit-learn for the digits; timm for its pre-activated network, if it is there), and
no installation. The images are real ones. "Steady" is what `--steps` steps cost once everything is warm; compiling
and recording are reported beside it. "Whole" is a trial of `--whole-epochs` epochs from nothing, with a test after
each epoch. The loops take turns, `--rounds` times, and each one's fastest round counts.
"""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from loops import (
    NETWORKS,
    Loop,
    Measured,
    Ours,
    arguments,
    default_workers,
    free_memory,
    fresh_compiler,
    in_turn,
    label,
    settings,
    wall,
)
from peers.library_networks import library_network
from peers.plain_loop import PlainLoop, plain_trial
from record import machine, write_result
from roofline import roofline
from torch import nn

from search_spaces import build_network, complete_network, complexity
from trainers import DataInfo, Task, Trainer, complete_data, inspect_data

CIFAR_IMAGES = 50_000 * 200  # a trial of 200 epochs
PUBLISHED = 6540  # images/s, the best published figure for ResNet-110 that was found
PEERS = ("plain", "compile", "library")
DEEP = ("resnet1001", "resnet1202")


def main() -> None:
    """Measure what the arguments ask for, print it, and write it to benchmarks/results."""
    args = command_line()
    data = complete_data({"name": args.data} | ({"root": args.root} if args.root else {}))
    info = inspect_data(data)
    torch.set_num_threads(args.threads)
    limits = roofline(torch.device(args.device))
    print(
        f"{machine(args.device)['device']}: matmul {limits['matmul_tflops']:.2f} TFLOP/s, convolution "
        f"{limits['convolution_tflops']:.2f} TFLOP/s, copy {limits['copy_gbs']:.0f} GB/s"
    )
    figures: dict[str, Any] = {"image_shape": info.input_shape, "roofline": limits, "networks": {}}
    environment = machine(args.device) | {"arguments": vars(args), "workers": default_workers(args)}
    name_of_result = f"training_{torch.device(args.device).type}_{args.data}{label(args)}"

    def write() -> None:
        print(f"written to {write_result(name_of_result, figures, environment)}", flush=True)

    for name in args.networks.split(","):
        with fresh_compiler():
            figures["networks"][name] = measure(complete(name, args), data, info, args, limits)
        write()
        report(name, figures["networks"][name], args)
    for name in args.deep_networks.split(",") if args.deep else ():
        for found in deep(name, data, args):
            figures.setdefault("deep", {}).setdefault(name, []).append(found)
            write()


def command_line() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser, "resnet20,resnet56,resnet110,preact164")
    parser.add_argument("--precision", default="auto", help="of our loop: fp32, bf16 or auto")
    parser.add_argument("--whole-epochs", type=int, default=0, help="0 leaves the whole trials out")
    parser.add_argument("--peers", default=",".join(PEERS), help="which peers to measure, or none")
    parser.add_argument("--compile-depth", type=int, help="deepest network to compile whole; 20 on a CPU, 200 on a GPU")
    parser.add_argument("--deep", type=int, default=0, help="steps of very deep networks, for their peak memory")
    parser.add_argument("--deep-networks", default=",".join(DEEP), help="which they are")
    return parser.parse_args()


def complete(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of one of the networks."""
    return complete_network({"family": "resnet_cifar", "width": args.width, **NETWORKS[name]})


def measure(
    network: Mapping[str, Any],
    data: Mapping[str, Any],
    info: DataInfo,
    args: argparse.Namespace,
    limits: Mapping[str, float],
) -> dict[str, Any]:
    """Return the figures of one network."""
    free_memory(args.device)
    left_out: dict[str, str] = {}
    pack = f"ours, pack of {args.seeds}"
    loops: dict[str, Loop] = {
        "ours": Ours(network, data, args, precision=args.precision),
        pack: Ours(network, data, args, tuple(range(args.seeds)), precision=args.precision),
    }
    for name in args.peers.split(","):
        if name in PEERS:
            model = peer(name, network, info, args)
            if isinstance(model, str):
                left_out[name] = model
            else:
                loops[name] = PlainLoop(model, data, args, default_workers(args))
    found = in_turn(loops, args.rounds)
    figures = summary(found, complexity(dict(network), info.input_shape, info.num_classes), limits)
    figures["left_out"] = left_out
    figures["computed"] = {
        name: each.trainer._telemetry(each.trainer.replicas[0])
        for name, each in loops.items()
        if isinstance(each, Ours)
    }
    if "plain" in found:
        figures["trials_per_hour_to_plain"] = {f"pack of {args.seeds}": found[pack].rate / found["plain"].rate}
    if args.whole_epochs:
        figures["whole_trial_seconds"] = whole_trials(network, data, info, args)
    return figures


def summary(found: Mapping[str, Measured], cost: Any, limits: Mapping[str, float]) -> dict[str, Any]:
    """Return what follows from the measured loops."""
    rates = {name: each.rate for name, each in found.items()}
    best = max(rate for name, rate in rates.items() if name.startswith("ours"))
    arithmetic = 1e12 * max(limits["matmul_tflops"], limits["convolution_tflops"])
    return {
        "images_per_second": rates,
        "preparation_seconds": {name: each.preparation for name, each in found.items()},
        "ratio_to_plain": {name: rate / rates["plain"] for name, rate in rates.items()} if "plain" in rates else {},
        "seconds_per_200_cifar_epochs": {name: CIFAR_IMAGES / rate for name, rate in rates.items()},
        "trials_per_hour": {name: 3600 * rate / CIFAR_IMAGES for name, rate in rates.items()},
        "ratio_to_published": best / PUBLISHED,
        # Forward once and backward twice, two operations a multiply-add.
        "roofline_share": best * cost.flops * 6 / arithmetic,
        "params": cost.params,
        "flops": cost.flops,
    }


def peer(name: str, network: Mapping[str, Any], info: DataInfo, args: argparse.Namespace) -> nn.Module | str:
    """Return the network of a loop that people write, or why it is left out."""
    if name == "library":
        try:
            return library_network(network, info)
        except ModuleNotFoundError as error:
            return f"{error.name} is not installed"
    model = build_network(dict(network), info.input_shape, info.num_classes)
    if name == "plain":
        return model
    deepest = args.compile_depth or (200 if torch.device(args.device).type == "cuda" else 20)
    if network["depth"] > deepest:
        return f"compiling {network['depth']} layers takes many minutes; --compile-depth {network['depth']} does it"
    model.compile()
    return model


def whole_trials(
    network: Mapping[str, Any], data: Mapping[str, Any], info: DataInfo, args: argparse.Namespace
) -> dict[str, float]:
    """Return the seconds of whole trials, from building the network to the last test."""

    def ours(seeds: int) -> None:
        training = settings(args, data, epochs=args.whole_epochs, precision=args.precision)
        task = Task(data, network, training, tuple(range(seeds)))
        trainer = Trainer(task, device=args.device, threads=args.threads)
        while not trainer.finished:
            trainer.run_epoch()

    def plain() -> None:
        model = build_network(dict(network), info.input_shape, info.num_classes)
        plain_trial(model, data, args, default_workers(args))

    return {
        "ours": wall(lambda: ours(1)),
        "ours, pack, per seed": wall(lambda: ours(args.seeds)) / args.seeds,
        "plain": wall(plain),
    }


def deep(name: str, data: Mapping[str, Any], args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield speed and memory of a very deep network, activations all kept and inside units recomputed."""
    for recomputing in (False, True):
        free_memory(args.device)
        rate = few_steps(complete(name, args), data, args, recomputing)
        found: dict[str, Any] = {"checkpoint_activations": recomputing, "images_per_second": rate}
        memory = "memory is measured on a GPU only"
        if torch.device(args.device).type == "cuda":
            found["peak_allocated_gib"] = torch.cuda.max_memory_allocated(args.device) / 2**30
            found["peak_reserved_gib"] = torch.cuda.max_memory_reserved(args.device) / 2**30
            memory = f"peak {found['peak_allocated_gib']:.1f} GiB, {found['peak_reserved_gib']:.1f} GiB reserved"
        speed = "out of memory" if rate is None else f"{rate:.1f} images/s"
        print(f"{name}, batch {args.batch_size}, checkpoint_activations {recomputing}: {speed}, {memory}")
        yield found


def few_steps(
    network: Mapping[str, Any], data: Mapping[str, Any], args: argparse.Namespace, recomputing: bool
) -> float | None:
    """Return the images a second of a few steps, None where memory runs out."""
    short = argparse.Namespace(**{**vars(args), "steps": args.deep})
    try:
        loop = Ours(network, data, short, precision=args.precision, checkpoint_activations=recomputing)
        return in_turn({"ours": loop}, 2)["ours"].rate
    except torch.OutOfMemoryError:
        return None


def report(name: str, found: Mapping[str, Any], args: argparse.Namespace) -> None:
    """Print one network's figures."""
    print(f"\n{name} ({found['params']:,} parameters, {found['flops'] / 1e6:.1f} M multiply-adds)")
    ratios = found["ratio_to_plain"]
    for loop, rate in found["images_per_second"].items():
        ratio = f"{ratios[loop]:5.2f}x plain" if loop in ratios else ""
        hours, seconds = found["trials_per_hour"][loop], found["seconds_per_200_cifar_epochs"][loop]
        print(
            f"  {loop:20} {rate:10.0f} images/s  {ratio}  {seconds:9.0f} s for 200 CIFAR-sized epochs, "
            f"{hours:7.2f} such trials an hour; {found['preparation_seconds'][loop]:.1f} s to get ready"
        )
    for loop, reason in found["left_out"].items():
        print(f"  {loop}: left out, {reason}")
    unit = "GPU-hour" if torch.device(args.device).type == "cuda" else "hour"
    for pack, ratio in found.get("trials_per_hour_to_plain", {}).items():
        print(f"  trials per {unit}, {pack} seeds: {ratio:.2f}x the plain PyTorch loop")
    print(f"  roofline share {100 * found['roofline_share']:.1f} %")
    for loop, seconds in found.get("whole_trial_seconds", {}).items():
        print(f"  whole trial of {args.whole_epochs} epochs, {loop}: {seconds:.1f} s")


if __name__ == "__main__":
    main()
