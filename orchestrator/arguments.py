"""Whether the arguments of the Python functions are of the types that they take; what they mean is checked later."""

import os
from collections.abc import Mapping

from orchestrator.errors import UserError
from search_spaces.errors import shown

_PATH = (str, os.PathLike)


def check_file(file: object) -> None:
    """Raise UserError for what is neither the path of a study file nor a dict of what stands in one."""
    _expect("the study", file, (*_PATH, Mapping), "the path of a study file, or a dict of what stands in one")


def check_changes(changes: object) -> None:
    """Raise UserError for what is no list of texts."""
    right = 'a list of texts such as "training.epochs=2"'
    _expect("changes", changes, (list, tuple), right)
    for change in changes if isinstance(changes, list | tuple) else ():
        _expect("changes", change, (str,), right)


def check_place(name: str, place: object) -> None:
    """Raise UserError for a results DB or a folder that is neither None nor a text nor a path."""
    _expect(name, place, (*_PATH, type(None)), "a text or a path")


def check_type(name: str, value: object, kind: type) -> None:
    """Raise UserError for what is not of this type."""
    _expect(name, value, (kind,), f"a {kind.__name__}")


def _expect(name: str, value: object, kinds: tuple[type, ...], right: str) -> None:
    if not isinstance(value, kinds):
        raise UserError(f"{name} must be {right}, not {shown(value)}")
