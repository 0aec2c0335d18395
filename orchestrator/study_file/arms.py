"""The arms that a study file asks for: their settings complete, before costs are matched or anything is built."""

from collections.abc import Mapping
from typing import Any

import search_spaces
import trainers
from orchestrator.study_file.sections import StudyFile
from search_spaces import Space
from search_spaces.errors import with_key
from search_spaces.factors import Factor
from trainers.settings.data import SPLIT_BY_SEED


def complete_settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the three parts of an arm's settings and fill every default in."""
    data = with_key("data", trainers.complete_data, raw["data"])
    network = with_key("network", search_spaces.complete_network, raw["network"])
    training = with_key("training", trainers.complete_training, raw["training"], data)
    return {"data": data, "network": network, "training": training}


def split_by_seed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Complete an arm's settings, its data such that each seed draws its own test images."""
    data = {"name": raw["data"]} if isinstance(raw["data"], str) else raw["data"]
    return complete_settings({**raw, "data": {**data, SPLIT_BY_SEED: True}})


def arm_space(file: StudyFile, factors: tuple[Factor, ...]) -> Space:
    """Return the space that the factors of a study file span over its settings."""
    return Space(
        base={"data": file.data, "network": file.network, "training": file.training},
        factors=factors,
        complete=split_by_seed if file.splits_by_seed else complete_settings,
        cosmetic=trainers.COSMETIC_SETTINGS,
        exclude=tuple(file.exclude),
    )
