"""What can vary in a study, and the network that each choice stands for.

The names that build networks need torch and are imported on first use: reading a study file or a report needs none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from search_spaces.arm import Arm, canonical_json, settings_hash
from search_spaces.designs import DESIGNS, arms, resolve_baseline
from search_spaces.errors import SettingError, unknown
from search_spaces.factors import Factor, Level, parse_factors
from search_spaces.space import Space

if TYPE_CHECKING:
    pass

_LAZY: dict[str, str] = {}

__all__ = [
    "DESIGNS",
    "Arm",
    "Factor",
    "Level",
    "SettingError",
    "Space",
    "arms",
    "canonical_json",
    "parse_factors",
    "resolve_baseline",
    "settings_hash",
    "unknown",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
