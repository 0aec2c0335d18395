"""A search on a real cluster: arms side by side, stopped early, diverging, and nothing left open."""

from pathlib import Path

import pytest

from orchestrator import RunOptions, run_study
from reports.trials import State

SEARCH = """\
study: hunt
data: digits
network: {family: resnet_cifar, width: 2, depth: 8}
factors:
  shortcut: [identity, none, {op: scale}]
  training.lr: {low: 0.001, high: 1000, log: true}
design: search
search:
  sampler: {name: tpe, n_startup_trials: 3}
  scheduler: {name: median, startup_arms: 2}
  arms: 10
  confirm: {best: 1, seeds: 2}
training: {recipe: quick, epochs: 4}
resources: {max_concurrent: 2}
"""


@pytest.mark.cluster
@pytest.mark.slow
def test_a_search_on_ray_prunes_survives_diverging_arms_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hunt.yaml").write_text(SEARCH)
    study = run_study("hunt.yaml", options=RunOptions(db="sqlite:///results.db", report=False)).study
    states = {trial.state for trial in study.trials}
    assert {State.COMPLETE, State.PRUNED} <= states
    assert states <= {State.COMPLETE, State.PRUNED, State.DIVERGED}
    assert len(study.search["confirmed"]) == 2
    assert not list(Path("out/hunt").glob("checkpoints/*.pt"))
