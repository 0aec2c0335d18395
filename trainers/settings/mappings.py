"""Mappings of settings, checked: each function returns what is right, or says what would be."""

from collections.abc import Iterable, Mapping
from typing import Any

from search_spaces.errors import Key, SettingError, shown, unknown


def known_keys(given: object, known: Iterable[str], kind: str, under: Key = ()) -> None:
    """Raise SettingError where `given`, which stands at `under`, is no mapping or has a key that is not in `known`."""
    known = list(known)
    for key in mapping(given, under):
        if key not in known:
            raise unknown(kind, key, known, (*under, key))


def mapping(value: object, key: Key) -> dict[str, Any]:
    """Return `value` as a dict; SettingError when it is anything but a mapping."""
    if not isinstance(value, Mapping):
        raise SettingError(
            f"{'.'.join(map(str, key)) or 'this'} must be a mapping such as {{name: value}}, not {shown(value)}", key
        )
    return dict(value)
