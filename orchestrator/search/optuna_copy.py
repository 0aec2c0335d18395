"""A copy of every decided proposal in Optuna's own tables, for optuna-dashboard; a search does not read it."""

from pathlib import Path
from typing import Any

import optuna

from orchestrator.records.proposal import Proposal
from orchestrator.search.optimization import OptimizationRun, quietly
from orchestrator.storage import Store

NAME = "optuna.db"
SCHEMA = "optuna"


def optuna_address(store: Store, folder: Path) -> str:
    """Return where Optuna's tables go, since they have the names of ours: a file in `folder`, or a schema of a server.

    The folder or the schema is made where there is none yet.
    """
    url = store.own_schema(SCHEMA)
    if url is not None:
        return url
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / NAME}"


class OptunaCopy:
    """The proposals of a study's optimizations in Optuna's tables at `address`.

    A proposal is written once it is decided, in one transaction, so there is never a trial that seems to run.
    """

    def __init__(self, address: str, study: str) -> None:
        self._study = study
        with quietly():
            self._storage = optuna.storages.RDBStorage(address)
        self._studies: dict[str, optuna.Study] = {}
        self._written: dict[str, set[int]] = {}

    def write(self, optimization: OptimizationRun, name: str) -> None:
        """Add the decided proposals of an optimization run that are not there yet; `name` tells its versions apart."""
        title = f"{self._study} {optimization.role} {name}"
        with quietly():
            if title not in self._studies:
                self._open(title, optimization)
            for proposal, trial in optimization.finished(self._written[title]):
                self._studies[title].add_trial(_frozen(optimization, proposal, trial))
                self._written[title].add(proposal.number)

    def close(self) -> None:
        """Close the connections."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _open(self, title: str, optimization: OptimizationRun) -> None:
        study = optuna.create_study(
            storage=self._storage, study_name=title, directions=optimization.study.directions, load_if_exists=True
        )
        study.set_metric_names(list(optimization.settings.objectives))
        study.set_user_attr("sampler", dict(optimization.sampler))
        self._studies[title] = study
        self._written[title] = {trial.user_attrs["proposal"] for trial in study.get_trials(deepcopy=False)}


def _frozen(optimization: OptimizationRun, proposal: Proposal, trial: Any) -> optuna.trial.FrozenTrial:
    facts = {
        "proposal": proposal.number,
        "origin": proposal.origin,
        "status": proposal.status,
        "reason": proposal.reason,
    }
    planned = optimization.arms.get(proposal.arm or "")
    frozen = optuna.trial.create_trial(
        state=trial.state,
        values=trial.values,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=trial.intermediate_values,
        user_attrs={**facts, "arm": planned.arm.name if planned else None},
    )
    frozen.datetime_start, frozen.datetime_complete = trial.datetime_start, trial.datetime_complete
    return frozen
