"""Settings read off a signature: the keyword arguments of a class or function are its schema.

An annotation says what a setting may be: ``bool``, ``int``, ``float``, ``Number`` (either, kept as it is written),
``str``, ``Literal``, ``list[X]``, ``tuple[X, X]`` (a list of two), ``dict[str, Any]``, a dataclass (a mapping of its
fields), ``Any``, or a union of such forms; ``Annotated`` adds a `Range`, the known `Words`, a `Length`, and, for the
reference, an `About`. Whole numbers may be written as 32 or 32.0; text is never a number; null is as if the setting
were not there.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property, lru_cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from search_spaces.annotations import About, Length, Named, Pattern, Range, Words
from search_spaces.errors import Key, SettingError, shown, unknown

_UNTYPED = object
"""The annotation of an argument that has none: it takes whatever it is given."""
REQUIRED = inspect.Parameter.empty
MOST_ACCEPTED = 1_000
"""So many values of a setting are known again; a search may draw a new one for each arm."""
_SCALARS = (bool, int, float, str)


@dataclass(frozen=True)
class Setting:
    """One setting of a signature; its `default` is `REQUIRED` where it has none."""

    name: str
    annotation: Any
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED

    @cached_property
    def forms(self) -> "tuple[Form, ...]":
        """What it may be."""
        return alternatives(self.annotation)

    @cached_property
    def is_named(self) -> bool:
        """Whether it may be a name, or a mapping of that name and its arguments, which have defaults of their own."""
        return any(form.limit(Named) for form in self.forms)

    def checked(self, value: Any) -> Any:
        """Return a value as the annotation has it, or raise SettingError."""
        # Most settings are the same in all arms of a study. Zero, whose sign would be lost, is looked at each time.
        key = (type(value), value) if type(value) in _SCALARS and value else None
        if key in self._accepted:
            return self._accepted[key]
        accepted = _check(value, self.annotation, self.forms, self.name, (self.name,))
        if key is not None and type(accepted) in _SCALARS and len(self._accepted) < MOST_ACCEPTED:
            self._accepted[key] = accepted
        return accepted

    @cached_property
    def _accepted(self) -> dict[Any, Any]:
        """What became of values that were checked before, by type and value."""
        return {}


def settings_of(target: Callable[..., object], given: frozenset[str] = frozenset()) -> tuple[Setting, ...]:
    """Return the settings of a class or function: its arguments that can go by name, without those in `given`."""
    settings = _signature(target)
    return tuple(each for each in settings if each.name not in given) if given else settings


@lru_cache(maxsize=512)
def _signature(target: Callable[..., object]) -> tuple[Setting, ...]:
    hints_of = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(hints_of, include_extras=True)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(
        Setting(name, hints.get(name, _UNTYPED), _default(target, name, parameter.default))
        for name, parameter in inspect.signature(target).parameters.items()
        if parameter.kind in named
    )


def _default(target: Callable[..., object], name: str, default: Any) -> Any:
    """Return the default of an argument; the one of a dataclass's field may have to be made."""
    if is_dataclass(target) and callable(factory := target.__dataclass_fields__[name].default_factory):
        return factory()
    return default


