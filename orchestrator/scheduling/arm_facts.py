"""What is known of an arm before it is trained: its data and network, its trials, their work."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import trainers
from orchestrator.records.study_plan import PlannedArm, PlannedTrial
from search_spaces import checks
from search_spaces.arm import Arm, canonical_json, settings_hashes
from search_spaces.cost import Complexity, trace_network
from search_spaces.describe import NetworkDescription, describe_trace
from search_spaces.effect import effect_hash
from search_spaces.errors import with_key


def data_info(arm: Arm) -> trainers.DataInfo:
    """Return shape, sizes and fingerprint of the data that an arm trains on; read once a process."""
    return _inspect(canonical_json(arm.settings["data"]))


def network_cost(arm: Arm) -> Complexity:
    """Return parameters, multiply-adds, activations and graph of an arm's network, built without memory for it."""
    return describe_arm(arm).total


def describe_arm(arm: Arm) -> NetworkDescription:
    """Describe an arm's network for the images of its data: in words, stage by stage, and its unit to be drawn."""
    return _traced(arm).description


def parameters_without_gradient(arm: Arm) -> tuple[str, ...]:
    """Return the parameters of an arm's network that the loss cannot move."""
    return _traced(arm).without_gradient


def effect(arm: Arm) -> str:
    """Return a hash that arms share whose networks compute the same for all weights, however they are spelt."""
    return _traced(arm).effect


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
    return 3.0 * network_cost(arm).flops * trial_images(arm)


def plan_arm(arm: Arm) -> PlannedArm:
    """Note what is known of an arm's network: parameters, multiply-adds, graph, and its description."""
    with_key("training", trainers.check_batch_size, arm.settings["training"], data_info(arm).train_size)
    traced = _traced(arm)
    total = traced.description.total
    return PlannedArm(arm, total.params, total.flops, total.graph, traced.as_mapping)


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
    ids = settings_hashes(
        arm.settings, ({"fingerprint": fingerprint, "seed": seed} for seed in seeds), trainers.COSMETIC_SETTINGS
    )
    return tuple(
        PlannedTrial(id=id, arm=arm, seed=seed, fingerprint=fingerprint) for id, seed in zip(ids, seeds, strict=True)
    )


@cache
def _inspect(data: str) -> trainers.DataInfo:
    return with_key("data", trainers.inspect_data, json.loads(data))


@dataclass(frozen=True)
class _Traced:
    """What one pass through a network tells, shared by all arms that have this network."""

    description: NetworkDescription
    as_mapping: Mapping[str, Any]
    without_gradient: tuple[str, ...]
    effect: str


def _traced(arm: Arm) -> _Traced:
    info = data_info(arm)
    return _trace(canonical_json(arm.settings["network"]), info.input_shape, info.num_classes)


@cache
def _trace(network: str, shape: tuple[int, int, int], classes: int) -> _Traced:
    """Run the network once on the meta device; a deep one takes a good part of a second."""
    settings = json.loads(network)
    traced = with_key("network", trace_network, settings, shape, classes)
    description = describe_trace(settings, traced)
    return _Traced(
        description, description.as_mapping(), checks.parameters_without_gradient(traced), effect_hash(traced)
    )
