"""The settings under ``data:``, checked and completed against the signature of the data set's loader.

No data set is opened here.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Any, TypeGuard, get_type_hints

from search_spaces.annotations import Range
from search_spaces.arm import canonical_json
from search_spaces.errors import SettingError, unknown
from search_spaces.fact_cache import cached_fact
from search_spaces.settings import check, read_settings
from search_spaces.user_code import calling, check_signature, load_function
from trainers.settings import mappings

DEFAULT_ROOT = "data"
COSMETIC = frozenset({"root", "download", "workers", "prefetch", "check", "train", "test"})
"""Settings of these names change no result, of whatever data set: what its images are is in the fingerprint."""

Validation = Annotated[float, Range(low=0, high=0.5)]
"""The share of the training images that is held out, drawn by class and the same for every trial."""

SPLIT_BY_SEED = "split_by_seed"
"""The setting of every data set in memory that lets each seed draw its own test images; not there where it is false."""

WITHOUT_FILES = frozenset({"digits", "synthetic"})
"""The data sets that are the same wherever the program and its packages are the same."""

_OF_EVERY_SET = ("validation", SPLIT_BY_SEED)
_SETS = "trainers.data.sets"


@cache
def data_sets() -> tuple[str, ...]:
    """Return the names of the data sets, one a file in ``trainers/data/sets``."""
    folder = Path(__file__).parents[1] / "data" / "sets"  # found without importing torch
    return tuple(sorted(each.name for each in iter_modules([str(folder)])))


def loader(name: object) -> Callable[..., Any]:
    """Return the function that loads a data set, whose keyword arguments are its settings; SettingError for others.

    ``package.module:loader`` names a function of the user's own.
    """
    if is_own(name):
        own = load_function(name, "loader", ("name",))
        check_signature(name, own, (), ("name",))
        if reserved := {"name", *_OF_EVERY_SET} & set(settings_of(own)):
            raise SettingError(f"{name} cannot have a setting {min(reserved)}: every data set has one", ("name",))
        return own
    if name not in data_sets():
        raise unknown("data set", name, [*data_sets(), "package.module:loader"], ("name",))
    load: Callable[..., Any] = import_module(f"{_SETS}.{name}").load
    return load


def is_own(name: object) -> TypeGuard[str]:
    """Whether a data set's name is that of a function of the user's own, ``package.module:loader``."""
    return isinstance(name, str) and ":" in name


def complete_data(data: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the data setting, a name or a mapping with ``name``, with every default filled in.

    Raises SettingError for an unknown data set, an unknown key or a wrong value. Whether the files are there is
    `inspect_data`'s question.
    """
    given = {"name": data} if isinstance(data, str) else mappings.mapping(data, ())
    if given.get("name") is None:
        key = ("name",) if "name" in given else ()
        raise SettingError(f"data needs a name: {', '.join(data_sets())}", key)
    name = given["name"]
    load, kind = loader(name), f"setting of {name}"
    mappings.known_keys(given, ("name", *settings_of(load), *_OF_EVERY_SET), kind)
    own = own_settings(given)
    with calling(str(name), ("name",)):  # its annotations are code too
        completed = read_settings(load, own, kind)
    share = check(given.get("validation", 0.0), Validation, "validation", ("validation",))
    try:
        completed = json.loads(canonical_json(completed))  # lists for tuples, as a study file has them
    except (TypeError, ValueError) as error:
        raise SettingError(f"a setting of {name} cannot be written as JSON: {error}") from None
    by_seed = {SPLIT_BY_SEED: True} if _splits_by_seed(given) else {}
    return {"name": name, **completed, "validation": share, **by_seed}


def own_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a data set's loader takes, without those that every data set has."""
    return {key: value for key, value in settings.items() if key not in ("name", *_OF_EVERY_SET)}


def _splits_by_seed(given: Mapping[str, Any]) -> bool:
    asked = check(given.get(SPLIT_BY_SEED, False), bool, SPLIT_BY_SEED, (SPLIT_BY_SEED,))
    if asked and reads_photographs(given["name"]):
        raise SettingError(
            f"the photographs of {given['name']} stay split into the folders that they are in: their test images "
            "cannot be drawn by seed",
            (SPLIT_BY_SEED,),
        )
    return bool(asked)


def settings_of(load: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a loader's settings."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(name for name, each in inspect.signature(load).parameters.items() if each.kind in named)


def known_images(name: object) -> tuple[tuple[int, int, int], int] | None:
    """Return the shape of a data set's images and its classes where they are known without its files."""
    if name not in data_sets():
        return None
    images: tuple[tuple[int, int, int], int] | None = getattr(import_module(f"{_SETS}.{name}"), "IMAGES", None)
    return images


def reads_photographs(name: object) -> bool:
    """Whether the images of a data set are photographs of any size, read from disk and cut when they are needed."""
    return not is_own(name) and _is_read_when_needed(name)


@cache
def _is_read_when_needed(name: object) -> bool:
    def declared() -> bool:
        return getattr(get_type_hints(loader(name)).get("return"), "is_read_when_needed", False) is True

    return bool(cached_fact("photographs", name, declared))
