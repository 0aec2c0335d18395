"""Names made short enough for a figure, and still told apart."""

import re
from collections.abc import Sequence

from reports.wording import shortened

_AND = ", "
_BETWEEN = re.compile(r", (?![^()]*\))")
"""Between the levels of a name; an operation such as scale(0.5, 0.5) is one."""
_PATH = re.compile(r"(?:(?<=^)|(?<=, ))(?:[^\W\d]\w*\.)+(?=\w+ )")
"""What stands before the last part of a factor's name."""
_NUMBER = re.compile(r"[-\N{MINUS SIGN}]?\.?\d")


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
    begins with, but for a number, which says nothing without its factor. Of a factor goes, last, all but the end of its
    path: "lr 0.1" for "training.lr 0.1".
    """
    if not any(len(name) > most for name in names):
        return distinct(names, most)
    own = _own_parts(names, most)
    return distinct(_without_paths(own) if any(len(name) > most for name in own) else own, most)


def _own_parts(names: Sequence[str], most: int) -> list[str]:
    """Leave out what all names share; nothing where they have unequal numbers of parts."""
    parts = [_BETWEEN.split(name) for name in names]
    if len({len(each) for each in parts}) > 1 or len(set(names)) < 2:
        return list(names)
    columns = [column for column in zip(*parts, strict=True) if len(set(column)) > 1]
    if any(len(_AND.join(row)) > most for row in zip(*columns, strict=True)) and len(parts[0]) > 1:
        columns = [_without_first_word(column) for column in columns]
    return [_AND.join(row) for row in zip(*columns, strict=True)]


def in_lines(names: Sequence[str], most: int, most_lines: int = 2) -> list[str]:
    """Return labels as `told_apart` does, in up to `most_lines` lines of `most` letters where one would cut a name.

    A comma at the end of a line may stand beyond its letters.
    """
    short = told_apart(names, most)
    best = short
    for count in range(2, most_lines + 1):
        if not is_cut(best, names):
            break
        broken = [_broken(name, most, count) for name in told_apart(names, count * (most + len(_AND)))]
        best = broken if len(set(broken)) == len(set(names)) else best
    return best


def whole_in_lines(names: Sequence[str], most: int, most_lines: int = 2) -> list[str]:
    """Return names that leave out nothing but the paths of factors, in up to `most_lines` lines of `most` letters."""
    short = _without_paths(names) if any(len(name) > most for name in names) else list(names)
    return [_broken(name, most, most_lines) for name in distinct(short, most_lines * most)]


def _without_paths(names: Sequence[str]) -> list[str]:
    short = [_PATH.sub("", name) for name in names]
    return short if len(set(short)) == len(set(names)) else list(names)


def is_cut(labels: Sequence[str], names: Sequence[str]) -> bool:
    """Whether any of the labels of some names lacks a part of it."""
    return any("…" in label and label not in names for label in labels)


def _broken(name: str, most: int, count: int) -> str:
    """Break a name between its parts, or within one that is longer than a line; the last line keeps its ends."""
    lines = [""]
    for part in _BETWEEN.split(name):
        before = f"{lines[-1]}{_AND}" if lines[-1] else ""
        if len(before) + len(part) <= most:
            lines[-1] = f"{before}{part}"
            continue
        lines[-1] = before.rstrip()
        lines += _wrapped(part, most)
    lines = [line for line in lines if line]
    tail = " ".join(lines[count - 1 :])
    if len(tail) > most:
        tail = f"{tail[: most // 3]}…{tail[most // 3 + 1 - most :]}"
    return "\n".join([*lines[: count - 1], *([tail] if tail else [])])


def _wrapped(text: str, most: int) -> list[str]:
    """Break a text at the last space that finds room before it, else within a word."""
    lines = []
    while len(text) > most:
        at = text.rfind(" ", 0, most + 1)
        head, text = (text[:at], text[at + 1 :]) if at > 0 else (text[:most], text[most:])
        lines.append(head)
    return [*lines, text]


def _without_first_word(texts: Sequence[str]) -> tuple[str, ...]:
    """Leave out the word that all texts begin with, when each has more and that is no number."""
    split = [text.partition(" ") for text in texts]
    is_shared = len({first for first, _, _ in split}) == 1 and all(rest for _, _, rest in split)
    is_clear = is_shared and not any(_NUMBER.match(rest) for _, _, rest in split)
    return tuple(rest for _, _, rest in split) if is_clear else tuple(texts)
