"""What the probes of a study cost, which weights it keeps, and which networks a probe cannot measure."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from orchestrator.records.study_plan import PlannedArm, PlannedTrial
from orchestrator.scheduling.arm_facts import data_info, trial_cost, trial_epochs
from reports.analysis.claims import Claim
from reports.wording import counted
from search_spaces.arm import Arm, canonical_json
from search_spaces.errors import SettingError
from search_spaces.fact_cache import cached_fact
from search_spaces.user_code import calling
from trainers.probes import ProbeRequest, Workload, complete_probes

SMALL = 1_000_000
"""Parameters of the largest network whose weights are kept without being asked for."""
BYTES = 4  # of a parameter


def complete_keep(given: str | None, arms: Sequence[PlannedArm], requests: Sequence[ProbeRequest]) -> str:
    """Return which weights are kept: what the file says, else the last ones where they are wanted or small."""
    if given is not None:
        return given
    return "last" if requests or all(arm.params <= SMALL for arm in arms) else "none"


def probe_notes(arms: Sequence[PlannedArm], requests: Sequence[ProbeRequest]) -> list[str]:
    """Say which networks the probes cannot measure."""
    return [note for request in requests if (note := _cannot(request, arms))]


def probe_costs(
    arms: Sequence[PlannedArm], trials: Sequence[PlannedTrial], requests: Sequence[ProbeRequest], keep: str
) -> list[str]:
    """Say what the probes cost beside the training, which of them measure nothing, and how large the weights are."""
    seeds = Counter(trial.arm.id for trial in trials)
    notes = []
    if requests:
        training = sum(seeds[arm.arm.id] * trial_cost(arm.arm) for arm in arms)
        shares = {
            request.kind: sum(_measured(request, seeds[arm.arm.id], keep) * _cost(request, arm) for arm in arms)
            / training
            for request in requests
        }
        parts = ", ".join(f"{kind} {share:,.1%}" for kind, share in shares.items())
        notes.append(
            f"probes: about {sum(shares.values()):,.0%} of the training's multiply-adds on top of it ({parts})"
        )
        notes += [note for each in requests if (note := _without_partners(each, arms, seeds, keep))]
    if keep != "none":
        size = sum(seeds[arm.arm.id] * _kept_bytes(arm, keep) for arm in arms)
        notes.append(f"weights: {_WHICH[keep]} of each trial are kept, about {_size(size)} in all")
    return notes


def _measured(request: ProbeRequest, seeds: int, keep: str) -> int:
    """Return how many networks of an arm with so many seeds a probe measures."""
    if not request.probe.needs_partner:
        return seeds
    return max(seeds - 1, 0) if keep != "none" else 0


def _without_partners(
    request: ProbeRequest, arms: Sequence[PlannedArm], seeds: Mapping[str, int], keep: str
) -> str | None:
    """Say that a probe of two networks lacks one of them; None where it does not."""
    without = [arm.arm.name for arm in arms if not _measured(request, seeds[arm.arm.id], keep)]
    if not request.probe.needs_partner or not without:
        return None
    needs = "it compares the networks of two seeds"
    if keep == "none":
        return f"{request.kind} measures nothing: {needs}, whose weights it reads, and `keep: none` keeps no weights"
    if len(without) == len(arms):
        return f"{request.kind} measures nothing: {needs}, and every arm has one; ask for `seeds: 2` or more"
    more = f" and {counted(len(without) - 1, 'other arm')}" if len(without) > 1 else ""
    return f'{request.kind} measures nothing in "{without[0]}"{more}: {needs}, and there is one'


def unmeasured_claims(study: str, claims: Sequence[Claim], requests: Sequence[ProbeRequest]) -> list[str]:
    """Name the claims about what a probe measures that the study does not ask for."""
    asked = [request.kind for request in requests]
    return [
        f"claim {claim.id}: no probe of this study measures {claim.metric}: write "
        f"`probes: [{', '.join([*asked, kind])}]`, or after the run `orchestrate probe {study} --kind {kind}`"
        for claim in claims
        if "." in claim.metric and (kind := claim.metric.partition(".")[0]) not in asked
    ]


_WHICH = {"last": "those after the last epoch", "best": "those of the best epoch", "all": "those of every epoch"}


def unit_count(arm: Arm) -> int:
    """Return how many units the network of an arm has (`search_spaces.units`); it is built without memory."""
    info = data_info(arm)
    return _units(canonical_json(arm.settings["network"]), info.input_shape, info.num_classes)


@cache
def _units(network: str, shape: tuple[int, int, int], classes: int) -> int:
    def count() -> int:
        import torch  # takes seconds, and a study without probes need not know

        from search_spaces import build_network
        from search_spaces.units import find_units

        with torch.device("meta"):
            return len(find_units(build_network(json.loads(network), shape, classes), torch.empty(2, *shape)))

    return int(cached_fact("units", [json.loads(network), shape, classes], count))


def _cannot(request: ProbeRequest, arms: Sequence[PlannedArm]) -> str | None:
    without = [arm.arm.name for arm in arms if not unit_count(arm.arm)] if request.probe.needs_units else []
    if not without:
        return None
    more = f" and {counted(len(without) - 1, 'other arm')}" if len(without) > 1 else ""
    return (
        f'{request.kind} cannot measure "{without[0]}"{more}: it needs units, parts of one class that stand in a '
        "Sequential or ModuleList"
    )


def _cost(request: ProbeRequest, planned: PlannedArm) -> float:
    info = data_info(planned.arm)
    load = Workload(unit_count(planned.arm), info.train_size, info.test_size, trial_epochs(planned.arm))
    with calling(request.name, ("probes",)):
        request.probe.moments(load.epochs)  # what fails there would fail in the middle of a training
        return float(request.probe.forward_passes(load)) * planned.flops


def _kept_bytes(planned: PlannedArm, keep: str) -> int:
    return BYTES * planned.params * (trial_epochs(planned.arm) if keep == "all" else 1)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def check_probes(given: object, is_search: bool) -> tuple[ProbeRequest, ...]:
    """Return the probes that a study file asks for; SettingError, with the key ``probes``, for what cannot be."""
    try:
        requests = complete_probes(given)
        if requests and is_search:
            raise SettingError("a search measures no network: run the arms that it chose as a study of their own")
    except SettingError as error:
        raise error.under("probes") from None
    return requests


def as_entries(requests: Sequence[ProbeRequest]) -> list[dict[str, Any]]:
    """Return probes as a study file would list them, every default filled in."""
    return [{"name": request.name, **request.settings} for request in requests]
