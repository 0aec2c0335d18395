"""What the names in a study file stand for, by name: the class or function whose arguments are the settings.

Each is imported when it is asked for: torch, which the networks and the data sets need, takes seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from search_spaces.annotations import About, Range, Target


def network_fields() -> Mapping[str, Target]:
    """Return the settings of each family of networks."""
    from search_spaces.networks.families import FAMILIES

    return {name: family.settings for name, family in FAMILIES.items() if family.settings is not None}


@dataclass(frozen=True, kw_only=True)
class EveryData:
    """What `data:` may say whatever the data set."""

    validation: Annotated[float, Range(0, 0.5), About("the part of the training images that is held out", "share")] = (
        0.0
    )


def data_fields() -> Mapping[str, Target]:
    """Return the settings of each data set."""
    from trainers.settings.data import data_sets, loader

    return {name: loader(name) for name in data_sets()}


def design_fields() -> Mapping[str, Target]:
    """Return the options of each design; those of a search stand under `search:`."""
    from search_spaces.designs import DESIGNS

    def search() -> None:
        """A sampler chooses the arms, as `search:` says."""

    return {**DESIGNS, "search": search}


def probe_fields() -> Mapping[str, Target]:
    """Return the settings of each probe."""
    from trainers.probes import PROBES

    return PROBES


def training_fields() -> Target:
    """Return the settings of a training."""
    from trainers.settings.recipe import TrainingWithRecipe

    return TrainingWithRecipe


def search_fields() -> Target:
    """Return the settings of a search."""
    from orchestrator.study_file.search.search_settings import SearchFields

    return SearchFields


def match_fields() -> Target:
    """Return the settings of the matching of costs."""
    from search_spaces.constraints import MatchFields

    return MatchFields
