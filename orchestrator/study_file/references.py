"""Find the levels that a study file refers to by their text: the level ``on`` is meant by ``on``, not by true."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.study_file.yaml_source import YamlSource
from search_spaces.errors import Key
from search_spaces.factors import is_bundles, level_text

_MISREAD = re.compile(r"[-+]?0[0-7_]+|[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")


def with_level_names(source: YamlSource) -> YamlSource:
    """Return the source with each reference to a level spelt as the level's own name is.

    References stand in `baseline`, `exclude`, a factor's `when`, and the `without` and `target` of a design. What YAML
    1.1 would read as another number than the one that is written (``014``, ``1:30``) is a StudyFileError elsewhere.
    """
    data, names = source.data, _names(source)
    resolved: set[Key] = set()
    for key, factor in _references(data):
        text = source.texts.get(key)
        if text is None or factor not in names:
            continue
        known = names[factor]
        value = _at(data, key)
        if text in known:
            data = _with(data, key, known[text])
        elif all(label == name for label, name in known.items()) and level_text(value) not in known:
            data = _with(data, key, text)  # of named bundles: the error then shows what stands in the file
        resolved.add(key)
    for key, text in source.texts.items():
        if key not in resolved and _MISREAD.fullmatch(text):
            value = _at(data, key)
            if isinstance(value, int | float) and not re.fullmatch(rf"[-+]?0*{abs(value)}", text):
                message = f"YAML reads {text} as the number {value}: write that, or '{text}' for the text"
                raise source.error(message, key)
    return source.with_data(data)


def _names(source: YamlSource) -> dict[str, dict[str, Any]]:
    """Return the levels of each factor that lists any, by the text that they are written with."""
    factors = source.data.get("factors")
    names: dict[str, dict[str, Any]] = {}
    for factor, given in factors.items() if isinstance(factors, Mapping) else ():
        key: Key = ("factors", factor)
        if isinstance(given, Mapping) and "levels" in given:
            given, key = given["levels"], (*key, "levels")
        if isinstance(given, Mapping) and is_bundles(given):
            names[factor] = {label: label for label in given}
        elif isinstance(given, list):
            texts = ((source.texts.get((*key, at), level_text(value)), value) for at, value in enumerate(given))
            names[factor] = dict(texts)
    return names


def _references(data: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    """Yield where a level is named, and of which factor."""
    yield from _in(data.get("baseline"), ("baseline",))
    exclude = data.get("exclude")
    for at, pattern in enumerate(exclude if isinstance(exclude, list) else ()):
        yield from _in(pattern, ("exclude", at))
    design = data.get("design")
    for option in ("without", "target"):
        if isinstance(design, Mapping):
            yield from _in(design.get(option), ("design", option))
    factors = data.get("factors")
    for factor, given in factors.items() if isinstance(factors, Mapping) else ():
        if isinstance(given, Mapping):
            yield from _in(given.get("when"), ("factors", factor, "when"))


def _in(levels: object, key: Key) -> Iterator[tuple[Key, str]]:
    for factor, level in levels.items() if isinstance(levels, Mapping) else ():
        if isinstance(level, list):
            yield from (((*key, factor, at), factor) for at in range(len(level)))
        else:
            yield (*key, factor), factor


def _at(value: Any, key: Key) -> Any:
    for part in key:
        value = value[part]
    return value


def _with(value: Any, key: Key, new: object) -> Any:
    """Return a copy of nested mappings and lists with one value replaced."""
    if not key:
        return new
    if isinstance(value, list):
        return [_with(each, key[1:], new) if at == key[0] else each for at, each in enumerate(value)]
    return {name: _with(each, key[1:], new) if name == key[0] else each for name, each in value.items()}
