"""Lay ``--set PATH=VALUE`` over a study file: the PATH finds the longest keys that are there, dots in them or not."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from orchestrator.errors import UserError
from orchestrator.study_file.yaml_source import DEEPEST, Value, YamlSource, is_utf8, parse_value
from search_spaces.errors import Key, SettingError, shown
from search_spaces.factors import ROOTS, Factor

# Settings that may be written as one word, and the key that the word stands for once a part of it is set.
_WORDS = {
    "data": "name",
    "design": "name",
    "match": "what",
    "sampler": "name",
    "schedule": "name",
    "scheduler": "name",
    "shortcut": "op",
}
_PLACE = re.compile(r"\[?(\d{1,6})\]?(?:\.|(?=\[)|$)")


def with_changes(source: YamlSource, changes: Sequence[str]) -> YamlSource:
    """Return the source with ``PATH=VALUE`` changes laid over it, in their order; UserError for one that cannot be."""
    for change in changes:
        if not is_utf8(change):
            raise UserError(f"--set {change!r}: cannot be written as UTF-8")
        path, equals, text = (part.strip() for part in change.partition("="))
        if not equals or not path:
            raise UserError(f"--set {change}: write PATH=VALUE, for instance --set training.epochs=2")
        if path.count(".") + path.count("[") >= DEEPEST:
            raise UserError(f"--set {path[:30]}...: a setting stands at most {DEEPEST} deep")
        source = changed(source, path, parse_value(text, f"--set {path}="))
    return source


def changed(source: YamlSource, path: str, change: Value) -> YamlSource:
    """Return the source with the setting at `path` replaced; null takes it out, so that its default holds."""
    data = _copy(source.data)
    place: Any = data
    key: Key = ()
    given: set[Key] = set()
    rest = path
    while True:
        part, rest = _next(place, key, rest, path)
        key = (*key, part)
        if not rest:
            break
        if _lacks(place, part):
            place[part] = {}
            given.add(key)
        if isinstance(place[part], str) and part in _WORDS:
            place[part] = {_WORDS[str(part)]: place[part]}
        if not isinstance(place[part], dict | list):
            named = path.removesuffix(rest).rstrip(".")
            raise UserError(f"--set {path}: {named} is {shown(place[part])}, which has no settings")
        place = place[part]
    if change.value is None and isinstance(place, dict) and key[0] not in ("baseline", "exclude"):
        place.pop(part, None)
    else:
        place[part] = change.value
    texts = {place: text for place, text in source.texts.items() if place[: len(key)] != key}
    texts |= {(*key, *inner): text for inner, text in change.texts.items()}
    lines = {place: line for place, line in source.lines.items() if place[: len(key)] != key}
    return YamlSource(source.name, source.text, data, lines, texts, source.given | given | {key})


def refuse_without_effect(source: YamlSource, factors: Iterable[Factor]) -> None:
    """Raise SettingError for a ``--set`` that changes nothing, because every level of a factor sets that setting."""
    for key in sorted(source.given, key=len, reverse=True):
        path = ".".join(map(str, key))
        for factor in factors:
            if all(any(path == own or path.startswith(f"{own}.") for own in level.settings) for level in factor.levels):
                raise SettingError(
                    f"this changes nothing: the factor {factor.name} sets it in every arm; change its levels, "
                    f"--set 'factors.{factor.name}=[...]', or take it out, --set factors.{factor.name}=null",
                    key,
                )


def _next(place: Any, key: Key, rest: str, path: str) -> tuple[str | int, str]:
    """Return the key that the beginning of `rest` names in `place`, which stands at `key`, and what is left."""
    if isinstance(place, list):
        match = _PLACE.match(rest)
        if match is None or int(match[1]) >= len(place):
            where = path[: len(path) - len(rest)].rstrip(".[")
            last = f"0 to {len(place) - 1}" if place else "nothing"
            raise UserError(f"--set {path}: {where} is a list that holds {last}, for instance {where}[0]")
        return int(match[1]), rest[match.end() :]
    there = [name for name in place if rest == name or rest.startswith((f"{name}.", f"{name}["))]
    if there:
        name = max(there, key=len)
        after = rest[len(name) :]
        if after == ".":
            raise _empty_part(path)
        return name, after.removeprefix(".")
    if _is_one_name(key, rest):
        return rest, ""
    first, dot, after = rest.partition(".")
    if not first or (dot and not after):
        raise _empty_part(path)
    name, bracket, _ = first.partition("[")
    if bracket:
        where = f"{path[: len(path) - len(rest)]}{name}"
        raise UserError(f"--set {path}: {where} is no list in the file; set the whole of it, --set '{where}=[...]'")
    return first, after


def _empty_part(path: str) -> UserError:
    return UserError(f"--set {path}: a part of the path is empty; write it as training.epochs")


def _is_one_name(key: Key, rest: str) -> bool:
    """Whether a new key at `key` is a factor's name or a setting's path, dots and all."""
    if key == ("factors",):
        return rest.partition(".")[0] in ROOTS
    inside = key[:1]
    if inside == ("factors",):
        return len(key) == 3
    return inside == ("baseline",) or (inside == ("exclude",) and len(key) == 2)


def _lacks(place: Any, part: str | int) -> bool:
    return isinstance(place, dict) and place.get(str(part)) is None


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value
