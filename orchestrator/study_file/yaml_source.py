"""Read a YAML file as plain values, remembering the line of every key, so that errors can point at it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import StudyFileError, UserError
from search_spaces.errors import Key

PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map", "timestamp")
}

DEEPEST = 50
"""How many mappings and lists may stand in one another; no setting needs ten."""


@dataclass(frozen=True)
class YamlSource:
    """A parsed file: `data` holds plain values, `lines` the 1-based line of each key path in it.

    `given` are the key paths that ``--set`` has put there, which no line of the file holds.
    """

    name: str
    text: str
    data: dict[str, Any]
    lines: Mapping[Key, int] = field(default_factory=dict)
    given: frozenset[Key] = frozenset()

    def error(self, message: str, key: Key = ()) -> StudyFileError:
        """Return the error for the setting at `key`, pointing at its line or that of the nearest key around it."""
        for length in range(len(key), -1, -1):
            if key[:length] in self.given:
                return StudyFileError(message, f"{self.name} --set", None, key)
            if key[:length] in self.lines:
                return StudyFileError(message, self.name, self.lines[key[:length]], key)
        return StudyFileError(message, self.name, None, key)

    def changed(self, path: str, value: object) -> "YamlSource":
        """Return the same source with the setting at dotted `path` replaced, as ``--set`` does."""
        data = _copy(self.data)
        place: Any = data
        *parents, last = path.split(".")
        given: set[Key] = {(*parents, last)}
        for depth, part in enumerate(parents):
            if part not in place or place[part] is None:
                place[part] = {}
                given.add(tuple(parents[: depth + 1]))
            if isinstance(place[part], str) and part in ("data", "shortcut"):
                place[part] = {"name" if part == "data" else "op": place[part]}
            if not isinstance(place[part], dict):
                raise UserError(f"--set {path}: {'.'.join(parents[: depth + 1])} is no mapping, so it has no settings")
            place = place[part]
        place[last] = value
        return YamlSource(self.name, self.text, data, self.lines, self.given | given)


def read_yaml(path: Path) -> YamlSource:
    """Read a study file; StudyFileError for everything that is not one mapping of plain values."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `orchestrate presets` lists ready studies to start from") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; name the study file inside it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> YamlSource:
    """Parse YAML text; `name` stands for the file in errors."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise StudyFileError(f"not valid YAML: {error.problem}", name, line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise StudyFileError(f"not valid YAML: {error}", name) from None
    except RecursionError:
        raise StudyFileError("not valid YAML for a study file: nested too deep", name) from None
    if node is None:
        raise StudyFileError("the file is empty; a study needs at least `study:` and `network:`", name)
    if not isinstance(node, yaml.MappingNode):
        raise StudyFileError("a study file is a mapping such as `study: my-study`", name, node.start_mark.line + 1)
    lines: dict[Key, int] = {(): node.start_mark.line + 1}
    data = _Reader(name, lines).mapping(node, ())
    return YamlSource(name, text, data, lines)


@dataclass
class _Reader:
    """Turns YAML nodes into plain values and notes the line of each."""

    name: str
    lines: dict[Key, int]

    def value(self, node: yaml.Node, key: Key) -> object:
        self.lines.setdefault(key, node.start_mark.line + 1)
        if len(key) > DEEPEST:
            what = f"nested more than {DEEPEST} deep, or an alias inside what it names"
            raise self._error(f"not valid YAML for a study file: {what}", node, key[:1])
        if node.tag not in PLAIN_TAGS:
            raise self._error(f"the tag {node.tag} is not allowed: a study file holds plain values only", node, key)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*key, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, key)

    def mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, yaml.ScalarNode) or name_node.tag not in PLAIN_TAGS:
                raise self._error("merge keys, tags and nested keys are not allowed here", name_node, key)
            name = name_node.value
            self._check_text(name, name_node, key)
            if name in found:
                raise self._error(
                    f"the key stands twice; the first is in line {self.lines[(*key, name)]}", name_node, (*key, name)
                )
            self.lines[(*key, name)] = name_node.start_mark.line + 1
            found[name] = self.value(value_node, (*key, name))
        return found

    def _scalar(self, node: yaml.Node, key: Key) -> object:
        try:
            value = yaml.SafeLoader("").construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            raise self._error(f"cannot read the value {node.value!r}: {error}", node, key) from None
        except (LookupError, AttributeError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            raise self._error(f"not valid YAML: the value {node.value!r} is no {kind}", node, key) from None
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            raise self._error("this number is too large: at most 1.8e308", node, key)
        if isinstance(value, str):
            self._check_text(value, node, key)
        if isinstance(value, str) and node.tag.endswith(":str"):
            return _number(value)
        if value is None or isinstance(value, bool | int | float | str):
            return value
        return str(node.value)

    def _check_text(self, text: str, node: yaml.Node, key: Key) -> None:
        """Refuse escapes such as "\\ud800", half a character, which no file, page or database can hold."""
        if not is_utf8(text):
            raise self._error(f"not valid YAML: {text!r} cannot be written as UTF-8", node, key)
        if "\0" in text:
            raise self._error(f"not valid YAML: {text!r} has the character \\0 in it", node, key)

    def _error(self, message: str, node: yaml.Node, key: Key) -> StudyFileError:
        return StudyFileError(message, self.name, node.start_mark.line + 1, key)


def parse_value(text: str) -> object:
    """Parse the VALUE of ``--set PATH=VALUE`` as YAML; UserError when it is not a plain value."""
    source = parse_yaml(f"value: {text}\n", f"--set ...={text}")
    return source.data["value"]


def is_utf8(text: str) -> bool:
    """Whether `text` can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(text: str) -> object:
    """Return 1e-4 as the number it is meant to be: YAML 1.1 reads an exponent without a dot as a word."""
    try:
        return float(text) if "e" in text.lower() and text[:1] in "+-.0123456789" else text
    except ValueError:
        return text


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value
