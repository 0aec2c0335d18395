"""Names made short enough for a figure, and still told apart."""

import re
from collections.abc import Sequence

from reports.wording import shortened

_AND = ", "
_BETWEEN = re.compile(r", (?![^()]*\))")
"""Between the levels of a name; an operation such as scale(0.5, 0.5) is one."""


def distinct(names: Sequence[str], most: int) -> list[str]:
    """Return the names with at most `most` letters: cut at the end, or in the middle where the end tells them apart."""
    whole = [shortened(name, len(name)) for name in names]
    cut = [shortened(name, most) for name in whole]
    alike: dict[str, set[str]] = {}
    for name, short in zip(whole, cut, strict=True):
        alike.setdefault(short, set()).add(name)
    return [
        short if len(alike[short]) == 1 else _cut_in_middle(name, _shared(alike[short]), most)
        for name, short in zip(whole, cut, strict=True)
    ]


def _shared(names: set[str]) -> int:
    """Count the letters with which all names begin."""
    first, last = min(names), max(names)
    return next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))


def _cut_in_middle(name: str, shared: int, most: int) -> str:
    """Keep the start of a name, and its end from the letter `shared` on, or from the start of that word if it fits."""
    tail_room = most - max(most // 3, 1) - 1
    word = name.rfind(" ", 0, shared) + 1
    tail = shortened(name[word if len(name) - word <= tail_room else shared :], tail_room)
    return f"{name[: most - 1 - len(tail)].rstrip()}…{tail}"


def told_apart(names: Sequence[str], most: int) -> list[str]:
    """Return labels for the lines of one panel, with at most `most` letters.

    Where a name is too long, first what all of them share is left out: parts between commas, then the word that a part
    begins with.
    """
    parts = [_BETWEEN.split(name) for name in names]
    if not any(len(name) > most for name in names) or len({len(each) for each in parts}) > 1 or len(set(names)) < 2:
        return distinct(names, most)
    columns = [column for column in zip(*parts, strict=True) if len(set(column)) > 1]
    if any(len(_AND.join(row)) > most for row in zip(*columns, strict=True)) and len(parts[0]) > 1:
        columns = [_without_first_word(column) for column in columns]
    return distinct([_AND.join(row) for row in zip(*columns, strict=True)], most)


def in_lines(names: Sequence[str], most: int) -> list[str]:
    """Return labels as `told_apart` does, in two lines of at most `most` letters where one would cut a name."""
    short = told_apart(names, most)
    if not any("…" in label and label not in names for label in short):
        return short
    broken = [_broken(name, most) for name in told_apart(names, 2 * most)]
    return broken if len(set(broken)) == len(set(names)) else short


def _broken(name: str, most: int) -> str:
    """Break a name at the last space that finds room before it, else within a word; the second line keeps its ends."""
    if len(name) <= most:
        return name
    at = name.rfind(" ", 0, most + 1)
    head, tail = (name[:at], name[at + 1 :]) if at > 0 else (name[:most], name[most:])
    if len(tail) > most:
        tail = f"{tail[: most // 3]}…{tail[most // 3 + 1 - most :]}"
    return f"{head}\n{tail}"


def _without_first_word(texts: Sequence[str]) -> tuple[str, ...]:
    """Leave out the word that all texts begin with, when each has more."""
    split = [text.partition(" ") for text in texts]
    is_shared = len({first for first, _, _ in split}) == 1 and all(rest for _, _, rest in split)
    return tuple(rest for _, _, rest in split) if is_shared else tuple(texts)
