"""Which finished networks are still to be measured, and from which weights."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from orchestrator.scheduling.packs import Pack
from orchestrator.storage import Store
from reports.results import Study
from reports.trials import State, Trial
from trainers.probes import ProbeRequest, complete_probes


def study_probes(settings: Mapping[str, Any]) -> tuple[ProbeRequest, ...]:
    """Return the probes that the complete settings of a study ask for."""
    return complete_probes(settings.get("probes") or [])


def measuring_packs(
    store: Store, study: Study, trials: Sequence[Trial], requests: Sequence[ProbeRequest], *, again: bool = False
) -> list[Pack]:
    """Return a pack for each complete trial with kept weights that lacks a measurement.

    A measurement that failed counts as made, unless `again`. Weights of the last epoch kept are measured. A probe that
    needs a partner measures each seed of an arm but the last, together with the next.
    """
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    ids = [trial.id for trial in complete]
    known, kept = store.measured(ids, with_failed=not again), store.weights(ids)
    settings = {arm.name: arm.settings for arm in study.arms}
    files = {trial.id: kept[trial.id][-1].path for trial in complete if trial.id in kept}
    partners = _partners([trial for trial in complete if trial.id in files])
    packs = []
    for trial in complete:
        made, partner = known.get(trial.id, set()), partners.get(trial.id)
        missing = tuple(
            request
            for request in requests
            if f"{request.kind}/{request.key}" not in made and (partner or not request.probe.needs_partner)
        )
        if missing and trial.id in files:
            weights = {trial.seed: files[trial.id]}
            other = {trial.seed: files[partner.id]} if partner else {}
            packs.append(
                Pack(settings[trial.arm], {trial.seed: trial.id}, probes=missing, weights=weights, partners=other)
            )
    return packs


def _partners(trials: Sequence[Trial]) -> dict[str, Trial]:
    """Return the trial of the arm's next seed by the id of each trial that has one."""
    ordered = sorted(trials, key=lambda trial: (trial.arm, trial.seed))
    return {one.id: other for one, other in pairwise(ordered) if one.arm == other.arm}


def unmeasurable(store: Store, trials: Sequence[Trial]) -> list[Trial]:
    """Return the complete trials whose weights were not kept."""
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    kept = store.weights([trial.id for trial in complete])
    return [trial for trial in complete if trial.id not in kept]
