"""A replay of a study: finished trials of a results DB stand in for training, and the DB stays as it is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.records.study_plan import StudyPlan
from orchestrator.storage import Store
from reports.trials import State, Trial

FOLDER = "replay"
_BEFORE = ("replay.db", "replay.db-wal", "replay.db-shm", "optuna.db")


@dataclass(frozen=True)
class Replay:
    """The trials that answer, by id, and the folder for what the replay itself leaves behind."""

    trials: dict[str, Trial]
    folder: Path

    @property
    def database(self) -> str:
        """The results DB of the replay."""
        return f"sqlite:///{self.folder / _BEFORE[0]}"

    def plan(self, plan: StudyPlan) -> StudyPlan:
        """Return what a replay of `plan` asks for: of a search what is on record alone; UserError without its baseline.

        What is fixed beforehand stays as it is: a trial that is not on record fails.
        """
        if not plan.is_search:
            return plan
        trials = tuple(trial for trial in plan.trials if trial.id in self.trials)
        trained = {trial.arm.id for trial in trials}
        baseline, search = plan.arms[0], plan.settings["search"]
        if baseline.arm.id not in trained:
            held_out = f"data.validation: {search['validation']:g}"
            raise UserError(
                f"--executor replay: the baseline {baseline.arm.name} is not on record; a replay needs a finished "
                f"study of the same settings with seeds from 0 on and {held_out}"
            )
        note = (
            "replay: every trial is answered from the record, on a simulated clock, and arms are confirmed only where "
            "their confirmation is on record, too; then the search is repeated with "
            f"{search['compare']['seeds']} seeds for each sampler and scheduler that is compared"
        )
        arms = tuple(arm for arm in plan.arms if arm.arm.id in trained)
        return replace(plan, arms=arms, trials=trials, notes=(*plan.notes, note))

    def has(self, trials: Iterable[str]) -> bool:
        """Whether all of these trials are on record."""
        return all(trial in self.trials for trial in trials)


def open_replay(url: str, out: Path) -> Replay:
    """Read every trial with a result from the results DB at `url`; UserError when there is none.

    What an earlier replay left in its folder is removed.
    """
    trials: dict[str, Trial] = {}
    with Store.open(url, read_only=True) as store:
        for study in store.studies():
            trials |= {each.id: each for each in store.load_study(study.name).trials if _has_result(each)}
    if not trials:
        raise UserError(f"--executor replay: no trial in {url} has a result; run a study there first")
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in _BEFORE:
        (folder / name).unlink(missing_ok=True)
    return Replay(trials, folder)


def _has_result(trial: Trial) -> bool:
    return trial.state in (State.COMPLETE, State.DIVERGED)
