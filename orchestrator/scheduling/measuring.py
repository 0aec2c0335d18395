"""Which finished networks are still to be measured, and from which weights."""

from collections.abc import Sequence

from orchestrator.scheduling.packs import Pack
from orchestrator.storage import Store
from reports.results import State, Study, Trial
from trainers.probes import ProbeRequest


def measuring_packs(
    store: Store, study: Study, trials: Sequence[Trial], requests: Sequence[ProbeRequest], *, again: bool = False
) -> list[Pack]:
    """Return a pack for each complete trial with kept weights that lacks a measurement.

    A measurement that failed counts as made, unless `again`. Weights of the last epoch kept are measured.
    """
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    ids = [trial.id for trial in complete]
    known, kept = store.measured(ids, with_failed=not again), store.weights(ids)
    settings = {arm.name: arm.settings for arm in study.arms}
    packs = []
    for trial in complete:
        made = known.get(trial.id, set())
        missing = tuple(request for request in requests if f"{request.kind}/{request.key}" not in made)
        if missing and trial.id in kept:
            weights = {trial.seed: kept[trial.id][-1].path}
            packs.append(Pack(settings[trial.arm], {trial.seed: trial.id}, probes=missing, weights=weights))
    return packs


def unmeasurable(store: Store, trials: Sequence[Trial]) -> list[Trial]:
    """Return the complete trials whose weights were not kept."""
    complete = [trial for trial in trials if trial.state is State.COMPLETE]
    kept = store.weights([trial.id for trial in complete])
    return [trial for trial in complete if trial.id not in kept]
