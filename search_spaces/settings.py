"""Settings read off a signature: the keyword arguments of a class or function are its schema."""

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from search_spaces.errors import Key, SettingError, unknown


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may take; `low` and `high` themselves are allowed unless `open_high`."""

    low: float | None = None
    high: float | None = None
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        if self.low is not None and value < self.low:
            return False
        return self.high is None or value < self.high or (value == self.high and not self.open_high)

    def __str__(self) -> str:
        below = "below" if self.open_high else "to"
        if self.low is None:
            return f"{below} {self.high:g}"
        return f"at least {self.low:g}" if self.high is None else f"from {self.low:g} {below} {self.high:g}"


Positive = Annotated[int, Range(low=1)]
Share = Annotated[float, Range(low=0, high=1)]
Rate = Annotated[float, Range(low=0, high=1, open_high=True)]


def read_settings(
    target: Callable[..., object], mapping: Mapping[str, Any], kind: str, given: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return every setting of `target` with the values of `mapping` checked and the defaults filled in.

    The settings are the arguments of `target` that can be passed by name, without those in `given`. `kind` names the
    target in messages (``resnet_cifar setting``). Raises SettingError for unknown keys (naming the nearest), wrong
    types, values out of range and missing required settings; its key is the setting's name.
    """
    schema = _schema(target, given)
    for key in mapping:
        if key not in schema:
            raise unknown(kind, key, schema, (str(key),))
    settings = {}
    for name, (annotation, default) in schema.items():
        if name in mapping:
            settings[name] = check(mapping[name], annotation, name, (name,))
        elif default is inspect.Parameter.empty:
            raise SettingError(f"{kind} {name} is missing", (name,))
        else:
            settings[name] = default
    return settings


def check(value: Any, annotation: Any, name: str, key: Key) -> Any:
    """Return `value` as its annotation has it (an integer becomes a float where one is due), or raise SettingError."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        checked = check(value, arguments[0], name, key)
        for limit in arguments[1:]:
            if isinstance(limit, Range) and checked is not None and checked not in limit:
                raise SettingError(f"{name} must be {limit}, not {value!r}", key)
        return checked
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return check(value, next(each for each in arguments if each is not NoneType), name, key)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            raise unknown(name, value, arguments, key)
        return value
    if origin is tuple:
        return _listed(value, arguments, name, key)
    return _plain(value, annotation, name, key)


def _listed(value: Any, annotations: tuple[Any, ...], name: str, key: Key) -> list[Any]:
    """Return a list with one value for each annotation."""
    if not isinstance(value, list | tuple) or len(value) != len(annotations):
        raise SettingError(f"{name} must be a list of {len(annotations)} values, not {value!r}", key)
    return [check(each, annotations[at], f"{name}[{at}]", (*key, at)) for at, each in enumerate(value)]


def _plain(value: Any, annotation: Any, name: str, key: Key) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is bool and not isinstance(value, bool):
        raise SettingError(f"{name} must be true or false, not {value!r}", key)
    if annotation is int and not (number and isinstance(value, int)):
        raise SettingError(f"{name} must be a whole number, not {value!r}", key)
    if annotation is float:
        if not number or not abs(value) <= sys.float_info.max:
            raise SettingError(f"{name} must be a number, not {value!r}", key)
        return float(value)
    if annotation is str and not isinstance(value, str):
        raise SettingError(f"{name} must be a word, not {value!r}", key)
    return value


def _schema(target: Callable[..., object], given: frozenset[str]) -> dict[str, tuple[Any, Any]]:
    hints_of = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(hints_of, include_extras=True)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: (hints.get(name, Any), parameter.default)
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.kind in named and name not in given
    }
