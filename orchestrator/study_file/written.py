"""A study that Python code gives as a dict, written as the file that it stands for."""

from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import UserError, dotted
from orchestrator.study_file.yaml_source import DEEPEST, YamlSource, parse_value, parse_yaml
from search_spaces.errors import Key, shown


def written_yaml(given: Mapping[str, Any]) -> YamlSource:
    """Return the source of a study that is given as a dict; UserError for what no file can hold."""
    try:
        text = yaml.dump(_plain(given), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
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


def _plain(value: Any, key: Key = ()) -> Any:
    """Return a value of Python's and NumPy's as YAML's plain values; UserError, naming `key`, for any other."""
    if len(key) > DEEPEST:
        raise UserError(f"the study: {dotted(key[:1])}: nested more than {DEEPEST} deep, or a value that holds itself")
    if isinstance(value, Mapping):
        return {name: _plain(each, (*key, str(name))) for name, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(each, (*key, at)) for at, each in enumerate(value)]
    if isinstance(value, Enum):
        return _plain(value.value, key)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist(), key)
    if value is None or isinstance(value, str | bool | int | float | date):
        return value
    place = f"the study: {dotted(key)}" if key else "the study"
    kinds = "text, numbers, true, false, None, lists and mappings"
    raise UserError(f"{place}: {shown(value)} is of type {type(value).__name__}: a study holds {kinds}")