def read_settings(
    target: Callable[..., object], mapping: Mapping[str, Any], kind: str, given: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return every setting of `target` with the values of `mapping` checked and the defaults filled in.

    The settings are the arguments of `target` that can be passed by name, without those in `given`. `kind` names the
    target in messages (``resnet_cifar setting``). Raises SettingError for unknown keys (naming the nearest), wrong
    types, values out of range and missing required settings; its key is the setting's name.
    """
    known_keys(mapping, target, kind, given)
    settings = {}
    for setting in settings_of(target, given):
        name = setting.name
        if name in mapping and not _is_absent(mapping[name], setting.annotation):
            settings[name] = setting.checked(mapping[name])
        elif setting.is_required:
            example = next((each.example for each in notes(setting.annotation) if each.example), None)
            hint = f", for instance `{example}`" if example else ""
            raise SettingError(f'the {kind} "{name}" is missing{hint}', (name,))
        elif setting.is_named:
            settings[name] = setting.checked(setting.default)
        else:
            settings[name] = setting.default
    return settings


def known_keys(
    mapping: Mapping[str, Any], target: Callable[..., object], kind: str, given: frozenset[str] = frozenset()
) -> None:
    """Raise SettingError for what is no mapping, and for a key that is no setting of `target`, naming the nearest."""
    if not isinstance(mapping, Mapping):
        raise SettingError(f"this must be a mapping of settings, not {shown(mapping)}")
    known = [each.name for each in settings_of(target, given)]
    for key in mapping:
        if key not in known:
            raise unknown(kind, key, known, (str(key),))


def read_named(value: Any, what: str, named: Named, key: Key = ()) -> dict[str, Any]:
    """Return a name, or a mapping with a name and arguments, as a mapping with every argument filled in."""
    targets, tag = named.targets(), named.tag
    mapping = {tag: value} if isinstance(value, str) else value
    if not isinstance(mapping, Mapping) or mapping.get(tag) is None:
        example = f"{{{tag}: {next(iter(targets))}, ...}}"
        raise SettingError(f"{what} is one of {', '.join(targets)}, or a mapping {example}, not {shown(value)}", key)
    name = mapping[tag]
    if not isinstance(name, str) or name not in targets:
        raise unknown(what, name, targets, (*key, tag) if isinstance(value, Mapping) else key)
    rest = {part: each for part, each in mapping.items() if part != tag}
    known = [each.name for each in settings_of(targets[name], named.given)]
    if wrong := [part for part in rest if part not in known]:
        raise unknown(f"{name} setting", wrong[0], [tag, *known], (*key, str(wrong[0])))
    try:
        return {tag: name, **read_settings(targets[name], rest, f"{name} setting", named.given)}
    except SettingError as error:
        raise error.under(*key) from None


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
    if not is_finite(value):
        raise SettingError(f"{name} must be a finite number, not {shown(value)}", key)
    return int(value) if isinstance(value, Integral) else float(value)


def is_finite(number: Real) -> bool:
    """Whether a number is one that a float can hold."""
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def check(value: Any, annotation: Any, name: str, key: Key) -> Any:
    """Return `value` as its annotation has it (an integer becomes a float where one is due), or raise SettingError."""
    return _check(value, annotation, alternatives(annotation), name, key)


def _check(value: Any, annotation: Any, forms: "tuple[Form, ...]", name: str, key: Key) -> Any:
    if (named := forms[0].limit(Named)) is not None and value is not None:
        return read_named(value, name, named, key)
    if value is None and any(each.annotation is NoneType for each in forms):
        return None
    fitting = forms if len(forms) == 1 and forms[0].takes(value) else [each for each in forms if each.takes(value)]
    if not fitting:
        right = " or ".join(in_words(annotation))
        quoted = f'; in quotes it is text: "{value}"' if any(_is_unquoted(value, each) for each in forms) else ""
        raise SettingError(f"{name} must be {right}, not {shown(value)}{quoted or _example(annotation)}", key)
    return next((each for each in fitting if each.origin is type(value)), fitting[0]).checked(value, name, key)


def _is_unquoted(value: Any, form: "Form") -> bool:
    """Whether a value is a number that would fit as text, such as a name of digits."""
    return isinstance(value, int | float) and form.limit(Pattern) is not None and form.takes(str(value))


@dataclass(frozen=True)
class Form:
    """One of the forms that a setting may have, with what bounds it."""

    annotation: Any
    limits: tuple[Any, ...] = ()

    @cached_property
    def origin(self) -> Any:
        """The annotation without its arguments."""
        return get_origin(self.annotation) or self.annotation

    def limit(self, kind: type[Any]) -> Any:
        """Return the limit of that kind; None without one."""
        return next((each for each in self.limits if isinstance(each, kind)), None)

    def takes(self, value: Any) -> bool:
        """Whether a value has this form, and lies within what bounds a number."""
        kind, number = self.origin, isinstance(value, Real) and not isinstance(value, bool)
        if kind in (int, float):
            if not number or not is_finite(value) or (kind is int and int(value) != value):
                return False
            limits: Range | None = self.limit(Range)
            return limits is None or value in limits
        if kind in (bool, str):
            pattern: Pattern | None = self.limit(Pattern)
            return isinstance(value, kind) and (pattern is None or bool(re.fullmatch(pattern.expression, str(value))))
        if kind is Literal:
            return any(
                isinstance(value, str) if isinstance(each, str) else number for each in get_args(self.annotation)
            )
        if kind in (list, tuple):
            return isinstance(value, list | tuple)
        if kind in (dict, Mapping) or is_dataclass(kind):
            return isinstance(value, Mapping)
        return kind is not NoneType

    def checked(self, value: Any, name: str, key: Key) -> Any:
        """Return a value of this form with its parts checked."""
        kind, arguments = self.origin, get_args(self.annotation)
        if kind in (int, float):
            return kind(value)
        if kind is Literal:
            if value not in arguments or isinstance(value, bool):
                raise unknown(_kind_of(name), value, arguments, key)
            return next(each for each in arguments if each == value)  # 16.0 is the 16 that is listed
        if kind is str and (words := self.limit(Words)) is not None and value not in words.known:
            raise unknown(_kind_of(name), value, words.known, key)
        if kind in (list, tuple):
            return self._items(value, arguments, name, key)
        if kind in (dict, Mapping) and len(arguments) == 2:
            return {str(part): check(each, arguments[1], str(part), (*key, str(part))) for part, each in value.items()}
        if is_dataclass(kind):
            try:
                made: Any = kind
                return made(**read_settings(made, value, f"key of {name}"))
            except SettingError as error:
                raise error.under(*key) from None
        return plain(value, name, key) if kind is Any else value

    def _items(self, value: Any, annotations: tuple[Any, ...], name: str, key: Key) -> list[Any]:
        """Return a list whose items are checked, one annotation for each of a tuple's."""
        size = self.limit(Length)
        if self.origin is tuple and len(value) != len(annotations):
            raise SettingError(f"{name} must be a list of {len(annotations)} values, not {shown(value)}", key)
        if size is not None and (len(value) < size.low or (size.high is not None and len(value) > size.high)):
            right = f"{size.low} or more values" if size.high is None else f"from {size.low} to {size.high:,} values"
            raise SettingError(f"{name} must have {right}, not {len(value):,}", key)
        each_of = annotations if self.origin is tuple else annotations * len(value)
        return [check(each, each_of[at], f"{name}[{at}]", (*key, at)) for at, each in enumerate(value)]


def _kind_of(name: str) -> str:
    """Return what a message calls a word that is none of those that a setting, or each item of its list, can be."""
    return f"value of {name.partition('[')[0]}"


def alternatives(annotation: Any) -> tuple[Form, ...]:
    """Return the forms of an annotation, each with its own limits and those around it."""
    try:
        return _known_alternatives(annotation)
    except TypeError:  # a limit of the user's own that cannot be hashed
        return tuple(_alternatives(annotation, ()))


@lru_cache(maxsize=1024)
def _known_alternatives(annotation: Any) -> tuple[Form, ...]:
    return tuple(_alternatives(annotation, ()))


def _alternatives(annotation: Any, limits: tuple[Any, ...]) -> Iterator[Form]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _alternatives(arguments[0], (*arguments[1:], *limits))
    elif origin in (Union, UnionType):
        for each in arguments:
            yield from _alternatives(each, limits)
    else:
        yield Form(annotation, limits)


def notes(annotation: Any) -> list[About]:
    """Return what is said about a setting, the nearest first."""
    every = [each for form in alternatives(annotation) for each in form.limits if isinstance(each, About)]
    return list(dict.fromkeys(every))


def in_words(annotation: Any) -> list[str]:
    """Return what a setting may be, one phrase for each form."""
    phrases = list(dict.fromkeys(filter(None, map(_phrase, alternatives(annotation)))))
    return [each for each in phrases if each.replace("whole ", "") == each or each.replace("whole ", "") not in phrases]


def _phrase(form: Form) -> str:
    kind, limits = form.origin, form.limit(Range)
    if kind in (int, float):
        return f"a {'whole ' if kind is int else ''}number{f' {limits}' if limits else ''}"
    if kind is Literal:
        return f"one of {', '.join(map(str, get_args(form.annotation)))}"
    if kind in (list, tuple):
        return "a list" if kind is list else f"a list of {len(get_args(form.annotation))} values"
    if is_dataclass(kind) or kind in (dict, Mapping):
        return "a mapping"
    if kind is str and (words := form.limit(Words)) is not None:
        return f"one of {', '.join(words.known)}"
    if kind is str and (pattern := form.limit(Pattern)) is not None:
        return str(pattern.words)
    return {bool: "true or false", str: "text"}.get(kind, "")


def _example(annotation: Any) -> str:
    example = next((each.example for each in notes(annotation) if each.example), None)
    return f"; for instance `{example}`" if example else ""


def _is_absent(value: object, annotation: Any) -> bool:
    """Whether a value is null, and stands for no value of its own: as if the setting were not there."""
    if value is not None or annotation is _UNTYPED:
        return False
    return all(each.annotation is not NoneType for each in alternatives(annotation))


def as_plain(value: Any) -> Any:
    """Return a value with its dataclasses as mappings, as it would stand in a study file."""
    if type(value) in _SCALARS:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: as_plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: as_plain(each) for key, each in value.items()}
    return [as_plain(each) for each in value] if isinstance(value, list | tuple) else value
