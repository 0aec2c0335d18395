"""Optuna's own storage beside the report: every decided proposal, for optuna-dashboard; a search does not read it."""

from pathlib import Path
from typing import Any

import optuna

from orchestrator.search.campaign import Campaign, quietly
from orchestrator.search.proposal import Proposal

NAME = "optuna.db"


class OptunaFile:
    """The proposals of a study's campaigns in a file of its own, since Optuna's tables have the names of ours.

    A proposal is written once it is decided, in one transaction, so the file never holds a trial that seems to run.
    """

    def __init__(self, path: Path, study: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._study = study
        with quietly():
            self._storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
        self._studies: dict[str, optuna.Study] = {}
        self._written: dict[str, set[int]] = {}

    def write(self, campaign: Campaign, name: str) -> None:
        """Add the decided proposals of a campaign that are not in the file yet; `name` tells its versions apart."""
        title = f"{self._study} {campaign.role} {name}"
        with quietly():
            if title not in self._studies:
                self._open(title, campaign)
            for proposal, trial in campaign.finished():
                if proposal.number not in self._written[title]:
                    self._studies[title].add_trial(_frozen(campaign, proposal, trial))
                    self._written[title].add(proposal.number)

    def close(self) -> None:
        """Close the file."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _open(self, title: str, campaign: Campaign) -> None:
        study = optuna.create_study(
            storage=self._storage, study_name=title, directions=campaign.study.directions, load_if_exists=True
        )
        study.set_metric_names(list(campaign.settings.objectives))
        study.set_user_attr("sampler", dict(campaign.sampler))
        self._studies[title] = study
        self._written[title] = {trial.user_attrs["proposal"] for trial in study.get_trials(deepcopy=False)}


def _frozen(campaign: Campaign, proposal: Proposal, trial: Any) -> optuna.trial.FrozenTrial:
    facts = {"proposal": proposal.number, "origin": proposal.origin, "fate": proposal.fate, "reason": proposal.reason}
    planned = campaign.arms.get(proposal.arm or "")
    return optuna.trial.create_trial(
        state=trial.state,
        values=trial.values,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=trial.intermediate_values,
        user_attrs={**facts, "arm": planned.arm.name if planned else None},
    )
