"""The families by name, and the two steps from a `network:` mapping to a module: complete it, build it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from search_spaces.drawing import UnitDrawing
from search_spaces.errors import SettingError, unknown
from search_spaces.networks import densenet, highway, plugin, residual, resnet_cifar, resnet_imagenet, vgg

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Family:
    """How a family completes its settings, builds a network from completed ones, and describes them.

    `words` puts them in sentences, `draw_unit` draws what the network repeats (None where it is not known), and `units`
    says how often each of its stages does.
    """

    complete: Callable[[Mapping[str, Any]], dict[str, Any]]
    build: Callable[[Mapping[str, Any], Shape, int], nn.Module]
    words: Callable[[Mapping[str, Any]], list[str]]
    draw_unit: Callable[[Mapping[str, Any]], UnitDrawing | None] = lambda settings: None
    units: Callable[[Mapping[str, Any]], tuple[int, ...]] = lambda settings: ()


FAMILIES: dict[str, Family] = {
    "resnet_cifar": Family(
        resnet_cifar.complete, resnet_cifar.build, residual.words, residual.draw_unit, resnet_cifar.units
    ),
    "resnet_imagenet": Family(
        resnet_imagenet.complete, resnet_imagenet.build, residual.words, residual.draw_unit, resnet_imagenet.units
    ),
    "vgg": Family(vgg.complete, vgg.build, vgg.words, vgg.draw_unit, vgg.units),
    "highway": Family(highway.complete, highway.build, highway.words, highway.draw_unit, highway.units),
    "densenet": Family(densenet.complete, densenet.build, densenet.words, densenet.draw_unit, densenet.layers_a_block),
}


def complete_network(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `network:` mapping of a study file in its canonical form, every default filled in.

    Completing twice changes nothing. Raises SettingError with the path of the wrong setting.
    """
    if not isinstance(mapping, Mapping):
        raise SettingError(f"network is a mapping with a family, not {mapping!r}")
    rest = {str(key): value for key, value in mapping.items() if key != "family"}
    name = mapping.get("family", "resnet_cifar")
    return {"family": name, **family_of(name).complete(rest)}


def build_network(settings: Mapping[str, Any], input_shape: Shape = (3, 32, 32), num_classes: int = 10) -> nn.Module:
    """Build the network of a `network:` mapping (completed or not) for images (C, H, W).

    Convolutions start He-normal with fan-out, from torch's global generator. Raises SettingError as `complete_network`.
    """
    if len(input_shape) != 3 or min(input_shape) < 1 or num_classes < 1:
        raise ValueError(f"cannot build for images of shape {input_shape} in {num_classes} classes")
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
