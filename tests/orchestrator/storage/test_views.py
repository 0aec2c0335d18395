"""The views are the front door: exactly the contract's columns, and what they show."""

import json
import re
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import inspect

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, query
from reports.metrics import METRICS
from reports.recorded import Computed
from reports.trials import Epoch, State

VIEWS = {
    "trial_results": (
        "study arm seed state reason epochs test_error train_error test_loss train_loss params flops seconds "
        "images_per_second device host started_at finished_at factors trial orphaned stage val_error val_loss cause"
    ),
    "verdict_results": "study claim says verdict estimate low high margin n p decided_at",
    "curves": (
        "study arm seed epoch train_loss train_error test_loss test_error lr seconds "
        "trial orphaned stage val_error val_loss"
    ),
    "data_dictionary": "relation position name meaning",
}


@pytest.fixture
def plan(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    with Recorder(store, plan.name) as recorder:
        trial = plan.trials[0].id
        recorder.put(AttemptStarted(trial, "cpu", "here", {}))
        recorder.put(EpochDone(trial, Epoch(1, 1.0, 50.0, 1.5, 60.0, 0.1, 2.0)))
        recorder.put(EpochDone(trial, Epoch(2, 0.5, 40.0, 1.2, 55.0, 0.1, 2.0)))
        recorder.put(TrialEnded(trial, State.COMPLETE, seconds=4.0, images_per_second=500.0))
    return plan


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_columns_of_the_contract_and_the_metrics_after_them(store, url, view):
    columns, stable = list(query(url, f"SELECT * FROM {view}").columns), VIEWS[view].split()
    assert columns[: len(stable)] == stable
    more = [name for name in METRICS if name not in stable] if view == "trial_results" else []
    assert columns[len(stable) :] == more


def test_trial_results_has_one_row_a_trial(plan, url):
    assert len(query(url, "SELECT * FROM trial_results")) == len(plan.trials)


def test_a_trial_shows_the_metrics_of_its_last_epoch(plan, url):
    row = query(url, "SELECT * FROM trial_results WHERE state = 'COMPLETE'").iloc[0]
    assert (row.epochs, row.test_error, row.train_error, row.test_loss, row.train_loss) == (2, 55.0, 40.0, 1.2, 0.5)
    assert (row.study, row.arm, row.seed) == ("degradation", "depth=20 variant=plain", 0)
    assert (row.params, row.flops, row.seconds, row.images_per_second) == (1000, 2000, 4.0, 500.0)


def test_trial_results_has_the_readings_of_the_metrics(plan, store, url):
    ended = {plan.trials[1].id: State.DIVERGED, plan.trials[2].id: State.COMPLETE}
    with Recorder(store, plan.name) as recorder:
        for trial, state in ended.items():
            recorder.put(AttemptStarted(trial, "cpu", "here", {}))
            recorder.put(EpochDone(trial, Epoch(1, 1.0, 50.0, 1.5, 60.5, 0.1, 2.0, 1.4, 58.0)))
            memory = 123 if state is State.DIVERGED else "unknown"
            recorder.put(TrialEnded(trial, state, seconds=2.0, telemetry={"peak_memory_mib": memory}))
    study = store.load_study(plan.name)
    arms = {arm.name: arm for arm in study.arms}
    rows = query(url, "SELECT * FROM trial_results").set_index(["arm", "seed"])
    assert set(METRICS) <= set(rows.columns)
    computed = {name for name, metric in METRICS.items() if isinstance(metric.read, Computed)}
    for trial in study.trials:
        row = rows.loc[(trial.arm, trial.seed)]
        for name, metric in METRICS.items():
            value = metric.read(trial, arms[trial.arm], {})
            if name in computed and trial.state is State.DIVERGED:
                value = metric.of_diverged
            assert (None if pd.isna(row[name]) else row[name]) == value, name
    assert rows.gap.dropna().tolist() == [15.0, 10.5]
    assert rows.peak_memory.dropna().tolist() == [123.0]


def test_factors_are_a_json_object(plan, url):
    factors = query(url, "SELECT factors FROM trial_results WHERE seed = 0 ORDER BY arm").factors
    assert [json.loads(each) for each in factors] == [
        {"depth": 20, "variant": "plain"},
        {"depth": 56, "variant": "plain"},
    ]


def test_curves_has_one_row_a_trial_and_epoch(plan, url):
    curves = query(url, "SELECT seed, epoch, train_loss FROM curves ORDER BY epoch")
    assert curves.values.tolist() == [[0, 1, 1.0], [0, 2, 0.5]]


def test_a_shared_trial_shows_in_each_of_its_studies(plan, store, url, make_plan):
    store.record_plan(make_plan(name="second"))
    found = query(url, "SELECT study FROM trial_results WHERE state = 'COMPLETE' ORDER BY study")
    assert found.study.tolist() == ["degradation", "second"]


def test_arm_levels_hold_the_levels_as_text(plan, url):
    found = query(url, "SELECT arm, factor, level FROM arm_levels ORDER BY arm, factor")
    assert found[["factor", "level"]].values.tolist() == [
        ["depth", "20"],
        ["variant", "plain"],
        ["depth", "56"],
        ["variant", "plain"],
    ]


def test_moments_are_iso_8601_in_utc(plan, url):
    row = query(url, "SELECT started_at, finished_at FROM trial_results WHERE state = 'COMPLETE'").iloc[0]
    for moment in row:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)
        assert abs(datetime.fromisoformat(moment) - datetime.now(UTC)) < timedelta(minutes=10)


def test_arms_of_an_earlier_file_are_marked(plan, store, url, make_plan):
    store.record_plan(make_plan(depths=(20,)))
    found = query(url, "SELECT arm, count(*) AS n FROM trial_results WHERE orphaned GROUP BY arm")
    assert found.values.tolist() == [["depth=56 variant=plain", 2]]
    assert query(url, "SELECT DISTINCT arm FROM trial_results WHERE NOT orphaned").arm.tolist() == [
        "depth=20 variant=plain"
    ]
    curves = query(url, "SELECT trial, orphaned, stage FROM curves")
    assert set(curves.trial) == {plan.trials[0].id}
    assert not curves.orphaned.astype(bool).any()
    assert curves.stage.isna().all()


def test_the_dictionary_says_what_every_column_of_every_table_and_view_means(store, url):
    known = query(url, "SELECT * FROM data_dictionary ORDER BY relation, position")
    with store.database.reading() as connection:
        inspector = inspect(connection)
        names = [*inspector.get_table_names(), *inspector.get_view_names()]
        found = {
            (name, place, column["name"])
            for name in names
            if name != "alembic_version"
            for place, column in enumerate(inspector.get_columns(name), start=1)
        }
    assert set(zip(known["relation"], known["position"], known["name"], strict=True)) == found
    assert known[known.meaning == ""].values.tolist() == []
    assert not known.meaning.str.contains("\\\\", regex=True).any()
