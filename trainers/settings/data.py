"""The settings under ``data:``, checked and completed; no data set is opened here."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.errors import Key, SettingError
from trainers.settings import checks

Completer = Callable[[object, Key], Any]


DEFAULT_ROOT = "data"


def complete_data(data: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the data setting, a name or a mapping with ``name``, with every default filled in.

    Raises SettingError for an unknown data set, an unknown key or a wrong value. Whether the files are there is
    `inspect_data`'s question.
    """
    given = {"name": data} if isinstance(data, str) else checks.mapping(data, ())
    if "name" not in given:
        raise SettingError(f"data needs a name: {', '.join(sorted(DATA_SETTINGS))}", ())
    name = checks.word(given["name"], DATA_SETTINGS, ("name",))
    parts = {**DATA_SETTINGS[name], "validation": (0.0, _fraction)}
    checks.known_keys(given, ("name", *parts), f"setting of {name}")
    return {"name": name} | {key: check(given.get(key, default), (key,)) for key, (default, check) in parts.items()}


def _fraction(value: object, key: Key) -> float:
    """Return the share of the training images that is held out, drawn by class and the same for every trial."""
    return checks.number(value, key, 0, 0.5)


def _folder(value: object, key: Key) -> str:
    if not isinstance(value, str) or not value:
        raise SettingError(f"root must be a folder, for instance ~/data, not {value!r}", key)
    return value


def _count(low: int, high: int | None = None) -> Completer:
    return lambda value, key: checks.integer(value, key, low, high)


def _shape(value: object, key: Key) -> list[int]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise SettingError(f"shape must be [channels, height, width], not {value!r}", key)
    shape = [checks.integer(size, (*key, at), 1, 512) for at, size in enumerate(value)]
    if math.prod(shape) > 512 * 512 * 3:
        raise SettingError(f"shape {shape} is too large for images that are held in memory", key)
    return shape


_FILES: Mapping[str, tuple[Any, Completer]] = {"root": (DEFAULT_ROOT, _folder), "download": (False, checks.boolean)}

# The settings of each data set: name -> (default, check).
DATA_SETTINGS: Mapping[str, Mapping[str, tuple[Any, Completer]]] = {
    "digits": {},
    "fashion_mnist": _FILES,
    "cifar10": _FILES,
    "cifar100": _FILES,
    "image_folder": {
        "root": (DEFAULT_ROOT, _folder),
        "size": (224, _count(8, 1024)),
        "workers": (4, _count(0, 256)),
        "prefetch": (4, _count(1, 64)),
    },
    "synthetic": {
        "shape": ([3, 32, 32], _shape),
        "classes": (10, _count(2, 10_000)),
        "train_size": (2048, _count(2)),
        "test_size": (512, _count(1)),
        "seed": (0, _count(0)),
    },
}
