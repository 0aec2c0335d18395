"""A study that Python code gives as a dict, written as the file that it stands for."""

from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import UserError, dotted
from orchestrator.study_file.yaml_source import DEEPEST, MOST_VALUES, YamlSource, parse_value, parse_yaml
from search_spaces.errors import Key, shown


def written_yaml(given: Mapping[str, Any]) -> YamlSource:
    """Return the source of a study that is given as a dict; UserError for what no file can hold."""
    try:
        text = yaml.dump(_Plain().of(given), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    except yaml.YAMLError as error:
        raise UserError(f"the study cannot be written as YAML: {error}") from None
    return parse_yaml(text, "the study")


class _Dumper(yaml.SafeDumper):
    """Writes text so that the reader of study files takes it for text, also where it looks like a number."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write out what stands in several places: a study file names no anchors."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    try:
        is_text = parse_value(value, "text").value == value
    except UserError:
        is_text = True  # what would be a mapping, for instance, is quoted anyhow
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if is_text else '"')


_Dumper.add_representer(str, _text)


class _Plain:
    """Turns values of Python's and NumPy's into YAML's plain ones, no more of them than a study file may hold."""

    def __init__(self) -> None:
        self._values = 0

    def of(self, value: Any, key: Key = ()) -> Any:
        """Return the plain value of one that stands at `key`; UserError, naming the key, where there is none."""
        if len(key) > DEEPEST:
            place = f"the study: {dotted(key[:1])}"
            raise UserError(f"{place}: nested more than {DEEPEST} deep, or a value that holds itself")
        if isinstance(value, Enum):
            return self.of(value.value, key)
        if isinstance(value, Path):
            return str(value)
        if hasattr(value, "tolist"):
            self._count(getattr(value, "size", 1), key)
            return self.of(value.tolist(), key)
        if isinstance(value, Mapping | list | tuple | range):
            self._count(len(value), key)
            if isinstance(value, Mapping):
                return {name: self.of(each, (*key, str(name))) for name, each in value.items()}
            return [self.of(each, (*key, at)) for at, each in enumerate(value)]
        if value is None or isinstance(value, str | bool | int | float | date):
            return value
        place = f"the study: {dotted(key)}" if key else "the study"
        kinds = "text, numbers, true, false, None, lists and mappings"
        raise UserError(f"{place}: {shown(value)} is of type {type(value).__name__}: a study holds {kinds}")

    def _count(self, more: int, key: Key) -> None:
        self._values += more
        if self._values > 2 * MOST_VALUES:  # the reader of the text counts to the value
            raise UserError(f"the study: {dotted(key[:1])}: a study holds no more than {MOST_VALUES:,} values")
