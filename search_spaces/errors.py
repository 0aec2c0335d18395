"""The one error for a setting that the user can mend, and the search for the name that was meant."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Key = tuple[str | int, ...]
LONGEST_SHOWN = 80
MOST_NAMES = 30


class SettingError(ValueError):
    """A wrong setting: what is wrong, what would be right, and where it stands.

    `key` is the path of the setting inside the mapping that was checked, for instance ``("shortcut", "bias")``.
    Whoever hands a part of a larger mapping down puts that part's own path in front with `under`; the study file's
    reader turns the whole path into a file and line.
    """

    def __init__(self, message: str, key: Key = ()) -> None:
        super().__init__(message)
        self.message = message
        self.key = key

    def under(self, *prefix: str | int) -> "SettingError":
        """Return the same error with `prefix` in front of its key."""
        return type(self)(self.message, (*prefix, *self.key))


def with_key(key: str | int, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Read one part of a larger mapping, so that its errors carry the part's key in front."""
    try:
        return read(*args, **kwargs)
    except SettingError as error:
        raise error.under(key) from None


def unknown(kind: str, name: object, known: Iterable[object], key: Key = ()) -> SettingError:
    """Return the error for a name that is not among `known`, naming the nearest one and then all of them."""
    names = sorted({str(each) for each in known}, key=_in_order)
    text = str(name)
    given = _shortened(text if text.isprintable() else repr(text)[1:-1])
    if not names:
        return SettingError(f'unknown {kind} "{given}": there is none', key)
    close = nearest(given, names)
    hint = f'did you mean "{close}"? ' if close is not None else ""
    return SettingError(f'unknown {kind} "{given}": {hint}known: {enumerated(names)}', key)


def nearest(given: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant, whatever its case; None when none is near."""
    by_folded: dict[str, str] = {}
    for name in names:
        by_folded.setdefault(name.casefold(), name)
    close = get_close_matches(given[:LONGEST_SHOWN].casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def enumerated(names: Sequence[str]) -> str:
    """Return known names as a message lists them: no more than `MOST_NAMES`, each no longer than a line."""
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(_shortened(each) for each in names[:MOST_NAMES]) + more


def _in_order(name: str) -> tuple[bool, float, str]:
    """Return what sorts numbers by their value, before all words."""
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name


def shown(value: object) -> str:
    """Return a value as a message shows it: as it would be written in Python, and no longer than a line."""
    try:
        return _shortened(repr(value))
    except ValueError:  # an integer of thousands of digits
        return "a number of thousands of digits"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
