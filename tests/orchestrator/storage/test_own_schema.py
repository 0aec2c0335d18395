"""Another program's tables on the server that holds the results: in a schema of their own, ours untouched."""

from contextlib import closing
from pathlib import Path

import optuna
import pytest
from sqlalchemy import text

from orchestrator import RunOptions, run_study
from orchestrator.search.optuna_copy import NAME, SCHEMA, optuna_address
from orchestrator.storage import StorageError, Store, database_url
from orchestrator.storage.database import Database
from tests.orchestrator.storage.conftest import in_a_file, on_a_server

SEARCH = """\
study: hunt
data: digits
network: {family: resnet_cifar, width: 2, depth: 8}
factors: {shortcut: [identity, none], width: {low: 1, high: 3}}
design: search
search: {arms: 3, control: true, confirm: {best: 1, seeds: 1}}
training: {recipe: quick, epochs: 1}
"""


def tables(store: Store) -> dict[str, set[str]]:
    """Return the names of the tables of each schema of a server."""
    found: dict[str, set[str]] = {}
    with store.database.reading() as connection:
        for schema, name in connection.execute(text("SELECT schemaname, tablename FROM pg_tables")):
            found.setdefault(schema, set()).add(name)
    return found


@in_a_file
def test_a_file_has_no_schema_so_optunas_tables_get_a_file_of_their_own(store, tmp_path: Path):
    assert store.own_schema(SCHEMA) is None
    assert optuna_address(store, tmp_path / "out") == f"sqlite:///{tmp_path / 'out' / NAME}"


@on_a_server
def test_a_search_on_a_server_leaves_our_tables_alone_and_none_of_optunas_trials_running(
    store, url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("hunt.yaml").write_text(SEARCH)
    ours = tables(store)["public"]
    for _ in range(2):  # the second run finds the schema and adds nothing
        study = run_study("hunt.yaml", options=RunOptions(db=url, executor="inline", report=False)).study
    assert tables(store)["public"] == ours
    assert {"studies", "trials", "trial_params"} <= tables(store)[SCHEMA]
    assert not Path("out/hunt", NAME).exists()
    storage = optuna.storages.RDBStorage(store.own_schema(SCHEMA))
    studies = storage.get_all_studies()
    assert sorted(each.study_name.rpartition(" ")[0] for each in studies) == ["hunt control", "hunt search"]
    trials = [trial for each in studies for trial in storage.get_all_trials(each._study_id)]
    storage.remove_session()
    storage.engine.dispose()
    assert all(trial.state.is_finished() for trial in trials)
    assert len(trials) == sum(map(len, study.search["proposals"].values()))


@on_a_server
def test_the_options_of_a_servers_url_are_kept(url):
    timed = database_url(url).update_query_dict({"options": "-cstatement_timeout=7s"})
    with Store.open(timed) as store:
        other = Database(database_url(store.own_schema(SCHEMA)))
    with closing(other), other.reading() as connection:
        assert connection.scalar(text("SHOW search_path")) == SCHEMA
        assert connection.scalar(text("SHOW statement_timeout")) == "7s"


@on_a_server
def test_a_user_who_may_make_no_schema_is_told_who_can(url, store):
    with store.database.writing() as connection:
        for statement in ("DROP ROLE IF EXISTS guest_of_hunt", "CREATE ROLE guest_of_hunt LOGIN"):
            connection.execute(text(statement))
        connection.execute(text("GRANT ALL ON ALL TABLES IN SCHEMA public TO guest_of_hunt"))
    try:
        guest = database_url(url).set(username="guest_of_hunt")
        with Store.open(guest) as guests:
            with pytest.raises(StorageError, match='CREATE SCHEMA optuna AUTHORIZATION "guest_of_hunt"'):
                guests.own_schema(SCHEMA)
            with store.database.writing() as connection:
                connection.execute(text(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION guest_of_hunt"))
            assert "search_path" in guests.own_schema(SCHEMA)
    finally:
        with store.database.writing() as connection:
            connection.execute(text("DROP OWNED BY guest_of_hunt"))
            connection.execute(text("DROP ROLE guest_of_hunt"))
