"""The arms that a study file asks for: their settings complete, before costs are matched or anything is built."""

from collections.abc import Callable, Mapping
from typing import Any

import search_spaces
import trainers
from orchestrator.study_file.sections import StudyFile
from search_spaces import Space, canonical_json
from search_spaces.errors import with_key
from search_spaces.fact_cache import cached_fact
from search_spaces.factors import Factor
from trainers.settings.data import SPLIT_BY_SEED


def complete_settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the three parts of one arm's settings and fill every default in."""
    return Completion()(raw)


def default_network() -> dict[str, Any]:
    """Return the network of a study file that names none."""
    network: dict[str, Any] = cached_fact("network settings", {}, lambda: _network({}))
    return network


class Completion:
    """`complete_settings` for the arms of one space: a data set or network that many arms share is completed once.

    Such arms hold the same mapping, which nobody changes.
    """

    def __init__(self, *, splits_by_seed: bool = False) -> None:
        self._splits_by_seed = splits_by_seed
        self._known: dict[str, dict[str, Any]] = {}

    def __call__(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Validate the three parts of an arm's settings and fill every default in."""
        data = self._part("data", _data, _split(raw["data"]) if self._splits_by_seed else raw["data"])
        network = self._part("network", _network, raw["network"])
        training = with_key("training", trainers.complete_training, raw["training"], data)
        return {"data": data, "network": network, "training": training}

    def _part(self, name: str, complete: Callable[[Any], dict[str, Any]], raw: Any) -> dict[str, Any]:
        try:
            text = canonical_json({name: raw})
        except (TypeError, ValueError):  # what no file holds, and whose error is to be told
            return with_key(name, complete, raw)
        if text not in self._known:
            self._known[text] = cached_fact(f"{name} settings", raw, lambda: with_key(name, complete, raw))
        return self._known[text]


def _data(raw: Any) -> dict[str, Any]:
    return trainers.complete_data(raw)


def _network(raw: Any) -> dict[str, Any]:
    return search_spaces.complete_network(raw)  # which is found, with torch, when it is first asked for


def _split(data: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return data such that each seed draws its own test images."""
    return {**({"name": data} if isinstance(data, str) else data), SPLIT_BY_SEED: True}


def arm_space(file: StudyFile, factors: tuple[Factor, ...]) -> Space:
    """Return the space that the factors of a study file span over its settings."""
    return Space(
        base={"data": file.data, "network": file.network, "training": file.training},
        factors=factors,
        complete=Completion(splits_by_seed=file.splits_by_seed),
        cosmetic=trainers.COSMETIC_SETTINGS,
        exclude=tuple(file.exclude),
    )
