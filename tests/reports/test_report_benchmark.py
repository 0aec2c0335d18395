"""The benchmark of the report: its study is as large as asked, and a figure above its budget is named."""

import importlib
from pathlib import Path

import pytest

from reports.trials import State


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("benchmarks.report")


def test_the_study_has_as_many_trials_as_asked_in_distinct_arms(benchmark):
    study = benchmark.study_of(600, 4)
    assert len(study.trials) == 600
    assert len({arm.name for arm in study.arms}) == len({tuple(arm.levels.values()) for arm in study.arms}) == 150
    assert {trial.state for trial in study.trials} == {State.COMPLETE, State.DIVERGED}
    assert all(
        set(arm.levels.values()) <= {each for levels in study.factors.values() for each in levels} for arm in study.arms
    )


def test_a_figure_above_its_budget_is_named(benchmark):
    within = dict(benchmark.BUDGET)
    assert benchmark.above(within) == []
    assert benchmark.above({**within, "seconds": 46.0}) == ["seconds: 46, budget 45"]


def test_what_writing_costs_is_measured(benchmark, tmp_path):
    figures = benchmark.write(str(tmp_path), 40, 2)
    assert (tmp_path / "index.html").is_file()
    assert figures["seconds"] > 0
    assert figures["peak_memory_mib"] > 10
