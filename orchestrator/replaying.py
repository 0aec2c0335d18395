"""A replay of a study: finished trials of a results DB stand in for training, and the DB stays as it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.storage import Store
from reports.results import State, Trial

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
