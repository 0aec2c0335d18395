"""Settings of small networks that the tests of this folder train."""

from typing import Any

from search_spaces import complete_network
from trainers import Task, complete_data, complete_training


def network(**changes: Any) -> dict[str, Any]:
    return complete_network({"family": "resnet_cifar", "depth": 8, "width": 4, **changes})


def task(*seeds: int, data: Any = "digits", network_settings: dict[str, Any] | None = None, **training: Any) -> Task:
    complete = complete_data(data)
    training = {"epochs": 2, **training}
    return Task(complete, network_settings or network(), complete_training(training, complete), seeds or (0,))


TINY = {"name": "synthetic", "shape": [1, 8, 8], "classes": 4, "train_size": 70, "test_size": 20}
