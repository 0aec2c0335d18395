"""Training speed against the plain PyTorch loop, the same with torch.compile, and torchvision's blocks in that loop.

    PYTHONPATH=. python benchmarks/training.py --data cifar10 --root ~/data                       # a GPU
    PYTHONPATH=. python benchmarks/training.py --data digits --width 8 --batch-size 64 --seeds 3  # a laptop's CPU

Needs torch and torchvision alone (scikit-learn for the digits), and no installation. The images are real ones.
"Steady" is what a step costs once everything is warm: the time of `--warm-up` + `--steps` steps less that of
`--warm-up` steps, each by a training of its own. "Whole" is a trial of `--whole-epochs` epochs from nothing,
evaluation included.
"""

import argparse
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from record import write_result
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.transforms import v2

from search_spaces import build_network, complete_network, complexity
from trainers import DataInfo, Task, Trainer, complete_data, complete_training, inspect_data
from trainers.data import load
from trainers.data.images import DataSet, Images

NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "resnet20": {"depth": 20},
    "resnet56": {"depth": 56},
    "resnet110": {"depth": 110},
    "preact164": {"depth": 164, "block": "bottleneck", "activation": "full_preact"},
}
CIFAR_IMAGES = 50_000 * 200  # a trial of 200 epochs
PUBLISHED = 6540  # images/s, the best published figure for ResNet-110 that was found

Loop = Callable[[int], float]  # steps -> seconds


def main() -> None:
    """Measure what the arguments ask for, print it, and write it to benchmarks/results."""
    args = arguments()
    data = complete_data({"name": args.data} | ({"root": args.root} if args.root else {}))
    info = inspect_data(data)
    torch.set_num_threads(args.threads)
    limits = roofline(torch.device(args.device))
    print(f"{machine(args.device)['device']}: {limits['matmul_tflops']:.2f} TFLOP/s, {limits['copy_gbs']:.0f} GB/s")
    figures: dict[str, Any] = {"roofline": limits, "networks": {}}
    for name in args.networks.split(","):
        settings = complete_network({"family": "resnet_cifar", "width": args.width, **NETWORKS[name]})
        found = measure(settings, data, info, args, limits)
        figures["networks"][name] = found
        report(name, found)
    device = torch.device(args.device).type
    path = write_result(f"training_{device}", figures, machine(args.device) | {"arguments": vars(args)})
    print(f"written to {path}")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="fashion_mnist", help="cifar10, cifar100, fashion_mnist or digits")
    parser.add_argument("--root", help="where the data set's files are")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=5, help="seeds of a pack")
    parser.add_argument("--precision", default="auto", help="of our loop: fp32, bf16 or auto")
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3, help="the fastest of so many counts")
    parser.add_argument("--whole-epochs", type=int, default=0, help="0 leaves the whole trials out")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes of the plain loop's DataLoader")
    parser.add_argument("--peers", default="plain,compile,torchvision", help="which peers to measure, or none")
    return parser.parse_args()


def measure(
    network: Mapping[str, Any],
    data: Mapping[str, Any],
    info: DataInfo,
    args: argparse.Namespace,
    limits: Mapping[str, float],
) -> dict[str, Any]:
    """Return the figures of one network."""
    images_a_step = min(args.batch_size, info.train_size)
    solo = steady(lambda steps: ours(network, data, args, 1, steps=steps), args)
    pack = steady(lambda steps: ours(network, data, args, args.seeds, steps=steps), args)
    rates = {"ours": images_a_step / solo, f"ours, pack of {args.seeds}": args.seeds * images_a_step / pack}
    for name, loop in peers(network, data, info, args).items():
        rates[name] = images_a_step / steady(loop, args)
    best = max(rate for name, rate in rates.items() if name.startswith("ours"))
    cost = complexity(dict(network), info.input_shape, info.num_classes)
    found: dict[str, Any] = {
        "images_per_second": rates,
        "seconds_per_200_epochs": {name: CIFAR_IMAGES / rate for name, rate in rates.items()},
        "trials_per_hour": {name: 3600 * rate / CIFAR_IMAGES for name, rate in rates.items()},
        "ratio_to_published": best / PUBLISHED,
        # Forward once and backward twice, two operations a multiply-add.
        "roofline_share": best * cost.flops * 6 / (limits["matmul_tflops"] * 1e12),
        "params": cost.params,
        "flops": cost.flops,
    }
    if "plain" in rates:
        found["ratio_to_plain"] = {name: rate / rates["plain"] for name, rate in rates.items()}
    if args.whole_epochs:
        epochs = args.whole_epochs
        found["whole_trial_seconds"] = {
            "ours": wall(lambda: ours(network, data, args, 1, epochs=epochs)),
            "ours, pack, per seed": wall(lambda: ours(network, data, args, args.seeds, epochs=epochs)) / args.seeds,
            "plain": wall(lambda: plain_trial(network, data, info, args)),
        }
    return found


