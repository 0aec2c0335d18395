"""Seeds as processes of their own, on a CPU, on a GPU, and on a GPU under NVIDIA's multi-process service."""

import os
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from loops import Ours, wall
from torch import multiprocessing

from trainers.mps import Daemon, NoService


class Processes:
    """Trains each seed in a process with one thread; a call lets all take their steps at once, and waits for the last.

    `environment` is added to that of the processes.
    """

    def __init__(
        self,
        network: Mapping[str, Any],
        data: Mapping[str, Any],
        args: Namespace,
        environment: Mapping[str, str],
        **training: Any,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        alone = Namespace(**{**vars(args), "threads": 1})
        self.loss = 0.0
        self.connections, self.processes = [], []
        for seed in range(args.seeds):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(there, network, data, alone, seed, training), daemon=True)
            with patch.dict(os.environ, environment):
                process.start()
            there.close()
            self.connections.append(here)
            self.processes.append(process)
        self.images = sum(self._answers())

    def __call__(self) -> float:
        """Take the steps in all processes."""
        return wall(self._step)

    def close(self) -> None:
        """End the processes."""
        for connection in self.connections:
            connection.close()
        for process in self.processes:
            process.join(30)
            process.terminate()

    def _step(self) -> None:
        for connection in self.connections:
            connection.send("go")
        self.loss = self._answers()[0]

    def _answers(self) -> list[Any]:
        try:
            return [connection.recv() for connection in self.connections]
        except EOFError:
            raise RuntimeError("a process of the benchmark died; its error stands above") from None


def serve(
    connection: Any, network: Mapping[str, Any], data: Mapping[str, Any], args: Namespace, seed: int, training: Any
) -> None:
    """Train one seed, some steps at each message, until the connection closes."""
    torch.set_num_threads(1)
    loop = Ours(network, data, args, (seed,), **training)
    connection.send(loop.images)
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        loop()
        connection.send(loop.loss)


@contextmanager
def multi_process_service() -> Iterator[dict[str, str]]:
    """Run a multi-process service of our own for all GPUs; yield the environment in which processes find it."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(Path(folder))
        daemon.start()
        try:
            yield daemon.environment
        finally:
            with suppress(NoService):
                daemon.quit()
