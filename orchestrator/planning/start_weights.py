"""Which start weights pairing by seed shares: each arm against the baseline arm of its context."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from orchestrator.records.study_plan import PlannedArm
from orchestrator.scheduling.arm_facts import data_info
from reports.trials import Scalar
from reports.wording import counted
from search_spaces import canonical_json
from search_spaces.fact_cache import cached_fact
from trainers.records import DataInfo

MOST_PARAMETERS, MOST_NETWORKS = 10_000_000, 100
"""So many parameters and networks, over all that are compared, are built for the count at most: about two seconds."""
NAMED = 3


def start_weight_notes(planned: Sequence[PlannedArm], baseline: Mapping[str, Scalar]) -> list[str]:
    """Count the weight tensors that arms of one seed share with their baseline before training.

    Nothing where no arm has a baseline, or where the networks are too large or too many to be built for it.
    """
    pairs = _pairs(planned, baseline)
    networks = {_network(each): each for pair in pairs for each in pair}
    parameters = sum(each.params for each in networks.values())
    if not pairs or len(networks) > MOST_NETWORKS or parameters > MOST_PARAMETERS:
        return []
    groups: dict[str, list[str]] = {"all": [], "some": [], "none": []}
    for arm, base in pairs:
        shared, ours, total = _shared(_network(arm), _network(base))
        kind = "none" if not shared else "all" if shared == total == ours else "some"
        groups[kind].append(f"{arm.arm.name}: {shared} of {total}")
    told = [f"{how} in {counted(len(arms), 'arm')} ({_some(arms)})" for how, arms in groups.items() if arms]
    return [f"start weights that an arm shares with its baseline by seed, in tensors: {'; '.join(told)}"]


def _pairs(planned: Sequence[PlannedArm], baseline: Mapping[str, Scalar]) -> list[tuple[PlannedArm, PlannedArm]]:
    """Return every arm with its baseline arm, where it has one."""
    by_levels = {canonical_json(dict(each.arm.levels)): each for each in planned}
    pairs = []
    for each in planned if baseline else ():
        base = by_levels.get(canonical_json({**each.arm.levels, **baseline}))
        if base is not None and base is not each:
            pairs.append((each, base))
    return pairs


def _network(planned: PlannedArm) -> str:
    """Return what tells one network's start weights from another's."""
    settings, info = planned.arm.settings, data_info(planned.arm)
    return canonical_json([settings["network"], settings["training"]["init"], list(info.input_shape), info.num_classes])


@cache
def _shared(network: str, other: str) -> tuple[int, int, int]:
    """Return how many weight tensors two networks share, and how many each of them has.

    Both counts are of one process: another processor may draw numbers that differ in the last digit.
    """

    def count() -> list[int]:
        ours, theirs = _weights(network), _weights(other)
        return [(ours & theirs).total(), ours.total(), theirs.total()]

    shared, ours, theirs = cached_fact("start weights", [json.loads(network), json.loads(other)], count)
    return shared, ours, theirs


@cache
def _weights(network: str) -> Counter[str]:
    from trainers.step.start_weights import drawn_weights, start_network  # torch takes seconds to import

    settings, init, shape, classes = json.loads(network)
    return drawn_weights(start_network(settings, init, 0, DataInfo(tuple(shape), classes, 0, 0, "")))


def _some(arms: Sequence[str]) -> str:
    return ", ".join(arms[:NAMED]) + (", …" if len(arms) > NAMED else "")