def steady(loop: Loop, args: argparse.Namespace) -> float:
    """Return the seconds of one warm step."""
    found: list[float] = []
    for _ in range(args.repeats):
        warm = loop(args.warm_up)
        found.append((loop(args.warm_up + args.steps) - warm) / args.steps)
    return max(min(found), 1e-9)


def wall(work: Callable[[], object]) -> float:
    """Return the wall time of `work`."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ours(
    network: Mapping[str, Any],
    data: Mapping[str, Any],
    args: argparse.Namespace,
    seeds: int,
    *,
    steps: int | None = None,
    epochs: int | None = None,
) -> float:
    """Train `seeds` seeds in one pack; return the seconds in training, without evaluation."""
    training = complete_training(
        {
            "recipe": "quick",
            "batch_size": args.batch_size,
            "iterations" if steps else "epochs": steps or epochs,
            "evaluate_every": 1 if epochs else 10**6,
            "precision": args.precision,
            "augment": {"crop": 4, "flip": True},
        },
        data,
    )
    task = Task(data, network, training, tuple(range(seeds)))
    trainer = Trainer(task, device=args.device, threads=args.threads)
    while not trainer.finished:
        trainer.run_epoch()
    seconds: float = sum(member.training_seconds for member in trainer.members)
    return seconds


def peers(
    network: Mapping[str, Any], data: Mapping[str, Any], info: DataInfo, args: argparse.Namespace
) -> dict[str, Loop]:
    """Return the loops that people write, by name."""

    def build() -> nn.Module:
        return build_network(dict(network), info.input_shape, info.num_classes)

    def loop(model: nn.Module) -> Loop:
        return lambda steps: plain_steps(model, data, args, steps)

    found: dict[str, Loop] = {}
    for name in args.peers.split(","):
        if name == "plain":
            found[name] = loop(build())
        elif name == "compile":
            found[name] = loop(torch.compile(build()))  # type: ignore[arg-type]
        elif name == "torchvision":
            found[name] = loop(torchvision_network(network, info))
    return found


def plain_steps(model: nn.Module, data: Mapping[str, Any], args: argparse.Namespace, steps: int) -> float:
    """Take `steps` steps the way tutorials do; return their seconds."""
    model.to(args.device).train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
    batches = endless(loader(data, args, train=True))
    next(batches)  # starts the DataLoader's workers
    started = time.perf_counter()
    for _ in range(steps):
        plain_step(model, optimiser, *next(batches), args.device)
    return time.perf_counter() - started


def plain_step(
    model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor, device: str
) -> float:
    """Take one step and read its loss, as tutorials do to print it."""
    images, labels = images.to(device), labels.to(device)
    optimiser.zero_grad()
    loss = functional.cross_entropy(model(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.item()


def plain_trial(network: Mapping[str, Any], data: Mapping[str, Any], info: DataInfo, args: argparse.Namespace) -> float:
    """Train a whole trial the way tutorials do; return its test error in per cent."""
    model = build_network(dict(network), info.input_shape, info.num_classes).to(args.device)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    train, test = loader(data, args, train=True), loader(data, args, train=False)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, args.whole_epochs * len(train), pct_start=0.2)
    error = 100.0
    for _ in range(args.whole_epochs):
        model.train()
        for images, labels in train:
            plain_step(model, optimiser, images, labels, args.device)
            schedule.step()
        model.eval()
        with torch.no_grad():
            wrong = sum(int((model(images.to(args.device)).argmax(1).cpu() != labels).sum()) for images, labels in test)
        error = 100 * wrong / info.test_size
    return error


def loader(data: Mapping[str, Any], args: argparse.Namespace, train: bool) -> DataLoader[Any]:
    """Return a DataLoader that augments image by image, as tutorials do; the images are already decoded."""
    whole = load(data, torch.device("cpu"))
    assert isinstance(whole, DataSet)
    statistics = whole.statistics
    normalise = v2.Normalize(statistics.mean.flatten().tolist(), statistics.deviation.flatten().tolist())
    size = list(whole.train.pixels.shape[2:])
    augment = [v2.RandomCrop(size, padding=4), v2.RandomHorizontalFlip()] if train else []
    transform = v2.Compose([*augment, v2.ToDtype(torch.float32), normalise])
    images = Transformed(whole.train if train else whole.test, transform)
    workers = args.workers
    return DataLoader(images, args.batch_size, shuffle=train, num_workers=workers, drop_last=train and len(images) > 1)


class Transformed(TensorDataset):
    """Images to which a transform is applied one by one."""

    def __init__(self, images: Images, transform: Callable[[Tensor], Tensor]) -> None:
        super().__init__(images.pixels, images.labels)
        self.transform = transform

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Return one transformed image and its label."""
        pixels, label = self.tensors
        return self.transform(pixels[index]), label[index]


