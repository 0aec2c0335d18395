"""Small plans, and every database that the tests can reach.

SQLite always; PostgreSQL too when ORCHESTRATE_TEST_POSTGRESQL holds the URL of a server, such as
postgresql://postgres@localhost/postgres, on which databases may be created.
"""

import os
import shutil
import uuid
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text

from orchestrator.records.events import Measured
from orchestrator.records.study_plan import PlannedArm, PlannedTrial, StudyPlan
from orchestrator.storage import Store, database_url
from orchestrator.storage.measurements import keep_measurement
from search_spaces.arm import Arm, settings_hash

SERVER = os.environ.get("ORCHESTRATE_TEST_POSTGRESQL")
DIALECTS = ["sqlite", "postgresql"] if SERVER else ["sqlite"]

# For tests of what only one of the two has.
in_a_file = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
needs_server = pytest.mark.skipif(not SERVER, reason="ORCHESTRATE_TEST_POSTGRESQL names no server")
on_a_server = pytest.mark.parametrize("url", [pytest.param("postgresql", marks=needs_server)], indirect=True)


def plan_of(
    depths=(20, 56), seeds=(0, 1), *, name="degradation", width=8, plan_hash=None, fingerprint="digits", **study
):
    arms = []
    for depth in depths:
        settings = {"data": {"name": "digits"}, "network": {"depth": depth, "width": width}, "training": {"epochs": 2}}
        levels = {"depth": depth, "variant": "plain"}
        arm = Arm(f"depth={depth} variant=plain", levels, settings, settings_hash(settings))
        arms.append(PlannedArm(arm, params=1000, flops=2000, graph=f"graph {depth}", description={"words": ["Small."]}))
    trials = [
        PlannedTrial(f"{each.arm.id}-{fingerprint}-{seed}", each.arm, seed, fingerprint)
        for each in arms
        for seed in seeds
    ]
    asked = {
        "question": "Do deeper networks still train?",
        "source": f"study: {name}\n",
        "settings": {"study": name},
        "factors": {"depth": tuple(depths), "variant": ("plain",)},
        "baseline": {"variant": "plain"},
        "fail_above": 20.0,
        "command": "orchestrate run ablation.yaml",
        "git": "abc",
        "notes": ("a note",),
    }
    hashed = plan_hash or f"{depths} {seeds} {width} {fingerprint}"
    return StudyPlan(name=name, arms=tuple(arms), trials=tuple(trials), plan_hash=hashed, **{**asked, **study})


def save_measurement(store, measurement):
    """Keep a measurement as the events of a run do, under the hash of its probe's settings."""
    settings = dict(measurement.settings)
    key = settings_hash({"probe": measurement.kind, **settings}) if settings else ""
    event = Measured(measurement.trial, measurement.kind, key, settings, measurement.values)
    with store.database.writing() as connection:
        keep_measurement(connection, event)


@pytest.fixture
def make_plan():
    return plan_of


@contextmanager
def administration():
    """Open a connection to the server on which databases are made and dropped."""
    engine = create_engine(database_url(SERVER), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def server_database(template="template1"):
    """Make a database on the server, as a copy of another one, and give its URL."""
    name = f"test_{uuid.uuid4().hex}"
    with administration() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield database_url(SERVER).set(database=name).render_as_string(hide_password=False)
    with administration() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory):
    """Return a file with all tables and views, and no rows."""
    path = tmp_path_factory.mktemp("prepared") / "results.db"
    Store.open(path).close()
    return path


@pytest.fixture(scope="session")
def prepared_database():
    """Return the name of such a database on the server."""
    with server_database() as url:
        Store.open(url).close()
        yield database_url(url).database


@pytest.fixture(params=DIALECTS)
def empty_url(request, tmp_path):
    """Return the URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'results.db'}"
        return
    with server_database() as made:
        yield made


@pytest.fixture(params=DIALECTS)
def url(request, tmp_path):
    """Return the URL of a database without rows: a copy, since to build the tables takes longer than most tests."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("prepared_file"), tmp_path / "results.db")
        yield f"sqlite:///{path}"
        return
    with server_database(request.getfixturevalue("prepared_database")) as made:
        yield made


@pytest.fixture
def store(url):
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def rows(store):
    """Read rows with SQL, as plain dicts."""

    def read(sql):
        with store.database.reading() as connection:
            return [dict(row) for row in connection.execute(text(sql)).mappings()]

    return read
