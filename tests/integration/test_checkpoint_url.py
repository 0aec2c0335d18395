"""A study whose unfinished trainings are kept in a folder that is named by its URL."""

import sqlite3
from pathlib import Path

import pytest

from orchestrator import RunOptions, run_study
from orchestrator.engine.worker import shared_folder
from orchestrator.errors import UserError
from trainers import Trainer

EPOCHS = 3


class NodeGone(BaseException):
    """What ends a training in the middle, as the death of its node would."""


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the second epoch of each training be its last."""
    run_epoch = Trainer.run_epoch

    def dies_in_the_third(self: Trainer) -> object:
        if len(self.records) == 2:
            raise NodeGone
        return run_epoch(self)

    monkeypatch.setattr(Trainer, "run_epoch", dies_in_the_third)
    return monkeypatch


def changes(url: str) -> list[str]:
    resources = f"resources={{checkpoints: '{url}', checkpoint_seconds: 0, seeds_per_pack: 1}}"
    return [resources, f"training.epochs={EPOCHS}", "seeds=1", "factors.variant={original: {}}"]


def options(out: str) -> RunOptions:
    return RunOptions(executor="inline", report=False, out=Path(out))


@pytest.mark.parametrize("storage", ["file", "memory"])
def test_another_machine_goes_on_and_nothing_is_left(
    small: Path, tmp_path: Path, cut_off: pytest.MonkeyPatch, storage: str
) -> None:
    url = f"file://{tmp_path}/shared" if storage == "file" else "memory://shared"
    shared_folder.cache_clear()
    run_study(small, changes=changes(url), options=options("first"), show=False)
    cut_off.undo()
    cut_off.chdir(small.parent)
    epochs: list[int] = []
    run_epoch = Trainer.run_epoch
    cut_off.setattr(Trainer, "run_epoch", lambda self: epochs.append(len(self.records) + 1) or run_epoch(self))
    result = run_study(small, changes=changes(url), options=options("second"), show=False)
    assert [trial.state.value for trial in result.trials] == ["COMPLETE"]
    assert epochs == [EPOCHS]
    files = shared_folder(url)
    assert files is not None
    assert [name for name in files._files.ls(files._root, detail=False) if ".pt" in str(name)] == []


def test_a_folder_that_cannot_be_written_is_one_message_before_anything_is_trained(small: Path) -> None:
    with pytest.raises(UserError, match=r"resources\.checkpoints: checkpoints cannot be kept in file:///proc/1/here: "):
        run_study(small, changes=changes("file:///proc/1/here"), options=options("out"), show=False)
    with sqlite3.connect("results.db") as db:
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (0,)


def test_memory_is_refused_where_other_processes_train(small: Path) -> None:
    with pytest.raises(UserError, match=r"resources\.checkpoints: memory:// is seen by one process alone"):
        run_study(small, changes=changes("memory://shared"), options=RunOptions(report=False), show=False)


def test_a_storage_without_its_library_is_one_message(small: Path) -> None:
    with pytest.raises(UserError, match=r"resources\.checkpoints: checkpoints cannot be kept in \w+://.*[Ii]nstall"):
        run_study(small, changes=changes("adl://store/folder"), options=options("out"), show=False)
