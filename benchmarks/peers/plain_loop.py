"""The plain PyTorch loop that tutorials teach: a DataLoader that augments image by image, and a loss that is read."""

import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2

from trainers.data import load
from trainers.data.images import DataSet, Images

PREFETCH = 2  # batches each worker of a DataLoader prepares ahead, torch's default


class PlainLoop:
    """Trains `model` in fp32, in torch's memory order; a call takes `args.steps` steps."""

    def __init__(self, model: nn.Module, data: Mapping[str, Any], args: Namespace, workers: int) -> None:
        self.model = model.to(args.device).train()
        self.device = args.device
        self.optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
        source = loader(data, args, workers, train=True)
        self.batches = endless(source)
        self.steps = args.steps
        self.images = args.steps * int(source.batch_size or 0)
        self.ahead = max(workers * PREFETCH, 1)
        self.loss = 0.0

    def __call__(self) -> float:
        """Take the steps, after as many as the DataLoader's workers had time to prepare since the last call."""
        for _ in range(self.ahead):
            self.step()
        started = time.perf_counter()
        for _ in range(self.steps):
            self.step()
        return time.perf_counter() - started

    def step(self) -> None:
        """Take one step."""
        self.loss = plain_step(self.model, self.optimiser, *next(self.batches), self.device)


def plain_step(
    model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor, device: str
) -> float:
    """Take one step and read its loss, as tutorials do to print it."""
    images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
    optimiser.zero_grad()
    loss = functional.cross_entropy(model(images), labels)
    loss.backward()
    optimiser.step()
    return loss.item()


def plain_trial(model: nn.Module, data: Mapping[str, Any], args: Namespace, workers: int) -> float:
    """Train a whole trial, measuring the test error after every epoch; return the last one in per cent."""
    model.to(args.device)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    train, test = loader(data, args, workers, train=True), loader(data, args, workers, train=False)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, args.whole_epochs * len(train), pct_start=0.2)
    error = 100.0
    for _ in range(args.whole_epochs):
        model.train()
        for images, labels in train:
            plain_step(model, optimiser, images, labels, args.device)
            schedule.step()
        model.eval()
        wrong = seen = 0
        with torch.no_grad():
            for images, labels in test:
                wrong += int((model(images.to(args.device)).argmax(1).cpu() != labels).sum())
                seen += len(labels)
        error = 100 * wrong / seen
    return error


def loader(data: Mapping[str, Any], args: Namespace, workers: int, train: bool) -> DataLoader[Any]:
    """Return a DataLoader over images that are in memory, decoded; with a GPU they come from pinned memory.

    Test images come a thousand at a time, as in our evaluation. Every training batch is whole.
    """
    whole = load(data, torch.device("cpu"))
    assert isinstance(whole, DataSet)
    statistics = whole.statistics
    normalise = v2.Normalize(statistics.mean.flatten().tolist(), statistics.deviation.flatten().tolist())
    size = list(whole.train.pixels.shape[2:])
    augment = [v2.RandomCrop(size, padding=4), v2.RandomHorizontalFlip()] if train else []
    images = Transformed(
        whole.train if train else whole.test, v2.Compose([*augment, v2.ToDtype(torch.float32), normalise])
    )
    return DataLoader(
        images,
        min(args.batch_size, len(images)) if train else 1000,
        shuffle=train,
        num_workers=workers,
        drop_last=train,
        pin_memory=torch.device(args.device).type == "cuda",
        persistent_workers=workers > 0,
    )


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
