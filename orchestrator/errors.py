"""Mistakes that a user can mend: each is one message that says what is wrong, where, and what would be right."""

from collections.abc import Sequence


class UserError(Exception):
    """The user's mistake. The command line prints the message alone and exits with code 2."""


class Interrupted(KeyboardInterrupt):
    """A signal asked for the end; code of the user's own that raises KeyboardInterrupt does not raise this."""


class StudyFileError(UserError):
    """A mistake in a study file: rendered as ``file:line: key: message``."""

    def __init__(self, message: str, file: str, line: int | None = None, key: Sequence[str | int] = ()) -> None:
        place = file if line is None else f"{file}:{line}"
        path = dotted(key)
        super().__init__(f"{place}: {path}: {message}" if path else f"{place}: {message}")
        self.line = line
        self.key = tuple(key)


def dotted(key: Sequence[str | int]) -> str:
    """Return a key path as text: ``("claims", 0, "says")`` becomes ``claims[0].says``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{_visible(part)}"
    return text.removeprefix(".")


def _visible(name: str) -> str:
    """Return a name no longer than a line, in quotes where an end or a character of it could not be seen."""
    # Not before the command line has seen whether another package stands in the place of this one.
    from search_spaces.errors import LONGEST_SHOWN, shown

    return name if 0 < len(name) <= LONGEST_SHOWN and name == name.strip() and name.isprintable() else shown(name)
