"""Searches over real networks, from their file to their report; killed, taken up again, extended."""

import random
import signal
import time
from pathlib import Path

import optuna
import pytest

from orchestrator import RunOptions, run_study
from orchestrator.search import search_plan
from orchestrator.storage import Store
from reports.trials import State
from tests.faults.test_killed import recorded, start, wait_for

SEARCH = """\
study: hunt
data: digits
network: {family: resnet_cifar, width: 2, depth: 8}
factors:
  shortcut: [identity, none, {op: scale}, {op: dropout, rate: 0.5}]
  width: {low: 1, high: 4}
  training.lr: {low: 0.02, high: 0.3, log: true}
design: search
search: {sampler: {name: tpe, n_startup_trials: 3}, arms: 6, confirm: {best: 2, seeds: 2}}
training: {recipe: quick, epochs: 2}
resources: {checkpoint_seconds: 0}
"""
INLINE = RunOptions(executor="inline", report=False)


@pytest.fixture
def hunt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    file = tmp_path / "hunt.yaml"
    file.write_text(SEARCH)
    return file


def proposals(folder: Path) -> list[tuple[object, ...]]:
    with Store.open(folder / "results.db", read_only=True) as store:
        record = store.load_study("hunt").search["proposals"]["search"]
    return [(each["number"], each["status"], each["params"], each["values"]) for each in record]


def optuna_trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/out/hunt/optuna.db")
    found = [trial for study in storage.get_all_studies() for trial in storage.get_all_trials(study._study_id)]
    storage.remove_session()
    storage.engine.dispose()
    return found


def test_a_search_is_planned_once_and_ends_with_its_best_arms_confirmed(
    hunt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, plan = [], search_plan._plan
    monkeypatch.setattr(search_plan, "_plan", lambda config: made.append(config) or plan(config))
    study = run_study(hunt, options=INLINE).study
    assert len(made) == 1
    assert len(study.search["confirmed"]) == 3
    by_stage = {stage: [arm for arm in study.arms if arm.levels["stage"] == stage] for stage in ("search", "confirm")}
    assert {stage: len(arms) for stage, arms in by_stage.items()} == {"search": 6, "confirm": 3}
    searched = [trial for arm in by_stage["search"] for trial in study.trials_of(arm)]
    assert all(trial.val_error is not None for trial in searched)
    confirmed = [trial for arm in by_stage["confirm"] for trial in study.trials_of(arm)]
    assert all(trial.val_error is None and trial.test_error is not None for trial in confirmed)


def test_optunas_file_holds_every_proposal_and_none_that_runs(hunt: Path) -> None:
    run_study(hunt, options=INLINE)
    found = optuna_trials(hunt.parent)
    assert len(found) == len(proposals(hunt.parent))
    assert all(trial.state.is_finished() for trial in found)
    with Store.open(hunt.parent / "results.db", read_only=True) as store:
        stored = store.load_study("hunt").search["proposals"]["search"]
    assert {trial.user_attrs["proposal"]: trial.user_attrs["arm"] for trial in found} == {
        each["number"]: each["arm"] for each in stored
    }


def test_a_second_run_trains_nothing_and_proposes_nothing(hunt: Path) -> None:
    first = run_study(hunt, options=INLINE).study
    second = run_study(hunt, options=INLINE).study
    assert [trial.finished_at for trial in second.trials] == [trial.finished_at for trial in first.trials]
    assert second.search == first.search


def test_more_arms_extend_a_search(hunt: Path) -> None:
    run_study(hunt, options=INLINE)
    before = proposals(hunt.parent)
    run_study(hunt, changes=["search.arms=9"], options=INLINE)
    assert proposals(hunt.parent)[: len(before)] == before
    assert sum(status == "trained" for _, status, _, _ in proposals(hunt.parent)) == 9


def test_another_sampler_begins_anew_and_takes_the_trials_that_it_finds(hunt: Path) -> None:
    run_study(hunt, options=INLINE)
    changes = ["search.sampler=random", "search.warm_start=true"]
    study = run_study(hunt, changes=changes, options=INLINE).study
    record = study.search["proposals"]["search"]
    assert sum(each["origin"] == "warm" for each in record) == 6 - 1
    trained = [each for each in record if each["status"] == "trained"]
    assert all(each["state"] == "COMPLETE" and len(each["values"]) == 1 for each in trained)
    assert all(trial.state.is_finished() for trial in study.trials)


@pytest.mark.fault
@pytest.mark.slow
def test_a_search_that_is_killed_again_and_again_proposes_what_an_undisturbed_one_does(
    hunt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(undisturbed)
        run_study(hunt, options=INLINE)
    generator = random.Random(7)
    for _ in range(3):
        process, before = start(hunt, "--executor", "inline"), recorded("epochs")
        coming = generator.randint(1, 4)
        wait_for(process, lambda enough=before + coming: recorded("epochs") >= enough)
        time.sleep(generator.uniform(0, 0.2))  # somewhere in what comes next
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    run_study(hunt, options=INLINE)
    assert proposals(tmp_path) == proposals(undisturbed)
    with Store.open(tmp_path / "results.db", read_only=True) as store:
        assert {trial.state for trial in store.load_study("hunt").trials} == {State.COMPLETE}
    assert all(trial.state.is_finished() for trial in optuna_trials(tmp_path))
