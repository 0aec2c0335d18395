"""The one error for a setting that the user can mend, and the search for the name that was meant."""

from collections.abc import Iterable
from difflib import get_close_matches

Key = tuple[str | int, ...]


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


def unknown(kind: str, name: object, known: Iterable[object], key: Key = ()) -> SettingError:
    """Return the error for a name that is not among `known`, naming the nearest one and then all of them."""
    names = sorted(str(each) for each in known)
    close = get_close_matches(str(name), names, n=1, cutoff=0.6)
    hint = f'did you mean "{close[0]}"? ' if close else ""
    return SettingError(f'unknown {kind} "{name}": {hint}known: {", ".join(names)}', key)
