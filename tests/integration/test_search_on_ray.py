"""A search with successive halving on a real Ray cluster: several seeds an arm, stopped together or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from orchestrator import RunOptions, run_study
from orchestrator.storage import Store
from reports.results import Study
from reports.trials import State

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = str(Path(__file__).parents[2])
SEEDS = 2
EPOCHS = 4
SEARCH = f"""\
study: hunt
data: digits
network: {{family: resnet_cifar, width: 2, depth: 8}}
factors:
  shortcut: [identity, none, {{op: scale}}]
  training.lr: {{low: 0.001, high: 100, log: true}}
design: search
search:
  sampler: random
  scheduler: {{name: asha, first_rung: 1, factor: 2}}
  arms: 10
  seeds_per_arm: {SEEDS}
  confirm: {{best: 2, seeds: 2}}
training: {{recipe: quick, epochs: {EPOCHS}}}
resources: {{max_concurrent: 2}}
"""


def search(folder: Path) -> Study:
    """Run the search from a shell, as a user does, and return what is on record."""
    code = "from orchestrator.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": ROOT}
    environment.pop("ORCHESTRATE_DB", None)
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "hunt.yaml", "--no-report"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with Store.open(folder / "results.db", read_only=True) as store:
        return store.load_study("hunt")


def optuna_states(folder: Path) -> dict[str, TrialState]:
    """Return the state of each arm's Optuna trial, by the arm's name."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/out/hunt/optuna.db")
    (study,) = storage.get_all_studies()
    trials = storage.get_all_trials(study._study_id)
    storage.remove_session()
    storage.engine.dispose()
    assert all(trial.state.is_finished() for trial in trials)
    return {trial.user_attrs["arm"]: trial.state for trial in trials if trial.user_attrs["status"] == "trained"}


def test_successive_halving_stops_whole_arms_and_confirms_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hunt.yaml").write_text(SEARCH)
    study = search(tmp_path)
    searched = {arm.name: study.trials_of(arm) for arm in study.arms if arm.levels["stage"] == "search"}
    assert len(searched) == 10
    assert all(len(trials) == SEEDS for trials in searched.values())
    fates = {name: {trial.state for trial in trials} for name, trials in searched.items()}
    pruned = {name for name, states in fates.items() if State.PRUNED in states}
    finished = {name for name, states in fates.items() if states == {State.COMPLETE}}
    assert pruned
    assert finished
    for name in pruned:
        # A seed that diverged before its arm was stopped is recorded as what it is.
        assert fates[name] <= {State.PRUNED, State.DIVERGED}
        stopped = [trial for trial in searched[name] if trial.state is State.PRUNED]
        assert len({len(trial.curve) for trial in stopped}) == 1
        assert 0 < len(stopped[0].curve) < EPOCHS
        assert all("stopped by asha at epoch" in trial.reason for trial in searched[name])
    assert {len(trial.curve) for name in finished for trial in searched[name]} == {EPOCHS}

    states = optuna_states(tmp_path)
    assert {name for name, state in states.items() if state is TrialState.PRUNED} == pruned
    assert set(states) == set(searched)

    confirmed = set(study.search["confirmed"])
    baseline = study.search["baseline"]
    names = {name.replace("stage=confirm", "stage=search") for name in confirmed}
    assert baseline in names
    assert names <= finished | {baseline}
    # The best two and the baseline; which arms are stopped, and so how many are left, depends on who comes first.
    assert min(2, len(finished)) <= len(names) <= 3
    confirmations = [trial for trial in study.trials if trial.arm in confirmed]
    assert {trial.state for trial in confirmations} == {State.COMPLETE}

    monkeypatch.chdir(tmp_path)
    again = run_study("hunt.yaml", options=RunOptions(db="sqlite:///results.db", report=False)).study
    assert [(trial.id, trial.finished_at) for trial in again.trials] == [
        (trial.id, trial.finished_at) for trial in study.trials
    ]
    assert again.search == study.search
    assert optuna_states(tmp_path) == states
