"""What is known of an arm before it is trained: its data and network, its trials, their work."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import trainers
from orchestrator.records.study_plan import PlannedArm, PlannedTrial
from search_spaces.arm import Arm, canonical_json, settings_hashes
from search_spaces.errors import with_key
from search_spaces.fact_cache import cached_fact
from trainers.records import DataInfo
from trainers.settings.data import WITHOUT_FILES


@dataclass(frozen=True)
class NetworkFacts:
    """What one pass through a network tells, shared by all arms that have this network.

    `params`, `flops` and `graph` are those of `search_spaces.Complexity`. Arms share an `effect` whose networks compute
    the same for all weights, however they are spelt. `without_gradient` names the parameters that the loss cannot move.
    `description` is the network in words, stage by stage, and its unit (`search_spaces.describe`) as plain values.
    """

    params: int
    flops: int
    graph: str
    effect: str
    without_gradient: tuple[str, ...]
    description: Mapping[str, Any]


def data_info(arm: Arm) -> DataInfo:
    """Return shape, sizes and fingerprint of the data that an arm trains on; read once a process."""
    return _inspect(canonical_json(arm.settings["data"]))


def network_facts(arm: Arm) -> NetworkFacts:
    """Return what is known of an arm's network without training it, for the images of its data."""
    info = data_info(arm)
    return _network(canonical_json(arm.settings["network"]), info.input_shape, info.num_classes)


def trial_images(arm: Arm) -> int:
    """Return how many images a trial of this arm trains on, counting each as often as it comes."""
    training = arm.settings["training"]
    if training["iterations"] is not None:
        return int(training["iterations"] * min(training["batch_size"], data_info(arm).train_size))
    return int(training["epochs"] * data_info(arm).train_size)


def trial_epochs(arm: Arm) -> int:
    """Return how many epochs a trial of this arm takes; the last one may be a part."""
    return math.ceil(trial_images(arm) / data_info(arm).train_size)


def trial_cost(arm: Arm) -> float:
    """Return the multiply-adds of one trial of this arm: forward and backward passes over all its images."""
    return 3.0 * network_facts(arm).flops * trial_images(arm)


def plan_arm(arm: Arm) -> PlannedArm:
    """Note what is known of an arm's network and of how many images it sees, which its description has, too."""
    info = data_info(arm)
    with_key("training", trainers.check_batch_size, arm.settings["training"], info.train_size)
    facts = network_facts(arm)
    images = {"training": info.train_size, "validation": info.validation_size, "test": info.test_size}
    return PlannedArm(arm, facts.params, facts.flops, facts.graph, {**facts.description, "images": images})


def data_notes(arms: Iterable[PlannedArm]) -> list[str]:
    """Say what was decided about the data of arms, and where a recipe's batch is larger than it: each sentence once."""
    sentences: dict[str, None] = {}
    for arm in (each.arm for each in arms):
        info = data_info(arm)
        sentences |= dict.fromkeys(f"data: {note}" for note in info.notes)
        if note := trainers.check_batch_size(arm.settings["training"], info.train_size):
            sentences[f"training: {note}"] = None
    return list(sentences)


def plan_trials(arm: Arm, seeds: Iterable[int]) -> tuple[PlannedTrial, ...]:
    """Return the trials of one arm; their ids hash settings, data and seed, so that every study can share them."""
    fingerprint, seeds = data_info(arm).fingerprint, tuple(seeds)
    shared = {**arm.settings, "fingerprint": fingerprint}
    ids = settings_hashes(shared, ({"seed": seed} for seed in seeds), trainers.COSMETIC_SETTINGS)
    return tuple(
        PlannedTrial(id=id, arm=arm, seed=seed, fingerprint=fingerprint) for id, seed in zip(ids, seeds, strict=True)
    )


@cache
def _inspect(data: str) -> DataInfo:
    settings = json.loads(data)
    if settings["name"] not in WITHOUT_FILES:
        return with_key("data", trainers.inspect_data, settings)
    facts = cached_fact("data", settings, lambda: _plain(with_key("data", trainers.inspect_data, settings)))
    shape, notes = tuple(facts["input_shape"]), tuple(facts["notes"])
    return DataInfo(**{**facts, "input_shape": shape, "notes": notes})


@cache
def _network(network: str, shape: tuple[int, int, int], classes: int) -> NetworkFacts:
    given = {"network": json.loads(network), "shape": shape, "classes": classes}
    facts = cached_fact("network", given, lambda: _plain(_worked_out(**given)))
    return NetworkFacts(**{**facts, "without_gradient": tuple(facts["without_gradient"])})


def _worked_out(network: Mapping[str, Any], shape: tuple[int, int, int], classes: int) -> NetworkFacts:
    """Run a network once on the meta device; a deep one takes a good part of a second."""
    from search_spaces.checks import parameters_without_gradient  # these take seconds to import, for torch
    from search_spaces.cost import trace_network
    from search_spaces.describe import describe_trace
    from search_spaces.effect import effect_hash

    traced = with_key("network", trace_network, network, shape, classes)
    description = describe_trace(network, traced)
    total = description.total
    return NetworkFacts(
        params=total.params,
        flops=total.flops,
        graph=total.graph,
        effect=effect_hash(traced),
        without_gradient=parameters_without_gradient(traced),
        description=description.as_mapping(),
    )


def _plain(facts: DataInfo | NetworkFacts) -> dict[str, Any]:
    """Return facts as JSON has them: lists for tuples."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(facts)))
    return plain
