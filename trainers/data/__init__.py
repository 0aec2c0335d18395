"""The data sets: settings in, tensors on a device out."""

import json
import socket
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch

from trainers.data.cifar import load_cifar10, load_cifar100
from trainers.data.digits import load_digits
from trainers.data.fashion_mnist import load_fashion_mnist
from trainers.data.files import root_folder, unreadable
from trainers.data.image_folder import Folder, load_image_folder
from trainers.data.images import DataSet, Splits, assemble
from trainers.data.synthetic import load_synthetic
from trainers.errors import DataError
from trainers.records import DataInfo
from trainers.settings.data import complete_data

LOADERS: Mapping[str, Callable[[Mapping[str, Any]], Splits]] = {
    "digits": load_digits,
    "fashion_mnist": load_fashion_mnist,
    "cifar10": load_cifar10,
    "cifar100": load_cifar100,
    "synthetic": load_synthetic,
}


def inspect_data(data: str | Mapping[str, Any]) -> DataInfo:
    """Return the facts of a data set; SettingError when its folder or files are missing or broken."""
    return load(data, torch.device("cpu")).info


def load(data: str | Mapping[str, Any], device: torch.device) -> DataSet | Folder:
    """Return the data set, read once a process and kept on `device` for the trials that follow.

    Photographs stay in their folder. Raises SettingError for a data set that is missing or broken.
    """
    settings = complete_data(data)
    try:
        if settings["name"] == "image_folder":
            return load_image_folder(settings)
        return _load(json.dumps(settings, sort_keys=True), device)
    except OSError as error:
        raise unreadable(error, settings.get("root", settings["name"])) from None


def check_fingerprint(planned: str, data: DataSet | Folder, settings: Mapping[str, Any]) -> None:
    """Raise DataError unless `data`, loaded here from `settings`, is the data that was `planned` with."""
    if data.fingerprint != planned:
        place = f"{settings['name']} in {root_folder(settings).absolute()}" if "root" in settings else settings["name"]
        raise DataError(
            f"{place} on host {socket.gethostname()} is not the data that was planned with: its contents differ (here "
            f"{data.fingerprint[:12]}, planned {planned[:12]}); copy the same data to every host, or run again where "
            "it was changed on purpose",
            ("root",) if "root" in settings else ("name",),
        )


@lru_cache(maxsize=4)
def _load(data: str, device: torch.device) -> DataSet:
    settings = json.loads(data)
    if device.type != "cpu":
        return _load(data, torch.device("cpu")).to(device)
    return assemble(LOADERS[settings["name"]](settings), settings)
