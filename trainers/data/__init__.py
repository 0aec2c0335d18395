"""The data sets: settings in, tensors on a device out."""

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch

from search_spaces.user_code import code_digest
from trainers.data.files import root_folder, unreadable
from trainers.data.folder import Folder
from trainers.data.images import DataSet, assemble, check_sizes
from trainers.data.own import load_own, own_fingerprint
from trainers.errors import DataError
from trainers.records import DataInfo
from trainers.settings.data import SPLIT_BY_SEED, complete_data, is_own, loader, own_settings, reads_photographs


def inspect_data(data: str | Mapping[str, Any]) -> DataInfo:
    """Return the facts of a data set; SettingError when its folder or files are missing or broken."""
    return load(data, torch.device("cpu")).info


def load(data: str | Mapping[str, Any], device: torch.device, seeds: Sequence[int] = ()) -> DataSet | Folder:
    """Return the data set, read once a process and kept on `device` for the trials that follow.

    Photographs stay in their folder. Where test images are drawn by seed, `seeds` is the one that trains; without it
    they are those of the data set. Raises SettingError for a data set that is missing or broken.
    """
    settings = complete_data(data)
    by_seed = settings.get(SPLIT_BY_SEED, False)
    if by_seed and len(seeds) > 1:
        raise ValueError(f"{len(seeds)} seeds cannot train side by side where each has test images of its own")
    try:
        if reads_photographs(settings["name"]):
            return read(settings)
        code = code_digest(settings["name"]) if is_own(settings["name"]) else ""
        return _in_memory(json.dumps(settings, sort_keys=True), code, device, seeds[0] if by_seed and seeds else None)
    except OSError as error:
        raise unreadable(error, settings.get("root", settings["name"])) from None


def read(settings: Mapping[str, Any], seed: int | None = None) -> DataSet | Folder:
    """Return the data set of completed `settings`, read anew; SettingError and OSError for one that cannot be.

    With `seed` its test images are drawn by that.
    """
    name = settings["name"]
    own = own_settings(settings)
    if is_own(name):
        contents = assemble(load_own(name, loader(name), own), settings, seed)
        return replace(contents, fingerprint=own_fingerprint(contents.fingerprint, name))
    contents = loader(name)(**own)
    if isinstance(contents, Folder):
        check_sizes(settings, len(contents.train), len(contents.test))
        return contents.hold_out(settings["validation"])
    return assemble(contents, settings, seed)


def check_fingerprint(planned: str, data: DataSet | Folder, settings: Mapping[str, Any]) -> None:
    """Raise DataError unless `data`, loaded here from `settings`, is the data that was `planned` with."""
    if data.fingerprint != planned:
        place = f"{settings['name']} in {root_folder(settings['root'])}" if "root" in settings else settings["name"]
        raise DataError(
            f"{place} on host {socket.gethostname()} is not the data that was planned with: its contents differ (here "
            f"{data.fingerprint[:12]}, planned {planned[:12]}); copy the same data to every host, or run again where "
            f"it was changed on purpose{_random(settings['name'])}",
            ("root",) if "root" in settings else ("name",),
        )


def _random(name: str) -> str:
    return "; a loader that draws random numbers must seed them" if is_own(name) else ""


@lru_cache(maxsize=4)
def _in_memory(data: str, code: str, device: torch.device, seed: int | None) -> DataSet:
    settings = json.loads(data)
    if device.type != "cpu":
        return _in_memory(data, code, torch.device("cpu"), seed).to(device)
    contents = read(settings, seed)
    assert isinstance(contents, DataSet)
    return contents
