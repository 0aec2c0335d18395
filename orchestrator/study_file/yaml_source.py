"""Read a YAML file as plain values, remembering line and text of each, so that errors can point at it."""

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from orchestrator.errors import StudyFileError, UserError
from search_spaces.errors import Key, nearest, shown

_TAG = "tag:yaml.org,2002:"
PLAIN_TAGS = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str", "timestamp", "value")}

DEEPEST = 50
"""How many mappings and lists may stand in one another; no setting needs ten."""
LONGEST = 500_000
"""How many characters a study file may have."""
MOST_VALUES = 20_000
"""How many values it may hold, those behind aliases counted wherever they stand."""
TOO_DEEP = f"not valid YAML for a study file: nested more than {DEEPEST} deep, or an alias inside what it names"
TOO_LARGE = "this number is too large: at most 1.8e308"
TOO_MANY = f"not valid YAML for a study file: more than {MOST_VALUES:,} values, counting aliases wherever they stand"


@dataclass(frozen=True)
class YamlSource:
    """A parsed file: `data` holds plain values, `lines` the 1-based line of each key path in it.

    `texts` holds every unquoted scalar as it is written: ``014`` is the number 12 for YAML 1.1, and still the name 014.
    `given` are the key paths that ``--set`` has put there, which no line of the file holds.
    """

    name: str
    text: str
    data: dict[str, Any]
    lines: Mapping[Key, int] = field(default_factory=dict)
    texts: Mapping[Key, str] = field(default_factory=dict)
    given: frozenset[Key] = frozenset()

    def error(self, message: str, key: Key = ()) -> StudyFileError:
        """Return the error for the setting at `key`, pointing at its line or that of the nearest key around it."""
        for length in range(len(key), -1, -1):
            if key[:length] in self.given:
                return StudyFileError(message, f"{self.name} --set", None, key)
            if key[:length] in self.lines:
                return StudyFileError(message, self.name, self.lines[key[:length]], key)
        return StudyFileError(message, self.name, None, key)

    def with_data(self, data: dict[str, Any]) -> "YamlSource":
        """Return the same source with other values at the same places."""
        return replace(self, data=data)


def read_yaml(path: Path) -> YamlSource:
    """Read a study file; StudyFileError for everything that is not one mapping of plain values."""
    try:
        with path.open("rb") as file:  # once: a pipe cannot be read again
            data = file.read(4 * (LONGEST + 1))  # a character has four bytes at most
        text = TextIOWrapper(BytesIO(data), encoding="utf-8").read(LONGEST + 1)
    except FileNotFoundError:
        raise no_such_file(path) from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; name the study file inside it") from None
    except UnicodeDecodeError:
        raise _not_utf8(data, path) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    return parse_yaml(text, str(path))


def _not_utf8(data: bytes, path: Path) -> StudyFileError:
    """Say which byte of a file is no text, and in which line; the error of reading tells its place in a part of it."""
    text = data.decode(errors="surrogateescape")
    place = next(at for at, each in enumerate(text) if "\udc80" <= each <= "\udcff")
    line, byte = text.count("\n", 0, place) + 1, f"{ord(text[place]) - 0xDC00:02x}"
    return StudyFileError(f"the byte 0x{byte} is no UTF-8 text: save the file in that encoding", str(path), line)


def no_such_file(path: Path, names: Iterable[str] = ()) -> UserError:
    """Return the error for a study file that is not there, with the nearest file beside it or of the other `names`."""
    files = (each.name for each in path.parent.glob("*") if each.suffix in (".yaml", ".yml") and each.is_file())
    close = nearest(str(path), [*names, *sorted(str(path.with_name(name)) for name in files)])
    hint = f'did you mean "{close}"? ' if close is not None else ""
    return UserError(f"{path}: no such file; {hint}`orchestrate presets` lists ready studies to start from")


