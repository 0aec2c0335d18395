"""Which start weights pairing by seed shares: each arm against the baseline arm of its context."""

from collections import Counter
from collections.abc import Mapping, Sequence

from orchestrator.records.study_plan import PlannedArm
from orchestrator.scheduling.arm_facts import data_info
from reports.trials import Scalar
from reports.wording import counted
from search_spaces import canonical_json
from trainers.step.start_weights import drawn_weights, start_network

MOST_PARAMETERS, MOST_NETWORKS = 10_000_000, 100
"""So many parameters and networks, over all that are compared, are built for the count at most: about two seconds."""
NAMED = 3
Weights = Counter[str]


def start_weight_notes(planned: Sequence[PlannedArm], baseline: Mapping[str, Scalar]) -> list[str]:
    """Count the weight tensors that arms of one seed share with their baseline before training.

    Nothing where no arm has a baseline, or where the networks are too large or too many to be built for it.
    """
    pairs = _pairs(planned, baseline)
    networks = {_network(each): each for pair in pairs for each in pair}
    parameters = sum(each.params for each in networks.values())
    if not pairs or len(networks) > MOST_NETWORKS or parameters > MOST_PARAMETERS:
        return []
    weights = {key: _start_weights(each) for key, each in networks.items()}
    groups: dict[str, list[str]] = {"all": [], "some": [], "none": []}
    for arm, base in pairs:
        ours, theirs = weights[_network(arm)], weights[_network(base)]
        shared, total = (ours & theirs).total(), theirs.total()
        kind = "none" if not shared else "all" if shared == total == ours.total() else "some"
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


def _start_weights(planned: PlannedArm) -> Weights:
    settings = planned.arm.settings
    return drawn_weights(start_network(settings["network"], settings["training"]["init"], 0, data_info(planned.arm)))


def _some(arms: Sequence[str]) -> str:
    return ", ".join(arms[:NAMED]) + (", …" if len(arms) > NAMED else "")
