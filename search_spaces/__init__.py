"""What can vary in a study, and the network that each choice stands for.

The names that build networks need torch and are imported on first use: reading a study file or a report needs none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from search_spaces.arm import Arm, canonical_json, settings_hash
from search_spaces.constraints import Constraint, Match, keep_where, match_costs, parse_match, parse_where
from search_spaces.cost_gaps import CostGap, unequal_costs
from search_spaces.designs import DESIGNS, arms, design_notes, resolve_baseline
from search_spaces.errors import SettingError, unknown
from search_spaces.factors import Factor, Level, parse_factors
from search_spaces.space import Space
from search_spaces.wiring import PLACEMENTS, Wiring, parse_wiring, wiring_name
from search_spaces.wiring_space import sample_wirings, wirings

if TYPE_CHECKING:
    from search_spaces.checks import identical_graphs, without_gradient
    from search_spaces.cost import Complexity, complexity
    from search_spaces.describe import NetworkDescription, describe_network
    from search_spaces.networks.families import FAMILIES, build_network, complete_network

_LAZY = {
    "NetworkDescription": "search_spaces.describe",
    "describe_network": "search_spaces.describe",
    "identical_graphs": "search_spaces.checks",
    "without_gradient": "search_spaces.checks",
    "FAMILIES": "search_spaces.networks.families",
    "Complexity": "search_spaces.cost",
    "build_network": "search_spaces.networks.families",
    "complete_network": "search_spaces.networks.families",
    "complexity": "search_spaces.cost",
}

__all__ = [
    "DESIGNS",
    "FAMILIES",
    "PLACEMENTS",
    "Arm",
    "Complexity",
    "Constraint",
    "CostGap",
    "Factor",
    "Level",
    "Match",
    "NetworkDescription",
    "SettingError",
    "Space",
    "Wiring",
    "arms",
    "build_network",
    "canonical_json",
    "complete_network",
    "complexity",
    "describe_network",
    "design_notes",
    "identical_graphs",
    "keep_where",
    "match_costs",
    "parse_factors",
    "parse_match",
    "parse_where",
    "parse_wiring",
    "resolve_baseline",
    "sample_wirings",
    "settings_hash",
    "unequal_costs",
    "unknown",
    "wiring_name",
    "wirings",
    "without_gradient",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
