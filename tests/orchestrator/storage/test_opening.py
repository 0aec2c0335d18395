"""Opening a database: new, old, foreign, damaged, out of reach."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from orchestrator.storage import StorageError, Store, database_url, migrations
from orchestrator.storage.network_disk import shared_file_system
from orchestrator.storage.tables import metadata
from reports.trials import State
from tests.orchestrator.storage.conftest import on_a_server

NOBODY = 65534
STORES = Path(__file__).parents[2] / "stores"
TABLES = ["studies", "arms", "arm_levels", "trials", "attempts", "epochs", "measurements", "verdicts", "environments"]


def refusal(path, **options):
    with pytest.raises(StorageError) as refused:
        Store.open(path, **options)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_a_new_database_has_the_tables_and_views_of_the_contract(store):
    with store.database.reading() as connection:
        found = inspect(connection)
        assert {*TABLES, "events"} <= set(found.get_table_names())
        views = {"trial_results", "verdict_results", "curves", "measurement_results", "data_dictionary"}
        assert set(found.get_view_names()) == views


def test_the_migrations_build_the_tables_that_the_program_uses(store):
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_table_and_column_has_a_comment():
    things = [*metadata.tables.values(), *(column for table in metadata.tables.values() for column in table.columns)]
    assert [str(thing) for thing in things if not thing.comment] == []


def test_the_newest_migration_is_the_version_of_the_program():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.VERSION


def test_every_version_has_a_line_of_history_and_an_old_file():
    for version in range(1, int(migrations.VERSION) + 1):
        assert f"\n{version:<4}" in migrations.__doc__
        assert (STORES / f"version_{version}.db").exists()


@pytest.mark.parametrize("file", sorted(STORES.glob("version_*.db")), ids=lambda path: path.stem)
@pytest.mark.parametrize("read_only", [False, True])
def test_every_older_file_opens_with_its_results(file, read_only, tmp_path):
    shutil.copy(file, tmp_path / "old.db")
    with Store.open(tmp_path / "old.db", read_only=read_only) as store:
        study = store.load_study("degradation")
        assert store.load_verdicts("degradation")[0]["verdict"] == "Supported"
    assert [trial.state for trial in study.trials] == [State.COMPLETE, State.DIVERGED, State.FAILED, State.WAITING]
    assert [len(trial.curve) for trial in study.trials] == [2, 1, 0, 0]
    assert study.trials[0].test_error == 55.0
    assert study.measurements[0].values == {"std": [1.0, 0.5]}
    assert study.environments[0].facts == {"torch": "2.9"}


@pytest.mark.parametrize("file", ["version_10.db", None], ids=["migrated", "new"])
def test_the_plans_of_a_study_are_found_by_an_index(file, tmp_path):
    if file is not None:
        shutil.copy(STORES / file, tmp_path / "results.db")
    Store.open(tmp_path / "results.db").close()
    with closing(sqlite3.connect(tmp_path / "results.db")) as connection:
        query = "EXPLAIN QUERY PLAN SELECT details FROM events WHERE study = 1 AND kind = 'Planned' ORDER BY id"
        (step,) = connection.execute(query).fetchall()
    assert "USING INDEX ix_events_study_kind" in step[3]


def test_the_surface_that_version_10_keeps_as_columns_is_read_as_rows(tmp_path):
    shutil.copy(STORES / "version_10.db", tmp_path / "old.db")
    with Store.open(tmp_path / "old.db", read_only=True) as store:
        _, surface = store.load_study("degradation").measurements
        query = "SELECT at ->> 'x', at ->> 'y', epoch, value FROM measurement_results WHERE kind = 'loss_surface'"
        with store.database.reading() as connection:
            found = connection.execute(text(query)).all()
    assert [row["numbers"]["loss"] for row in surface.values["rows"]] == list(range(100))
    assert found == [(row // 10, row % 10, 2, row) for row in range(100)]


def test_a_search_of_version_7_is_read_under_the_names_of_today(tmp_path):
    shutil.copy(STORES / "version_7.db", tmp_path / "old.db")
    old = {"number": 0, "origin": "chance", "fate": "busy", "params": {"depth": 20}}
    record = {"proposals": {"search": [old]}, "comparison": {"contenders": [], "arms": 3}, "objectives": ["val_error"]}
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection, connection:
        columns = "study, campaign, number, origin, fate, params, attributes"
        for number, fate in enumerate(("trained", "busy", "answered")):
            row = (1, "c", number, "sampler" if number else "chance", fate, "{}", "{}")
            connection.execute(f"INSERT INTO proposals ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("UPDATE studies SET search = ?", (json.dumps(record),))
    with Store.open(tmp_path / "old.db") as store:
        study = store.load_study("degradation")
        made = store.proposals("degradation", "c")
    assert [(each.origin, each.status) for each in made] == [
        ("random", "trained"),
        ("sampler", "pending"),
        ("sampler", "answered"),
    ]
    new = {"number": 0, "origin": "random", "status": "pending", "params": {"depth": 20}}
    assert study.search == {
        "proposals": {"search": [new]},
        "comparison": {"configurations": [], "arms": 3},
        "objectives": ["val_error"],
    }
    assert study.trials[1].loss_before_divergence == 2.3


def test_a_database_without_tables_is_none_yet(empty_url):
    assert not Store.exists(empty_url)
    Store.open(empty_url).close()
    assert Store.exists(empty_url)


def test_opening_again_changes_nothing(tmp_path):
    Store.open(tmp_path / "r.db").close()
    before = (tmp_path / "r.db").read_bytes()
    Store.open(tmp_path / "r.db").close()
    assert (tmp_path / "r.db").read_bytes() == before


def test_many_may_open_a_new_database_at_once(empty_url):
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(Store.open(empty_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.studies() for store in opened] == [[]] * 4
    for store in opened:
        store.close()


def test_a_new_database_that_another_process_is_writing_is_waited_for(tmp_path):
    with closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")  # in which SQLite refuses a change of the journal without waiting
        release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
        release.start()
        with Store.open(tmp_path / "r.db") as store:
            assert store.studies() == []
        release.join()


def test_an_installed_package_finds_its_migrations(tmp_path):
    code = "from orchestrator.storage import Store; Store.open('new.db').close()"
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "new.db").exists()


def test_sqlite_keeps_a_log_so_that_readers_never_wait(tmp_path):
    with Store.open(tmp_path / "r.db") as store, store.database.reading() as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]
    assert found == ["wal", 1]


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_what_must_survive_a_power_cut_is_on_the_disk_when_it_is_written(tmp_path, durable, synchronous):
    with Store.open(tmp_path / "r.db") as store:
        for _ in range(2):
            with store.database.writing_raw(durable=durable) as connection:
                assert connection.execute(text("PRAGMA synchronous")).scalar() == synchronous


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_goes_while_it_is_in_use_is_noticed(tmp_path, replaced):
    path = tmp_path / "r.db"
    with Store.open(path) as store:
        store.studies()
        path.rename(tmp_path / "elsewhere.db")
        if replaced:
            path.touch()
        with pytest.raises(StorageError, match="was deleted, moved or replaced while it was in use"):
            store.studies()
        assert path.exists() is replaced


def test_a_database_from_a_newer_version_is_left_alone(store, url):
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    message = refusal(url)
    known = f"(schema 99, this one knows {migrations.VERSION})"
    assert f"was written by a newer version of this program {known}: update it with pip" in message


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Not a database. " * 100)
    assert refusal(path) == f"{path} is not a results database: name another file with --db, or move this one away"
    assert path.read_text() == "Not a database. " * 100
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("table", ["bookmarks", "studies", "alembic_version"])
def test_the_database_of_another_program_is_left_alone(table, tmp_path):
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE {table} (version_num)")
    connection.close()
    before = path.read_bytes()
    assert refusal(path) == f"{path} holds the tables of another program: name another database with --db"
    assert path.read_bytes() == before


def test_a_damaged_database_is_one_sentence(tmp_path):
    path = tmp_path / "r.db"
    Store.open(path).close()
    path.write_bytes(path.read_bytes()[:6000])
    assert "damaged" in refusal(path)


def test_an_empty_file_becomes_a_database(tmp_path):
    (tmp_path / "r.db").touch()
    with Store.open(tmp_path / "r.db") as store:
        assert store.studies() == []


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "r.db"
    assert refusal(path) == (
        f"{path} cannot be created: there is no folder {path.parent}; create it, or name another with --db"
    )
    assert not path.parent.exists()


def test_a_folder_is_no_database(tmp_path):
    assert refusal(tmp_path) == f"{tmp_path} is a folder: name a file in it, for instance {tmp_path / 'results.db'}"


def test_a_folder_that_cannot_be_written_is_one_sentence():
    # Nobody may write here, not even the administrator that tests in containers run as.
    assert "/proc/self/r.db cannot be created" in refusal("/proc/self/r.db")


@pytest.fixture
def as_nobody():
    """Return a folder, and a block in which nothing in it is done by the administrator, who may write everything."""
    with tempfile.TemporaryDirectory() as name:

        @contextmanager
        def block():
            if os.geteuid() != 0:
                yield
                return
            for path in (Path(name), *Path(name).iterdir()):
                os.chown(path, NOBODY, NOBODY)
            os.seteuid(NOBODY)
            try:
                yield
            finally:
                os.seteuid(0)

        yield Path(name), block
        Path(name).chmod(0o700)


def test_a_file_that_cannot_be_written_is_one_sentence(as_nobody):
    folder, block = as_nobody
    path = folder / "r.db"
    Store.open(path).close()
    path.chmod(0o400)
    with (
        block(),
        Store.open(path) as store,
        pytest.raises(StorageError, match="cannot be written: change its permissions"),
    ):
        store.lease("x").__enter__()


def test_results_on_a_read_only_disk_can_be_read(as_nobody, make_plan):
    folder, block = as_nobody
    with Store.open(folder / "r.db") as store:
        store.record_plan(make_plan())
    folder.chmod(0o500)
    with block(), Store.open(folder / "r.db", read_only=True) as reader:
        assert len(reader.load_study("degradation").trials) == 4


def test_a_full_disk_is_one_sentence(tmp_path, make_plan):
    def fill(store):
        with store.database.writing() as connection:
            connection.execute(text("PRAGMA max_page_count = 1"))
            for number in range(1000):
                connection.execute(
                    text("INSERT INTO arm_levels VALUES (1, :n, :x)"), {"n": str(number), "x": "x" * 1000}
                )

    with Store.open(tmp_path / "r.db") as store:
        store.record_plan(make_plan())
        with pytest.raises(StorageError, match=r"the disk of .*r\.db is full: free some space, then run the same"):
            fill(store)


@on_a_server
def test_a_server_without_the_database_is_one_sentence(url):
    elsewhere = database_url(url).set(database="missing").render_as_string(hide_password=False)
    assert "create the database on the server, or correct the URL" in refusal(elsewhere)


def test_a_reader_creates_nothing(tmp_path):
    assert "there are no results in" in refusal(tmp_path / "r.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(store, url, make_plan):
    with Store.open(url, read_only=True) as reader, pytest.raises(StorageError, match="was opened for reading only"):
        reader.record_plan(make_plan())


def test_a_server_out_of_reach_is_one_sentence_without_the_password():
    message = refusal("postgresql://me:secret@127.0.0.1:1/results")
    assert "cannot be reached" in message
    assert "check that the server runs and that the URL is right" in message
    assert "secret" not in message


@pytest.mark.parametrize(("kind", "expected"), [("nfs4", "nfs4"), ("ext4", None)])
def test_a_disk_that_computers_share_is_recognised(kind, expected, tmp_path, monkeypatch):
    class Mount:
        mountpoint, fstype = str(tmp_path), kind

    monkeypatch.setattr("psutil.disk_partitions", lambda all: [Mount()])
    assert shared_file_system(tmp_path / "r.db") == expected


def test_a_file_on_a_network_file_system_is_refused_with_the_reason_and_can_be_read(tmp_path, monkeypatch, make_plan):
    with Store.open(tmp_path / "r.db") as store:
        store.record_plan(make_plan())
    monkeypatch.setattr("orchestrator.storage.database.shared_file_system", lambda path: "nfs4")
    for file in ("r.db", "new.db"):
        with pytest.raises(StorageError, match=rf"{file} is on a network file system \(nfs4\), .* with --db$"):
            Store.open(tmp_path / file)
    assert not (tmp_path / "new.db").exists()
    with Store.open(tmp_path / "r.db", read_only=True) as store:
        assert len(store.studies()) == 1


def test_on_the_disk_of_a_virtual_machines_host_sqlite_keeps_no_log(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.storage.database.shared_file_system", lambda path: "9p")
    with Store.open(tmp_path / "r.db") as store, store.database.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "truncate"
