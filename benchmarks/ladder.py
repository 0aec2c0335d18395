"""The speed ladder: what each means of going faster gains over the one before, measured on one machine in turn.

    PYTHONPATH=. python benchmarks/ladder.py --data cifar10 --root ~/data --steps 390                       # a GPU
    PYTHONPATH=. python benchmarks/ladder.py --data digits --width 8 --batch-size 64 --networks resnet20    # a laptop

Needs torch and torchvision alone (scikit-learn for the digits), and no installation. The images are real ones. Every
rung takes its steps in turn with the others, `--rounds` times, and its fastest round counts; what it takes to compile
or to record is reported beside it. All rungs from `device data` on are this project's trainer with explicit settings;
torch's own optimiser stands in for the trainer's below the rung `fused optimiser`.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from subprocess import SubprocessError
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
    wall,
)
from peers.plain_loop import PlainLoop
from processes import Processes, multi_process_service
from record import machine, write_result
from torch import Tensor, nn

from search_spaces import build_network, complete_network
from search_spaces.blocks import Unit
from trainers import complete_data, inspect_data


@dataclass(frozen=True)
class Case:
    """One network, its data, and the arguments."""

    network: Mapping[str, Any]
    data: Mapping[str, Any]
    args: argparse.Namespace

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds of a pack."""
        return tuple(range(self.args.seeds))


@dataclass(frozen=True)
class Rung:
    """One means of going faster: the rung it stands on, where it can be had, and how its loop is made."""

    name: str
    before: str | None
    device: str | None
    make: Callable[[Case, ExitStack], Loop]


class TorchSGD:
    """torch.optim.SGD as tutorials call it, in place of the trainer's own optimiser."""

    def __init__(self, network: nn.Module, training: Mapping[str, Any]) -> None:
        self.parameters = list(network.parameters())
        self.velocities: list[Tensor] = []
        self.momentum, self.cycled_momentum = training["momentum"], None
        self.torchs = torch.optim.SGD(
            self.parameters,
            lr=training["lr"],
            momentum=training["momentum"],
            nesterov=training["nesterov"],
            weight_decay=training["weight_decay"],
        )

    def change_rate(self, before: float, lr: float) -> None:
        """Take the next step at rate `lr`."""
        self.torchs.param_groups[0]["lr"] = lr

    def step(self, gradients: Sequence[Tensor], lr: float | Tensor) -> None:
        """Take one step at the rate of `change_rate`."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.torchs.param_groups[0]["momentum"] = self.momentum
        self.torchs.step()


def plain(case: Case, stack: ExitStack) -> Loop:
    """Return the loop of the tutorials."""
    info = inspect_data(case.data)
    model = build_network(dict(case.network), info.input_shape, info.num_classes)
    return PlainLoop(model, case.data, case.args, default_workers(case.args))


def ours(torchs: bool = False, pack: bool = False, compiled: bool = False, **given: Any) -> Any:
    """Return a maker of this project's trainer; with torch's optimiser, with a pack of seeds, with compiled units."""

    def make(case: Case, stack: ExitStack) -> Loop:
        loop = Ours(case.network, case.data, case.args, case.seeds if pack else (0,), **given)
        for replica in loop.trainer.replicas:
            if torchs:
                replica.optimiser = TorchSGD(replica.network, loop.trainer.task.training)
            if compiled:
                compile_units(replica.network)
        return loop

    return make


def compile_units(network: nn.Module) -> None:
    """Compile every residual unit; units of one shape share their compiled code, and the network's state stays."""
    for module in network.modules():
        if isinstance(module, Unit):
            module.compile(fullgraph=True, dynamic=False)


def processes(served: bool) -> Callable[[Case, ExitStack], Loop]:
    """Return a maker of one process a seed; `served` puts them under the multi-process service."""

    def make(case: Case, stack: ExitStack) -> Loop:
        environment = stack.enter_context(multi_process_service()) if served else {}
        loop = Processes(case.network, case.data, case.args, environment, precision="auto")
        stack.callback(loop.close)
        return loop

    return make


def rungs(on_gpu: bool) -> list[Rung]:
    """Return the ladder of a kind of device.

    A rung that `precision: auto` and `memory_format: auto` do not take on that device bears no other rung.
    """
    first = {"recorded": False, "fuse": "never"}
    eager = {**first, "precision": "auto"}
    auto = {"fuse": "never", "precision": "auto"}
    best = "cuda graph" if on_gpu else "fused optimiser"
    solo = "streams" if on_gpu else "in turn"
    return [
        Rung("plain", None, None, plain),
        Rung("device data", "plain", None, ours(True, precision="fp32", memory_format="contiguous", **first)),
        Rung(
            "channels_last", "device data", None, ours(True, precision="fp32", memory_format="channels_last", **first)
        ),
        Rung("bf16", "channels_last", None, ours(True, precision="bf16", memory_format="channels_last", **first)),
        Rung("fused optimiser", "bf16" if on_gpu else "channels_last", None, ours(**eager)),
        Rung("cuda graph", "fused optimiser", "cuda", ours(**auto)),
        Rung("compiled units", best, None, ours(compiled=True, **auto)),
        Rung("in turn", best, "cpu", ours(pack=True, **auto)),
        Rung("streams", best, "cuda", ours(pack=True, **auto)),
        Rung("triton norms", "streams", "cuda", ours(pack=True, fused_norm="auto", **auto)),
        Rung(
            "triton convolutions",
            "triton norms",
            "cuda",
            ours(pack=True, fuse="always", fused_conv="auto", precision="auto"),
        ),
        Rung("compiled streams", "streams", "cuda", ours(pack=True, compiled=True, **auto)),
        Rung("processes", solo, None, processes(False)),
        Rung("processes, mps", "processes", "cuda", processes(True)),
        Rung("grouped fusion", solo, None, ours(pack=True, fuse="always", precision="auto")),
    ]


