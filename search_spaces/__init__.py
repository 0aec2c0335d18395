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
    from search_spaces.cost import Complexity, complexity
    from search_spaces.networks.families import FAMILIES, build_network, complete_network

_LAZY = {
    "FAMILIES": "search_spaces.networks.families",
    "Complexity": "search_spaces.cost",
    "build_network": "search_spaces.networks.families",
    "complete_network": "search_spaces.networks.families",
    "complexity": "search_spaces.cost",
}

__all__ = [
    "DESIGNS",
    "FAMILIES",
    "Arm",
    "Complexity",
    "Factor",
    "Level",
    "SettingError",
    "Space",
    "arms",
    "build_network",
    "canonical_json",
    "complete_network",
    "complexity",
    "parse_factors",
    "resolve_baseline",
    "settings_hash",
    "unknown",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
