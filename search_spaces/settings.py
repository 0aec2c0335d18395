"""Settings read off a signature: the keyword arguments of a class or function are its schema."""

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from search_spaces.errors import Key, SettingError, shown, unknown


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
            return f"{below} {_figure(self.high)}"
        low = _figure(self.low)
        return f"at least {low}" if self.high is None else f"from {low} {below} {_figure(self.high)}"


def _figure(number: float | None) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


MOST = 100_000
"""No count of layers, channels or arms is larger; what fits a machine is far below."""
_UNTYPED = object
"""The annotation of an argument that has none: it takes whatever it is given."""
Positive = Annotated[int, Range(low=1, high=MOST)]
Depth = Annotated[int, Range(low=1, high=10_000)]
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
        if name in mapping and not _is_absent(mapping[name], annotation):
            settings[name] = check(mapping[name], annotation, name, (name,))
        elif default is inspect.Parameter.empty:
            raise SettingError(f"the {kind} {name} is missing", (name,))
        else:
            settings[name] = default
    return settings


def _is_absent(value: object, annotation: Any) -> bool:
    """Whether a value is null, and stands for no value of its own: as if the setting were not there."""
    if value is not None or annotation is _UNTYPED:
        return False
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation is Any or NoneType not in get_args(annotation)


def plain(value: Any, name: str, key: Key = ()) -> Any:
    """Return `value` with NumPy's numbers as Python's; SettingError for what no study file could hold.

    That is whatever is neither text, a finite number, true, false, nothing, nor a list or a mapping of such values.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Mapping):
        return {str(part): plain(each, f"{name}.{part}", (*key, str(part))) for part, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, name, (*key, at)) for at, each in enumerate(value)]
    if type(value).__name__ in ("bool_", "bool") and hasattr(value, "item"):  # NumPy's
        return bool(value)
    if not isinstance(value, Real):
        raise SettingError(f"{name} must be text, a number, true, false, a list or a mapping, not {shown(value)}", key)
    if not abs(value) <= sys.float_info.max:  # type: ignore[operator]  # NumPy's numbers are real ones
        raise SettingError(f"{name} must be a finite number, not {shown(value)}", key)
    return int(value) if isinstance(value, Integral) else float(value)


def check(value: Any, annotation: Any, name: str, key: Key) -> Any:
    """Return `value` as its annotation has it (an integer becomes a float where one is due), or raise SettingError."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        checked = check(value, arguments[0], name, key)
        for limit in arguments[1:]:
            if isinstance(limit, Range) and checked is not None and checked not in limit:
                raise SettingError(f"{name} must be {limit}, not {shown(value)}", key)
        return checked
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return check(value, next(each for each in arguments if each is not NoneType), name, key)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            raise unknown(name, value, arguments, key)
        return next(each for each in arguments if each == value)  # 16.0 is the 16 that is listed
    if origin is tuple:
        return _listed(value, arguments, name, key)
    return _single(value, annotation, name, key)


def _listed(value: Any, annotations: tuple[Any, ...], name: str, key: Key) -> list[Any]:
    """Return a list with one value for each annotation."""
    if not isinstance(value, list | tuple) or len(value) != len(annotations):
        raise SettingError(f"{name} must be a list of {len(annotations)} values, not {shown(value)}", key)
    return [check(each, annotations[at], f"{name}[{at}]", (*key, at)) for at, each in enumerate(value)]


def _single(value: Any, annotation: Any, name: str, key: Key) -> Any:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if annotation is bool and not isinstance(value, bool):
        raise SettingError(f"{name} must be true or false, not {shown(value)}", key)
    if annotation is int:
        if not number or not abs(value) <= sys.float_info.max or int(value) != value:
            raise SettingError(f"{name} must be a whole number, not {shown(value)}", key)
        return int(value)
    if annotation is float:
        if not number or not abs(value) <= sys.float_info.max:
            raise SettingError(f"{name} must be a number, not {shown(value)}", key)
        return float(value)
    if annotation is str and not isinstance(value, str):
        raise SettingError(f"{name} must be a word, not {shown(value)}", key)
    return value


def _schema(target: Callable[..., object], given: frozenset[str]) -> dict[str, tuple[Any, Any]]:
    hints_of = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(hints_of, include_extras=True)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: (hints.get(name, _UNTYPED), parameter.default)
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.kind in named and name not in given
    }
