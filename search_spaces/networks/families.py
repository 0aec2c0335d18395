"""The families by name, one a file of this folder; a `network:` mapping is completed, then built."""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from numbers import Integral
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from torch import nn

from search_spaces.errors import SettingError, unknown
from search_spaces.networks import plugin
from search_spaces.networks.family import Family, Shape


def _families() -> dict[str, Family]:
    """Return the ``FAMILY`` of every module beside this one that has it, named as its file."""
    names = sorted(each.name for each in iter_modules([str(Path(__file__).parent)]))
    modules = {name: import_module(f"{__package__}.{name}") for name in names if name != __name__.rpartition(".")[2]}
    return {name: module.FAMILY for name, module in modules.items() if hasattr(module, "FAMILY")}


DEFAULT_FAMILY = "resnet_cifar"
FAMILIES: dict[str, Family] = _families()


def complete_network(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `network:` mapping of a study file in its canonical form, every default filled in.

    Completing twice changes nothing. Raises SettingError with the path of the wrong setting.
    """
    if not isinstance(mapping, Mapping):
        raise SettingError(f"network is a mapping with a family, not {mapping!r}")
    rest = {str(key): value for key, value in mapping.items() if key != "family"}
    given = mapping.get("family")
    name = DEFAULT_FAMILY if given is None else given
    return {"family": name, **family_of(name).complete(rest)}


def build_network(settings: Mapping[str, Any], input_shape: Shape = (3, 32, 32), num_classes: int = 10) -> nn.Module:
    """Build the network of a `network:` mapping (completed or not) for images (C, H, W).

    Convolutions start He-normal with fan-out, from torch's global generator. Raises SettingError as `complete_network`.
    """
    sizes = (*input_shape, num_classes) if isinstance(input_shape, Sequence) else ()
    if len(sizes) != 4 or not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(
            f"cannot build for images of shape {input_shape!r} in {num_classes!r} classes: give channels, height and "
            "width as (3, 32, 32), and a number of classes"
        )
    completed = complete_network(settings)
    rest = {key: value for key, value in completed.items() if key != "family"}
    return family_of(completed["family"]).build(rest, input_shape, num_classes)


def family_of(name: object) -> Family:
    """Return the family of that name, or the user's own; SettingError (key ``family``) if there is none."""
    if isinstance(name, str) and name in FAMILIES:
        return FAMILIES[name]
    if isinstance(name, str) and ":" in name:
        return Family(partial(plugin.complete, name), partial(plugin.build, name), partial(plugin.words, name))
    known = [*FAMILIES, "package.module:builder"]
    raise unknown("family", name, known, ("family",))
