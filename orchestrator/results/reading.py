"""What the commands that read results share: a study's summary, and a published report held against it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError
from orchestrator.home import expanded
from orchestrator.planning.preregistration import PlanCheck, altered_plans, check_plan
from orchestrator.results.location import database
from orchestrator.storage import Store
from reports.analysis.verdicts import judge_study
from reports.findings import find
from reports.privacy import without_private_facts
from reports.summary import canonical, summary_of
from reports.verification import read_published
from reports.verification import verify as compared


def summary(name: str, db: str | None) -> Mapping[str, Any]:
    """Return what `study.json` holds: of a report where `name` is its folder or file, else of a study in the DB."""
    path = expanded(name)
    if path.is_file() or (path / "study.json").is_file():
        return _published(path)[1]
    with Store.open(database(db), read_only=True) as store:
        study = store.load_study(name)
    text = canonical(summary_of(find(without_private_facts(study), judge_study(study))))
    facts: Mapping[str, Any] = json.loads(text)
    return facts


@dataclass(frozen=True)
class Verification:
    """What a published report is against the results: a line for each of its `differences`.

    `plan` says what a pre-registered hash turned out to be, None where none was given.
    """

    differences: tuple[str, ...]
    plan: PlanCheck | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing differs, and the plan is the one that was registered."""
        return not self.differences and (self.plan is None or self.plan.holds)


def verified(report: Path, db: str | None, plan: str | None = None) -> Verification:
    """Compute a published report and the hashes of its plans from the DB again.

    `plan` is the hash of the plan that was registered before the study.
    """
    folder, published = _published(report)
    with Store.open(database(db), read_only=True) as store:
        study = store.load_study(str(published["study"]))
    check = None if plan is None else check_plan(study, plan)
    differences = compared(folder, published, study, judge_study(study))
    return Verification((*altered_plans(study), *differences), check)


def _published(path: Path) -> tuple[Path, Mapping[str, Any]]:
    try:
        return read_published(expanded(path))
    except ValueError as error:
        raise UserError(str(error)) from None
