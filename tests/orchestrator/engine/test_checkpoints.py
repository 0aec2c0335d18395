"""Checkpoints: one that cannot be read or written never fails a trial, and none goes before its results are safe."""

from pathlib import Path

import pytest

import trainers
from orchestrator.engine.checkpoints import Checkpoints, RecordedPacks, paths, share, unshared
from orchestrator.records.events import Notice, TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.trials import State
from search_spaces import complete_network

DATA = trainers.complete_data(
    {"name": "synthetic", "shape": [1, 8, 8], "classes": 2, "train_size": 64, "test_size": 16}
)
TASK = trainers.Task(
    DATA,
    complete_network({"family": "resnet_cifar", "width": 2, "depth": 8}),
    trainers.complete_training({"recipe": "quick", "epochs": 3}, DATA),
    (0,),
)


def nothing() -> None:
    pass


@pytest.fixture
def trained(tmp_path: Path) -> Checkpoints:
    """Return the checkpoints of a training after its second epoch, one of each."""
    checkpoints = Checkpoints(tmp_path, "pack", 0)
    trainer, _ = checkpoints.resume(TASK, "cpu", 1)
    for _ in range(2):
        trainer.run_epoch()
        assert checkpoints.save(trainer, nothing) == []
    return checkpoints


def test_the_newest_checkpoint_is_gone_on_from(trained: Checkpoints) -> None:
    trainer, told = trained.resume(TASK, "cpu", 1)
    assert (len(trainer.records), told) == (2, [])


@pytest.mark.parametrize("content", [b"", b"rubbish", None], ids=["empty", "foreign", "torn"])
def test_a_spoilt_checkpoint_is_told_and_the_one_before_is_used(
    trained: Checkpoints, tmp_path: Path, content: bytes | None
) -> None:
    newest, _ = paths(tmp_path, "pack")
    whole = newest.read_bytes()
    newest.write_bytes(whole[: len(whole) // 2] if content is None else content)
    trainer, (notice,) = trained.resume(TASK, "cpu", 1)
    assert len(trainer.records) == 1
    assert isinstance(notice, Notice)
    assert notice.text.startswith("the checkpoint pack.pt on ")


def test_a_checkpoint_of_another_layout_is_told_and_the_training_starts_over(
    trained: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_another_version(path: Path) -> dict[str, object]:
        return {"task": None}

    monkeypatch.setattr("trainers.loop.load_checkpoint", of_another_version)
    trainer, told = trained.resume(TASK, "cpu", 1)
    assert (trainer.records, len(told)) == ([], 2)


def test_a_disk_that_takes_no_checkpoint_is_a_notice_and_the_old_one_stays(
    trained: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, state: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainers.loop.save_checkpoint", full)
    trainer, _ = trained.resume(TASK, "cpu", 1)
    trainer.run_epoch()
    (notice,) = trained.save(trainer, nothing)
    assert "No space left on device" in notice.text
    trainer, _ = trained.resume(TASK, "cpu", 1)
    assert len(trainer.records) == 2


def test_a_checkpoint_goes_when_the_results_of_all_its_trials_are_recorded(tmp_path: Path) -> None:
    recorded = RecordedPacks(tmp_path)
    pack = Pack({}, {0: "a", 1: "b"})
    recorded.follow(pack)
    for path in paths(tmp_path, pack.id):
        path.touch()
    recorded(TrialEnded("a", State.COMPLETE))
    assert len(list(tmp_path.iterdir())) == 2
    recorded(TrialEnded("b", State.DIVERGED))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_trial_keeps_its_checkpoint_for_the_next_run(tmp_path: Path) -> None:
    recorded = RecordedPacks(tmp_path)
    pack = Pack({}, {0: "a"})
    recorded.follow(pack)
    paths(tmp_path, pack.id)[0].touch()
    recorded(TrialEnded("a", State.FAILED))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_host_that_does_not_share_the_folder_says_so(tmp_path: Path) -> None:
    assert len(unshared(tmp_path, "another-host")) == 1
    share(tmp_path)
    assert unshared(tmp_path, "another-host") == []
    assert unshared(None, "another-host") == []


def test_the_checkpoint_of_a_halved_pack_goes_and_those_of_its_parts_are_followed(tmp_path: Path) -> None:
    recorded = RecordedPacks(tmp_path)
    whole, half = Pack({}, {0: "a", 1: "b"}), Pack({}, {0: "a"})
    recorded.follow(whole)
    paths(tmp_path, whole.id)[0].touch()
    recorded.follow(half)
    assert list(tmp_path.iterdir()) == []
    paths(tmp_path, half.id)[0].touch()
    recorded(TrialEnded("a", State.COMPLETE))
    assert list(tmp_path.iterdir()) == []
