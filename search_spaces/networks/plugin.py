"""Families of the user's own: ``package.module:builder`` in a study file names a function that builds a network.

The builder takes `input_shape` (C, H, W) and `num_classes` by name and returns an nn.Module; its other arguments, each
with a default, are the family's settings:

    def build(*, input_shape, num_classes, depth: int = 4, width: int = 16) -> nn.Module: ...

Their annotations are checked as those of the built-in families are. `search_spaces.testing.FamilyContract` holds the
tests that every builder should pass.

The settings of such a network carry a digest of its module's code under ``code``: a network that computes something
else is another arm, whose trials are trained anew. Comments and layout do not count.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from search_spaces.arm import canonical_json
from search_spaces.errors import SettingError
from search_spaces.layers import keep_clear
from search_spaces.settings import read_settings
from search_spaces.user_code import calling, check_signature, code_digest, load_function

_GIVEN = frozenset({"input_shape", "num_classes"})
_CODE = "code"


def load_builder(name: str) -> Callable[..., nn.Module]:
    """Import the builder that ``package.module:builder`` names; SettingError (key ``family``) says what is missing."""
    with torch.device("cpu"):  # also where networks are built on the meta device: a module's own tensors have values
        builder: Callable[..., nn.Module] = load_function(name, "builder", ("family",))
    check_signature(name, builder, _GIVEN, ("family",))
    if _CODE in inspect.signature(builder).parameters:
        raise SettingError(f"{name} cannot have a setting {_CODE}: that is the digest of its code", ("family",))
    return builder


def complete(name: str, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting of the builder, checked against its signature, and the digest of its code.

    SettingError where `mapping` has the digest of other code: it was completed with another version of the module.
    """
    builder, digest = load_builder(name), code_digest(name)
    if mapping.get(_CODE, digest) != digest:
        raise SettingError(f"{name} has changed: it is not the code that {_CODE} {mapping[_CODE]} stands for", (_CODE,))
    given = {key: value for key, value in mapping.items() if key != _CODE}
    settings = read_settings(builder, given, f"setting of {name}", _GIVEN)
    try:
        canonical_json(settings)
    except (TypeError, ValueError) as error:
        raise SettingError(f"a setting of {name} cannot be written as JSON: {error}") from None
    return {**settings, _CODE: digest}


def build(name: str, settings: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Build the user's network; whatever goes wrong in the builder becomes a SettingError."""
    own = {key: value for key, value in settings.items() if key != _CODE}
    builder = load_builder(name)
    with calling(name, ("family",)):
        network = builder(input_shape=input_shape, num_classes=num_classes, **own)
    if not isinstance(network, nn.Module):
        raise SettingError(f"{name} must return an nn.Module, not {type(network).__name__}", ("family",))
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise SettingError(f"{name} returns a network without a parameter to train", ("family",))
    return keep_clear(network)


def words(name: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the first line of the builder's documentation, and its settings."""
    documentation = inspect.getdoc(load_builder(name)) or "A family of the user's own."
    values = ", ".join(f"{key} {value}" for key, value in settings.items() if key != _CODE)
    return [documentation.splitlines()[0], *([f"Settings: {values}."] if values else [])]