def endless(batches: DataLoader[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield epoch after epoch."""
    while True:
        yield from batches


def torchvision_network(network: Mapping[str, Any], info: DataInfo) -> nn.Module:
    """Return the same depth and width from torchvision's blocks; projections instead of padding where shapes change."""
    block, convolutions = (Bottleneck, 3) if network["block"] == "bottleneck" else (BasicBlock, 2)
    units = (network["depth"] - 2) // (3 * convolutions)
    channels, width = network["width"], network["width"]
    layers: list[nn.Module] = [
        nn.Conv2d(info.input_shape[0], channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    ]
    for stage in range(3):
        planes = width * 2**stage
        for unit in range(units):
            stride, out = 2 if stage and not unit else 1, planes * block.expansion
            change = stride > 1 or channels != out
            projection = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            layers.append(block(channels, planes, stride, projection if change else None))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, info.num_classes))


def roofline(device: torch.device) -> dict[str, float]:
    """Return what the device reaches: TFLOP/s of a large matmul (bf16 on a GPU, fp32 on a CPU), GB/s of a copy."""
    on_gpu = device.type == "cuda"
    size = 8192 if on_gpu else 1024
    left = torch.randn(size, size, device=device, dtype=torch.bfloat16 if on_gpu else torch.float32)
    source = torch.empty((1 << 30) if on_gpu else (1 << 26), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    matmul, copy = fastest(lambda: left @ left, device), fastest(lambda: target.copy_(source), device)
    return {"matmul_tflops": 2 * size**3 / matmul / 1e12, "copy_gbs": 2 * len(source) / copy / 1e9}


def fastest(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of the fastest of several calls."""
    found = []
    for _ in range(8):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(time.perf_counter() - started)
    return min(found)


def report(name: str, found: Mapping[str, Any]) -> None:
    """Print one network's figures."""
    print(f"\n{name} ({found['params']:,} parameters, {found['flops'] / 1e6:.1f} M multiply-adds)")
    ratios = found.get("ratio_to_plain", {})
    for loop, rate in found["images_per_second"].items():
        ratio = f"{ratios[loop]:5.2f}x plain" if loop in ratios else ""
        hours = found["trials_per_hour"][loop]
        print(f"  {loop:20} {rate:10.0f} images/s  {ratio}  {hours:7.2f} trials of 200 CIFAR epochs an hour")
    print(f"  roofline share {100 * found['roofline_share']:.1f} %")
    for loop, seconds in found.get("whole_trial_seconds", {}).items():
        print(f"  whole trial, {loop}: {seconds:.1f} s")


def machine(device: str) -> dict[str, Any]:
    """Return the hardware and the versions that the figures belong to."""
    on_gpu = torch.device(device).type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_gpu else cpu_name(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if on_gpu else None,
        "system": platform.platform(),
    }


def cpu_name() -> str:
    """Return the processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
