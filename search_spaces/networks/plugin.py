"""Families of the user's own: ``package.module:builder`` in a study file names a function that builds a network.

The builder takes `input_shape` (C, H, W) and `num_classes` by name and returns an nn.Module; its other arguments, each
with a default, are the family's settings:

    def build(*, input_shape, num_classes, depth: int = 4, width: int = 16) -> nn.Module: ...

Their annotations are checked as those of the built-in families are. `search_spaces.testing.FamilyContract` holds the
tests that every builder should pass.

The settings of such a network carry a digest of its module's code under ``code``: a network that computes something
else is another arm, whose trials are trained anew. Comments and layout do not count.
"""

import ast
import hashlib
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from torch import nn

from search_spaces.arm import canonical_json
from search_spaces.errors import SettingError, unknown
from search_spaces.layers import keep_clear
from search_spaces.settings import read_settings

_GIVEN = frozenset({"input_shape", "num_classes"})
_CODE = "code"


def load_builder(name: str) -> Callable[..., nn.Module]:
    """Import the builder that ``package.module:builder`` names; SettingError (key ``family``) says what is missing."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise SettingError(f'a family of your own is named "package.module:builder", not "{name}"', ("family",))
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            message = f"there is no module {module_name}: put it beside the study file, or install it"
        else:
            message = f"{module_name} needs a module that is not installed: {error.name}"
        raise SettingError(message, ("family",)) from error
    except Exception as error:
        raise SettingError(f"{module_name} cannot be imported: {type(error).__name__}: {error}", ("family",)) from error
    builder: Callable[..., nn.Module] | None = getattr(module, attribute, None)
    if not callable(builder):
        public = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        raise unknown(f"builder in {module_name}", attribute, public, ("family",))
    _check_signature(name, builder)
    return builder


def complete(name: str, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting of the builder, checked against its signature, and the digest of its code.

    SettingError where `mapping` has the digest of other code: it was completed with another version of the module.
    """
    builder, digest = load_builder(name), _digest(name)
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
    try:
        network = load_builder(name)(input_shape=input_shape, num_classes=num_classes, **own)
    except SettingError:
        raise
    except ValueError as error:
        raise SettingError(f"{name} refuses these settings: {error}", ("family",)) from error
    except Exception as error:
        raise SettingError(f"{name} raised {type(error).__name__}: {error}", ("family",)) from error
    if not isinstance(network, nn.Module):
        raise SettingError(f"{name} must return an nn.Module, not {type(network).__name__}", ("family",))
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise SettingError(f"{name} returns a network without a parameter to train", ("family",))
    return keep_clear(network)


def _digest(name: str) -> str:
    """Return 16 hexadecimal digits that identify the code of the builder's module; no source has none to compare."""
    try:
        source = inspect.getsource(import_module(name.partition(":")[0]))
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(ast.dump(ast.parse(source)).encode()).hexdigest()[:16]


def _check_signature(name: str, builder: Callable[..., Any]) -> None:
    try:
        parameters = inspect.signature(builder).parameters
    except ValueError:
        raise SettingError(f"{name} has no signature that tells its settings", ("family",)) from None
    if _CODE in parameters:
        raise SettingError(f"{name} cannot have a setting {_CODE}: that is the digest of its code", ("family",))
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    missing = [each for each in sorted(_GIVEN) if each not in parameters]
    if missing and not takes_any:
        raise SettingError(f"{name} must take {' and '.join(missing)} as arguments", ("family",))


def words(name: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the first line of the builder's documentation, and its settings."""
    documentation = inspect.getdoc(load_builder(name)) or "A family of the user's own."
    values = ", ".join(f"{key} {value}" for key, value in settings.items() if key != _CODE)
    return [documentation.splitlines()[0], *([f"Settings: {values}."] if values else [])]