def main() -> None:
    """Measure the rungs, print them, and write them to benchmarks/results."""
    args = command_line()
    kind = torch.device(args.device).type
    torch.set_num_threads(args.threads)
    data = complete_data({"name": args.data} | ({"root": args.root} if args.root else {}))
    ladder = [each for each in rungs(kind == "cuda") if args.rungs is None or each.name in args.rungs.split(";")]
    found: dict[str, dict[str, Any]] = {}
    figures = {"image_shape": inspect_data(data).input_shape, "networks": found}
    environment = machine(args.device) | {"arguments": vars(args), "workers": default_workers(args)}
    for name in args.networks.split(","):
        network = complete_network({"family": "resnet_cifar", "width": args.width, **NETWORKS[name]})

        def write(rungs: dict[str, dict[str, Any]], name: str = name) -> None:
            found[name] = rungs
            write_result(f"ladder_{kind}_{args.data}{label(args)}", figures, environment)

        write(climb(ladder, Case(network, data, args), kind, write))
        report(name, found[name])


def command_line() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser, "resnet20,resnet56,resnet110,preact164")
    parser.add_argument("--rungs", help='which rungs, for instance "plain;device data"; all of them by default')
    return parser.parse_args()


Write = Callable[[dict[str, dict[str, Any]]], None]


def climb(ladder: Sequence[Rung], case: Case, kind: str, write: Write) -> dict[str, dict[str, Any]]:
    """Return the figures of each rung, or why it has none on this device; a rung that fails leaves the others be.

    What is known after each round is written at once.
    """
    free_memory(case.args.device)
    absent: dict[str, str] = {}
    loops: dict[str, Loop] = {}
    first: dict[str, float] = {}
    with fresh_compiler(), ExitStack() as stack:
        for rung in ladder:
            if rung.device not in (None, kind):
                absent[rung.name] = f"not on this device: {rung.device} only"
                continue
            try:
                loop = rung.make(case, stack)
                first[rung.name] = wall(loop)
                loops[rung.name] = loop
            except (OSError, RuntimeError, SubprocessError) as error:
                absent[rung.name] = f"not on this device: {type(error).__name__}: {str(error).strip()[:300]}"

        def on_round(measured: dict[str, Measured]) -> None:
            write(figures_of(ladder, loops, measured, absent))

        measured = in_turn(loops, case.args.rounds, first, on_round)
    return figures_of(ladder, loops, measured, absent)


def figures_of(
    ladder: Sequence[Rung], loops: Mapping[str, Loop], measured: Mapping[str, Measured], absent: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the figures of each rung that was measured, or why there are none."""
    found: dict[str, dict[str, Any]] = {}
    for rung in ladder:
        if rung.name in absent:
            found[rung.name] = {"absent": absent[rung.name]}
            continue
        own, before = measured[rung.name], measured.get(rung.before or "")
        found[rung.name] = {
            "images_per_second": own.rate,
            "before": rung.before,
            "ratio_to_before": own.rate / before.rate if before else None,
            "ratio_to_plain": own.rate / measured["plain"].rate if "plain" in measured else None,
            "preparation_seconds": own.preparation,
            "loss": loops[rung.name].loss,
            "computed": computed(loops[rung.name]),
        }
    return found


def computed(loop: Loop) -> dict[str, Any] | None:
    """Return how a rung's steps were really computed; None for loops that are not this project's trainer."""
    return loop.trainer._telemetry(loop.trainer.replicas[0]) if isinstance(loop, Ours) else None


def report(name: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print one network's ladder."""
    print(f"\n{name}")
    for rung, each in found.items():
        if "absent" in each:
            print(f"  {rung:16} {each['absent']}")
            continue
        step = f"{each['ratio_to_before']:5.2f}x {each['before']:16}" if each["ratio_to_before"] else " " * 23
        whole = f"{each['ratio_to_plain']:6.2f}x plain" if each["ratio_to_plain"] else ""
        ready, rate = each["preparation_seconds"], each["images_per_second"]
        print(f"  {rung:16} {rate:9.0f} images/s  {step} {whole}  {ready:6.1f} s to get ready, loss {each['loss']:.2f}")


if __name__ == "__main__":
    main()
