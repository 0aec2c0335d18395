"""A search over small networks, and a trainer that makes its numbers up."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.scheduling.packs import Pack
from orchestrator.search.search_plan import SearchPlan, plan_search
from orchestrator.search.source import SearchSource
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml
from reports.trials import Epoch, State

FILE: dict[str, Any] = {
    "study": "hunt",
    "data": "digits",
    "network": {"family": "resnet_cifar", "width": 2, "depth": 8},
    "factors": {
        "shortcut": ["identity", "none", {"op": "scale"}],
        "width": {"low": 1, "high": 4},
        "training.lr": {"low": 0.01, "high": 0.5, "log": True},
    },
    "design": "search",
    "search": {"arms": 6, "confirm": {"best": 2, "seeds": 2}},
    "training": {"recipe": "quick", "epochs": 3},
}


def plan_of(**changes: Any) -> SearchPlan:
    """Plan the search of FILE with some keys changed; those of `search` are laid over its own."""
    search = {**FILE["search"], **changes.pop("search", {})}
    file = {**FILE, **changes, "search": search}
    return plan_search(check_study(parse_yaml(yaml.safe_dump(file, sort_keys=False), "hunt.yaml"), Path(".")))


@pytest.fixture(scope="session")
def planned_arms() -> dict[str, Any]:
    """Return what is known of the arms that earlier tests have built."""
    return {}


def made_up_error(pack: Pack) -> float:
    """Return an error that depends on the arm alone: least at a learning rate of 0.1 and a large width."""
    lr, width = pack.settings["training"]["lr"], pack.settings["network"]["width"]
    return abs(lr - 0.1) * 100 + 10 / width


def train(
    source: SearchSource,
    error: Callable[[Pack], float] = made_up_error,
    until: int | None = None,
    diverging: Callable[[Pack], bool] = lambda pack: False,
) -> Iterator[Pack]:
    """Train the packs of a source one after the other with made-up errors, as an executor would."""
    for _ in range(until if until is not None else 10_000):
        pack = source.next()
        if pack is None:
            return
        yield pack
        for trial in pack.trials.values():
            source.tell(AttemptStarted(trial, "cpu", "here", {}))
        tell_all(source, pack, error, diverging)


def tell_all(
    source: SearchSource, pack: Pack, error: Callable[[Pack], float], diverging: Callable[[Pack], bool]
) -> None:
    """Tell the three epochs of a pack, its seeds in step, unless the scheduler stops it."""
    if diverging(pack):
        for trial in pack.trials.values():
            source.tell(TrialEnded(trial, State.DIVERGED, "loss 1e13"))
        return
    for epoch in range(1, 4):
        for trial in pack.trials.values():
            tell_epoch(source, trial, epoch, error(pack) + 10 / epoch + noise(trial))
        ends = source.stopped(pack)
        for end in ends:
            source.tell(end)
        if ends:
            return
    for trial in pack.trials.values():
        source.tell(TrialEnded(trial, State.COMPLETE, seconds=3.0))


def tell_epoch(source: SearchSource, trial: str, epoch: int, error: float) -> None:
    """Tell an epoch of one trial with that validation error."""
    source.tell(EpochDone(trial, Epoch(epoch, 1.0, 1.0, 1.0, 99.0, 0.1, 1.0, error / 10, error)))


def noise(trial: str) -> float:
    return hashlib.sha256(trial.encode()).digest()[0] / 256
