"""How a run ended, and how that looks in a notebook."""

from dataclasses import dataclass
from pathlib import Path

from orchestrator.terminal.notebook import study_html, trial_counts
from reports.analysis.verdicts import Verdict
from reports.results import Study
from reports.trials import State, Trial


@dataclass(frozen=True, repr=False)
class RunResult:
    """How a run ended: the study with all its results, its verdicts and report, and whether it was interrupted.

    `budget_used` says that a budget ended it, `lost` why the cluster did, `unwritten` why there is no report, where one
    was asked for, and `untold` why whoever was to be notified may not know.
    """

    study: Study
    verdicts: tuple[Verdict, ...]
    report: Path | None
    interrupted: bool
    budget_used: bool = False
    lost: str | None = None
    unwritten: str | None = None
    untold: str | None = None

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that the study file asks for; those of arms that it no longer has are left out."""
        asked = {arm.name for arm in self.study.arms if not arm.orphaned}
        return tuple(trial for trial in self.study.trials if trial.arm in asked)

    @property
    def failed(self) -> int:
        """How many trials have no result because they failed."""
        return sum(trial.state is State.FAILED for trial in self.trials)

    def __repr__(self) -> str:
        """Return the study's name, its trials by state, and where the report is."""
        ended = ", interrupted" if self.interrupted else ""
        return f"<RunResult {self.study.name}: {trial_counts(self.study)}{ended}; report: {self.report}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the arms and the verdicts."""
        return study_html(self.study, self.verdicts, str(self.report) if self.report else None)
