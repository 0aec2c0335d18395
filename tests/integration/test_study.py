"""A study from its file to its results, in this process: run, rerun, extend."""

from pathlib import Path

import pandas as pd
import pytest

from orchestrator import RunOptions, load_study, run_study
from orchestrator.errors import UserError
from orchestrator.planning.plan import make_plan
from orchestrator.planning.preview import preview
from orchestrator.records.events import AttemptStarted, TrialEnded
from orchestrator.storage import Recorder, Store
from orchestrator.study_file.config import read_study
from reports.trials import State

INLINE = RunOptions(executor="inline", report=False)


def finished_at(name: str = "small") -> dict[tuple[str, int], object]:
    with Store.open("sqlite:///results.db", read_only=True) as store:
        return {(each.arm, each.seed): each.finished_at for each in store.load_study(name).trials}


def test_a_study_ends_with_every_trial_complete(small: Path) -> None:
    study = run_study(small, options=INLINE).study
    assert [trial.state for trial in study.trials] == [State.COMPLETE] * 4
    assert all(len(trial.curve) == 2 for trial in study.trials)


def test_a_gpu_that_is_not_here_is_one_message(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=r"resources\.gpus: torch finds no GPU on this machine"):
        run_study(small, changes=["resources.gpus=0.5"], options=INLINE)


def test_a_machine_is_not_asked_for_more_threads_than_it_has_cores(small: Path) -> None:
    study = run_study(small, changes=["resources.cpus=100000", "seeds=1", "training.epochs=1"], options=INLINE).study
    assert {trial.state for trial in study.trials} == {State.COMPLETE}


def test_a_worker_keeps_to_its_part_of_a_gpu(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("trainers.take_share", lambda device, share: taken.append((device, share)))
    monkeypatch.setattr("orchestrator.engine.worker.environment_facts", lambda *arguments: {})
    monkeypatch.setattr("trainers.Trainer", None)  # no GPU is needed to see what comes before
    run_study(small, changes=["resources.gpus=0.25"], options=INLINE)
    assert set(taken) == {("cuda", 0.25)}


def test_a_second_run_trains_nothing(small: Path) -> None:
    run_study(small, options=INLINE)
    before = finished_at()
    run_study(small, options=INLINE)
    assert finished_at() == before


def test_a_new_level_adds_its_arms_and_keeps_the_old_results(small: Path) -> None:
    run_study(small, options=INLINE)
    before = finished_at()
    small.write_text(
        small.read_text().replace("    original: {}", "    original: {}\n    scaled: {shortcut: {op: scale}}")
    )
    run_study(small, options=INLINE)
    after = finished_at()
    assert len(after) == 6
    assert before.items() <= after.items()


def test_a_level_that_is_taken_out_leaves_orphans(small: Path) -> None:
    run_study(small, options=INLINE)
    small.write_text(small.read_text().replace("    plain: {shortcut: none}\n", ""))
    study = run_study(small, options=INLINE).study
    assert [arm.name for arm in study.arms if arm.orphaned] == ["variant=plain"]


def test_another_study_reuses_trials_of_the_same_settings(small: Path) -> None:
    run_study(small, options=INLINE)
    before = finished_at()
    small.write_text(small.read_text().replace("study: small", "study: other"))
    run_study(small, options=INLINE)
    assert finished_at("other") == before


def test_what_a_search_stopped_early_is_trained_to_its_end(small: Path) -> None:
    config = read_study(small)
    plan = make_plan(config)
    stopped = plan.trials[0].id
    with Store.open("sqlite:///results.db") as store:
        store.record_plan(plan)
        with Recorder(store, "small") as recorder:
            recorder.put(AttemptStarted(stopped, "cpu", "here", {}))
            recorder.put(TrialEnded(stopped, State.PRUNED, "at a rung"))
    assert preview(config, "sqlite:///results.db").new == 4
    study = run_study(small, options=INLINE).study
    assert [trial.state for trial in study.trials] == [State.COMPLETE] * 4


def test_the_results_come_as_data_frames_with_factors_as_columns(small: Path) -> None:
    run_study(small, options=INLINE)
    trials = load_study("small", db="sqlite:///results.db").trials()
    assert isinstance(trials, pd.DataFrame)
    assert sorted(trials["variant"]) == ["original", "original", "plain", "plain"]


def test_the_database_of_the_study_file_is_used(small: Path) -> None:
    small.write_text(small.read_text() + "database: sqlite:///mine.db\n")
    run_study(small, options=INLINE)
    assert Path("mine.db").exists()
    assert not Path("results.db").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("depth: 8", "depth: 21", r"small\.yaml:4: network\.depth: .*21"),
        ("data: digits", "data: digitz", r"small\.yaml:3: data.*digits"),
        ("width: 2", "widht: 2", r'small\.yaml:4: network\.widht: .*did you mean "width"'),
        ("epochs: 2", "epoch: 2", r'small\.yaml:10: training\.epoch: .*did you mean "epochs"'),
        ("plain: {shortcut: none}", "plain: {}", r"small\.yaml:8: factors\.variant\.original: .*same settings"),
        ("variant: original}", "variant: orignal}", r"small\.yaml:9: baseline\.variant: .*original"),
        ("shortcut: none", "shortcut: non", r"small\.yaml:7: factors\.variant\.plain\.shortcut: .*none"),
        ("data: digits", "data: {name: fashion_mnist, root: /nowhere}", r"small\.yaml:3: data.*/nowhere"),
    ],
)
def test_bad_settings_are_named_with_their_line_and_leave_nothing_behind(
    small: Path, old: str, new: str, message: str
) -> None:
    small.write_text(small.read_text().replace(old, new))
    with pytest.raises(UserError, match=message):
        run_study(small, options=INLINE)
    assert [each.name for each in small.parent.iterdir()] == ["small.yaml"]


def test_levels_that_build_the_same_network_are_named(small: Path) -> None:
    small.write_text(
        small.read_text().replace("plain: {shortcut: none}", 'plain: {activation: "conv bn relu conv bn | add | relu"}')
    )
    with pytest.raises(UserError, match=r"small\.yaml:5: factors: the arms .*variant=plain.* and .*variant=original"):
        run_study(small, options=INLINE)


def test_an_output_folder_that_cannot_be_written_is_named_before_anything_is_trained(small: Path) -> None:
    (small.parent / "out").write_text("a file, not a folder")
    with pytest.raises(UserError, match="--out"):
        run_study(small, options=INLINE)
    assert not Path("results.db").exists()


def test_a_database_that_is_none_is_named(small: Path) -> None:
    Path("results.db").write_text("not a database at all, but long enough to be looked at as one")
    with pytest.raises(UserError, match=r"results\.db"):
        run_study(small, options=INLINE)


def test_a_results_db_that_is_given_twice_is_refused(small: Path) -> None:
    with pytest.raises(UserError, match="given twice"):
        run_study(small, db="a.db", options=RunOptions(db="b.db", executor="inline"))
    assert not (small.parent / "a.db").exists()
