"""Checks of single settings: each returns the value in its one canonical form, or says what would be right."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from search_spaces.errors import Key, SettingError, shown, unknown

LARGEST = 2**63 - 1
"""Neither a tensor nor a database holds a larger integer."""


def known_keys(given: object, known: Iterable[str], kind: str, under: Key = ()) -> None:
    """Raise SettingError where `given`, which stands at `under`, is no mapping or has a key that is not in `known`."""
    known = list(known)
    for key in mapping(given, under):
        if key not in known:
            raise unknown(kind, key, known, (*under, key))


def mapping(value: object, key: Key) -> dict[str, Any]:
    """Return `value` as a dict; SettingError when it is anything but a mapping."""
    if not isinstance(value, Mapping):
        raise SettingError(f"{_name(key)} must be a mapping such as {{name: value}}, not {shown(value)}", key)
    return dict(value)


def integer(value: object, key: Key, low: int, high: int | None = None) -> int:
    """Return `value` as an int between `low` and `high`, by default `LARGEST`, both included."""
    whole = int(value) if isinstance(value, Integral) or (isinstance(value, float) and value.is_integer()) else value
    if isinstance(value, bool) or not isinstance(whole, int):
        raise SettingError(f"{_name(key)} must be a whole number{_range(low, high)}, not {shown(value)}", key)
    most = LARGEST if high is None else high
    if not low <= whole <= most:
        limits = _range(low, high if whole < low else most)
        raise SettingError(f"{_name(key)} must be a whole number{limits}, not {shown(value)}", key)
    return whole


def number(value: object, key: Key, low: float, high: float | None = None, *, above: bool = False) -> float:
    """Return `value` as a finite float between `low` and `high`; strictly above `low` where `above`."""
    wrong = SettingError(f"{_name(key)} must be a number{_range(low, high, above)}, not {shown(value)}", key)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise wrong
    try:
        found = float(value)
    except OverflowError:
        raise wrong from None
    too_low = found <= low if above else found < low
    if not math.isfinite(found) or too_low or (high is not None and found > high):
        raise wrong
    return found


def boolean(value: object, key: Key) -> bool:
    """Return `value`, which must be true or false."""
    if not isinstance(value, bool):
        raise SettingError(f"{_name(key)} must be true or false, not {shown(value)}", key)
    return value


def word(value: object, known: Iterable[str], key: Key) -> str:
    """Return `value`, which must be one of the words in `known`."""
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise unknown(_name(key), value, known, key)
    return value


def _name(key: Key) -> str:
    return ".".join(str(part) for part in key) or "this"


def _range(low: float, high: float | None, above: bool = False) -> str:
    start = f"above {low}" if above else f"of {low} or more"
    return f" {start}" if high is None else f" {start}, at most {high:,}"