def parse_yaml(text: str, name: str) -> YamlSource:
    """Parse YAML text; `name` stands for the file in errors."""
    node = _compose(text, name)
    if node is None:
        raise StudyFileError("the file is empty; a study needs at least a name, `study: my-study`", name)
    if not isinstance(node, yaml.MappingNode):
        raise StudyFileError("a study file is a mapping such as `study: my-study`", name, node.start_mark.line + 1)
    reader = _Reader(name)
    data = reader.mapping(node, ())
    return YamlSource(name, text, data, {(): node.start_mark.line + 1, **reader.lines}, reader.texts)


@dataclass(frozen=True)
class Value:
    """A value that stands alone, as ``--set`` gives it, and the texts of its unquoted scalars by their place in it."""

    value: Any
    texts: Mapping[Key, str]


def parse_value(text: str, name: str) -> Value:
    """Parse the VALUE of ``--set PATH=VALUE`` as YAML, `name` standing for it in errors; UserError if not plain."""
    node = _compose(text, name)
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null") and not node.value):
        raise UserError(f"{name}: there is no value; write {name.removeprefix('--set ')}null to take the setting out")
    reader = _Reader(name)
    value = reader.value(node, ())
    return Value(value, reader.texts)


def _compose(text: str, name: str) -> yaml.Node | None:
    if len(text) > LONGEST:
        raise StudyFileError(f"a study file has at most {LONGEST:,} characters", name)
    try:
        loader = _Composer(text)
        node: yaml.Node | None = loader.get_single_node()
    except _Bound as error:
        raise StudyFileError(str(error), name, error.line) from None
    except yaml.MarkedYAMLError as error:
        raise _malformed(error, name) from None
    except ReaderError as error:
        line, character = text.count("\n", 0, error.position) + 1, text[error.position]
        is_control = unicodedata.category(character) == "Cc" and character != "\0"  # which UTF-16 is full of
        remedy = "take it out" if is_control else "save the file as UTF-8 text"
        raise StudyFileError(f"not valid YAML: the character {shown(character)}; {remedy}", name, line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise StudyFileError(f"not valid YAML: {error}", name) from None
    except RecursionError:
        raise StudyFileError(TOO_DEEP, name) from None
    return node


# What PyYAML says of common mistakes, in plain words; of what is not closed or has no colon, the line where it begins.
_MISTAKES = {
    r"found character '\\t'": "a tab stands where only spaces may: indent with spaces",
    r"found (character '.') that cannot start any token": r"no value begins with the \1: put it in quotes",
    r"but found another document": "a second document begins here; a study file holds one",
    r"mapping values are not allowed here": "no colon may stand here: indent the line as those around it, or put text "
    "with a colon in quotes",
    r"expected (<block end>|'<document start>')": "the line is not indented as those around it",
}
_BEGUN = {
    r"could not find expected ':'": "the colon behind the key is missing",
    r"expected ',' or '(.)'": r"the bracket is not closed, or a comma is missing: no '\1' follows",
    r"found unexpected end of stream": "the quotation marks are not closed",
}


def _malformed(error: yaml.MarkedYAMLError, name: str) -> StudyFileError:
    """Return what is wrong with text that is no YAML, at its line."""
    problem = error.problem or ""
    for mistakes, mark in ((_MISTAKES, error.problem_mark), (_BEGUN, error.context_mark or error.problem_mark)):
        for pattern, words in mistakes.items():
            if match := re.match(pattern, problem):
                return StudyFileError(f"not valid YAML: {match.expand(words)}", name, mark.line + 1 if mark else None)
    line = error.problem_mark.line + 1 if error.problem_mark else None
    return StudyFileError(f"not valid YAML: {problem}", name, line)


class _Bound(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class _Composer(yaml.SafeLoader):
    """Makes the nodes of a text, and stops at those that are too many or too deep."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._count = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._count += 1
        self._depth += 1
        if self._depth > DEEPEST + 2 or self._count > 2 * MOST_VALUES:
            raise _Bound(TOO_DEEP if self._depth > DEEPEST + 2 else TOO_MANY, self.line + 1)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Reader:
    """Turns YAML nodes into plain values, and notes line and text of each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Key, int] = {}
        self.texts: dict[Key, str] = {}
        self._count = 0

    def value(self, node: yaml.Node, key: Key) -> object:
        self.lines.setdefault(key, node.start_mark.line + 1)
        self._count += 1
        if len(key) > DEEPEST:
            raise self._error(TOO_DEEP, node, key[:1])
        if self._count > MOST_VALUES:
            raise self._error(TOO_MANY, node, key[:1])
        if node.tag not in _plain_tags(node):
            raise self._error(f"the tag {node.tag} is not allowed: a study file holds plain values only", node, key)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*key, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, key)

    def mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, yaml.ScalarNode) or name_node.tag not in PLAIN_TAGS:
                raise self._error("merge keys, tags and nested keys are not allowed here", name_node, key)
            name = name_node.value
            self._check_text(name, name_node, key)
            if name in values:
                raise self._error(
                    f"the key stands twice; the first is in line {self.lines[(*key, name)]}", name_node, (*key, name)
                )
            self.lines[(*key, name)] = name_node.start_mark.line + 1
            values[name] = self.value(value_node, (*key, name))
        return values

    def _scalar(self, node: yaml.Node, key: Key) -> object:
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        if node.tag.endswith(":value"):  # YAML 1.1 has a tag of its own for the word `=`
            node.tag = "tag:yaml.org,2002:str"
        try:
            value = yaml.SafeLoader("").construct_object(node, deep=True)
        except (yaml.YAMLError, LookupError, AttributeError, ValueError, OverflowError):
            raise self._error(_unreadable(node), node, key) from None
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            raise self._error(TOO_LARGE, node, key)
        if is_plain:
            self.texts[key] = node.value
        if isinstance(value, str):
            self._check_text(value, node, key)
            return _number(value) if is_plain else value
        if value is None or isinstance(value, bool | int | float):
            return value
        return str(node.value)

    def _check_text(self, text: str, node: yaml.Node, key: Key) -> None:
        """Refuse what no file, page, terminal or database can hold: half a character, and control characters."""
        if not is_utf8(text):
            raise self._error(f"not valid YAML: {shown(text)} cannot be written as UTF-8", node, key)
        if control := next((each for each in text if unicodedata.category(each) == "Cc" and each not in "\n\t"), None):
            raise self._error(f"not valid YAML: {shown(text)} has the character {shown(control)} in it", node, key)

    def _error(self, message: str, node: yaml.Node, key: Key) -> StudyFileError:
        return StudyFileError(message, self.name, node.start_mark.line + 1, key)


def _unreadable(node: yaml.Node) -> str:
    """Say why a scalar has no value: it is not of the kind that its tag or its form says."""
    kind = node.tag.rpartition(":")[2]
    if kind == "int" and re.fullmatch(r"[-+]?[\d_]+", node.value):  # too many digits for Python
        return TOO_LARGE
    return f"not valid YAML: the value {shown(node.value)} is no {_KINDS.get(kind, kind)}; text stands in quotes"


_KINDS = {"int": "whole number", "float": "number", "timestamp": "date"}


def is_utf8(text: str) -> bool:
    """Whether `text` can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def _number(text: str) -> object:
    """Return 1e-4 as the number it is meant to be: YAML 1.1 reads an exponent without a dot as a word."""
    return float(text) if _EXPONENT.fullmatch(text) else text


def _plain_tags(node: yaml.Node) -> set[str]:
    """Return the tags that YAML itself gives to nodes of this kind."""
    if isinstance(node, yaml.MappingNode):
        return {f"{_TAG}map"}
    return {f"{_TAG}seq"} if isinstance(node, yaml.SequenceNode) else PLAIN_TAGS
