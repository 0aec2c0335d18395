"""The views follow the registry of metrics: a database that is opened for writing gets those of today."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from orchestrator.storage import Store, query
from orchestrator.storage.address import database_url
from reports.metrics import METRICS, Better, Diverged, Metric
from reports.recorded import of_arm, of_telemetry, of_trial
from tests.orchestrator.storage.conftest import on_a_server

ROOT = Path(__file__).parents[3]
STORES = ROOT / "tests" / "stores"
WORK = Metric("work", "work", "", Better.LESS, Diverged.NO_READING, of_trial("test_error") * of_arm("flops"))
PACE = Metric("pace", "pace", "", Better.LESS, Diverged.WORST, of_arm("flops") / of_arm("params") + of_telemetry("a.b"))


def columns(url):
    engine = create_engine(database_url(url))
    try:
        return [column["name"] for column in inspect(engine).get_columns("trial_results")]
    finally:
        engine.dispose()


def execute(url, *statements):
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def metrics():
    """Return the registry, which the test may change; it is then as before, in its order."""
    before = dict(METRICS)
    yield METRICS
    METRICS.clear()
    METRICS.update(before)


@pytest.fixture
def more_metrics(metrics):
    metrics.update(work=WORK, pace=PACE)


def test_a_new_metric_comes_into_a_database_that_is_there(url, request):
    before = columns(url)
    request.getfixturevalue("more_metrics")
    Store.open(url, read_only=True).close()
    assert columns(url) == before
    Store.open(url).close()
    assert columns(url) == [*before, "work", "pace"]
    known = query(url, "SELECT name, meaning FROM data_dictionary WHERE relation = 'trial_results'")
    assert "Work; NULL for a trial that diverged" in set(known.meaning)


def test_a_metric_that_is_gone_leaves_the_view(url, metrics):
    del metrics["gap"]
    Store.open(url).close()
    assert "gap" not in columns(url)


def test_a_change_of_a_metric_changes_its_column(url, metrics):
    metrics["gap"] = Metric("gap", "the gap", "%", Better.LESS, Diverged.WORST, of_trial("seconds"))
    Store.open(url).close()
    meaning = "SELECT meaning FROM data_dictionary WHERE relation = 'trial_results' AND name = 'gap'"
    assert query(url, meaning).meaning.tolist() == ["The gap in per cent"]


@pytest.mark.parametrize("file", sorted(STORES.glob("version_*.db")), ids=lambda path: path.stem)
def test_an_older_file_gets_the_views_of_today(file, tmp_path, request):
    shutil.copy(file, tmp_path / "old.db")
    Store.open(tmp_path / "old.db", read_only=True).close()
    request.getfixturevalue("more_metrics")
    Store.open(tmp_path / "old.db").close()
    assert columns(tmp_path / "old.db")[-2:] == ["work", "pace"]


def test_drivers_that_open_a_database_at_once_make_its_views_once(url, request):
    request.getfixturevalue("more_metrics")
    opened, failed = [], []

    def open_it():
        try:
            opened.append(Store.open(url))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in opened:
        store.close()
    assert (failed, len(opened), columns(url)[-2:]) == ([], 4, ["work", "pace"])


def test_a_view_of_the_user_on_ours_outlives_a_new_metric(url, request):
    execute(url, "CREATE VIEW mine AS SELECT study, gap FROM trial_results")
    request.getfixturevalue("more_metrics")
    Store.open(url).close()
    assert columns(url)[-1] == "pace"
    assert query(url, "SELECT * FROM mine").empty


@on_a_server
def test_what_may_not_be_changed_on_a_server_stays_as_it_is(url, metrics):
    execute(url, "CREATE VIEW mine AS SELECT study, gap FROM trial_results")
    before = columns(url)
    del metrics["gap"]
    with Store.open(url) as store:
        assert store.studies() == []
    assert columns(url) == before


NEWCOMER = """
import json
from reports import metrics
from reports.recorded import of_trial
added = metrics.Metric("slowness", "slowness", "s/%", metrics.Better.LESS, metrics.Diverged.NO_READING,
                       of_trial("seconds") / of_trial("test_error"), is_objective=True)
metrics.METRICS["slowness"] = added

from docs.generate import pages
from orchestrator import load_study
from orchestrator.cli import app
from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, Store
from orchestrator.study_file.schema import study_schema
from orchestrator.study_file.search.search_settings import OBJECTIVES
from reports.data_files import MORE_METRICS
from reports.trials import Epoch, State
from tests.orchestrator.storage.conftest import plan_of
from tests.reports.analysis.claims import verdicts_of
from typer.testing import CliRunner

claim = {"id": "slow", "says": "depth=56 > depth=20", "metric": "slowness"}
plan = plan_of(settings={"study": "degradation", "claims": [claim]})
with Store.open("results.db") as store:
    store.record_plan(plan)
    with Recorder(store, plan.name) as recorder:
        for number, trial in enumerate(plan.trials, start=1):
            recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
            recorder.put(EpochDone(trial.id, Epoch(1, 1.0, 50.0, 1.5, 4.0, 0.1, 2.0)))
            recorder.put(TrialEnded(trial.id, State.COMPLETE, seconds=2.0 * number))
    study = store.load_study(plan.name)
asked = ["query", "SELECT slowness FROM trial_results ORDER BY slowness", "--format", "json", "--db", "results.db"]
written = pages("database.md", "metrics.md", "study-file.md")
print(json.dumps({
    "query": [row["slowness"] for row in json.loads(CliRunner().invoke(app, asked).stdout)],
    "table": "slowness" in load_study(plan.name, db="results.db").trials(),
    "csv": "slowness" in MORE_METRICS,
    "claim": verdicts_of(study, claim)[0].sentence,
    "schema": "slowness" in json.dumps(study_schema()),
    "objective": "slowness" in OBJECTIVES,
    "pages": sorted(name for name, page in written.items() if "slowness" in page),
}))
"""


@pytest.mark.slow
def test_a_metric_added_to_the_registry_alone_is_known_everywhere(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", NEWCOMER], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    found = json.loads(ran.stdout)
    assert found.pop("query") == [0.5, 1.0, 1.5, 2.0]
    assert "the effect is 1.00 s/%" in found.pop("claim")
    assert found == {
        "table": True,
        "csv": True,
        "schema": True,
        "objective": True,
        "pages": ["database.md", "metrics.md", "study-file.md"],
    }
