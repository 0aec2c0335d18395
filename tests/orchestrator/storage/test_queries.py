"""SQL that people write: what comes back, what is refused, and what the messages say."""

import signal

import pytest
from sqlalchemy import text

from orchestrator.storage import StorageError, Store, queries, query
from tests.orchestrator.storage.conftest import in_a_file


@pytest.fixture
def planned(store, make_plan):
    store.record_plan(make_plan())
    return store


def test_a_result_is_a_frame(planned, url):
    frame = query(url, "SELECT seed, count(*) AS n FROM trial_results GROUP BY seed ORDER BY seed")
    assert frame.to_dict("list") == {"seed": [0, 1], "n": [2, 2]}


def test_a_result_without_rows_keeps_its_columns(planned, url):
    assert list(query(url, "SELECT arm, seed FROM curves").columns) == ["arm", "seed"]


def test_two_columns_may_have_the_same_name(planned, url):
    assert query(url, "SELECT 1 AS a, 2 AS a").values.tolist() == [[1, 2]]


def test_whole_numbers_stay_whole_beside_a_null(planned, url):
    assert str(query(url, "SELECT 1 AS a UNION ALL SELECT NULL").a.dtype) == "Int64"


def test_per_cent_signs_are_no_placeholders(planned, url):
    assert query(url, "SELECT count(*) AS n FROM trial_results WHERE arm LIKE 'depth=20%'").n.tolist() == [2]


def test_common_table_expressions_work(planned, url):
    sql = "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 3) SELECT n FROM up"
    assert query(url, sql).n.tolist() == [1, 2, 3]


def test_a_trailing_semicolon_and_comments_are_fine(planned, url):
    assert query(url, "-- all of them\nSELECT count(*) AS n FROM studies; ").n.tolist() == [1]


def test_reading_works_while_another_process_writes(planned, url):
    with Store.open(url) as other, other.database.writing() as connection:
        connection.execute(text("UPDATE studies SET question = 'changed'"))
        assert query(url, "SELECT question FROM studies").question.tolist() == ["Do deeper networks still train?"]


WRITES = [
    "DELETE FROM trials",
    "UPDATE trials SET state = 'COMPLETE'",
    "INSERT INTO arm_levels VALUES (1, 'x', 'y')",
    "DROP TABLE trials",
    "CREATE TABLE x (a INTEGER)",
    "CREATE TEMP TABLE x (a INTEGER)",
    "WITH x AS (SELECT 1) DELETE FROM trials",
    "SELECT 1; DELETE FROM trials",
    "COMMIT; DELETE FROM trials",
    "BEGIN",
]
SQLITE_WRITES = [
    "ATTACH DATABASE ':memory:' AS other",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA user_version = 3",
    "REINDEX",
    "ANALYZE",
    "REPLACE INTO arm_levels VALUES (1, 'x', 'y')",
    "SELECT load_extension('x')",
    "SAVEPOINT x",
]


def refuse(url, sql):
    with pytest.raises(StorageError) as refused:
        query(url, sql)
    with Store.open(url, read_only=True) as store:
        assert len(store.load_study("degradation").trials) == 4
    return str(refused.value)


@pytest.mark.parametrize("sql", WRITES)
def test_nothing_can_be_written(planned, url, sql):
    assert "only reading is allowed: write one SELECT statement" in refuse(url, sql)


@pytest.fixture
def file(tmp_path, make_plan):
    path = tmp_path / "results.db"
    with Store.open(path) as store:
        store.record_plan(make_plan())
    return path


@pytest.mark.parametrize("sql", SQLITE_WRITES)
def test_no_back_door_of_sqlite_is_open(file, sql):
    assert "only reading is allowed" in refuse(file, sql)


def test_the_columns_of_a_view_can_be_asked_for(file):
    assert "test_error" in query(file, "PRAGMA table_info(trial_results)").name.tolist()


def test_sql_of_broken_bytes_is_one_message(planned, url):
    with pytest.raises(StorageError, match="no text in UTF-8"):
        query(url, "SELECT '\udcff'")


@pytest.mark.parametrize("sql", ["", "  \n"])
def test_empty_sql_shows_an_example(url, sql):
    with pytest.raises(StorageError, match=r"the SQL is empty: for instance SELECT \* FROM trial_results"):
        query(url, sql)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", 'the SQL is wrong: near "SELEC": syntax error (line 1, column 1)'),
        (
            "SELECT 'form'\nFROM trials form\n  WHERE form form",
            'the SQL is wrong: near "form": syntax error (line 3, column 14)',
        ),
        ("SELECT (", "the SQL is wrong: incomplete input"),
        ("-- nothing", "the SQL returns no rows: only reading is allowed: write one SELECT statement"),
        (
            "SELECT * FROM trail_results",
            'there is no table or view "trail_results": did you mean "trial_results"? (line 1, column 15)',
        ),
        (
            "SELECT arm,\n  test_eror FROM trial_results",
            'there is no column "test_eror": did you mean "test_error"? (line 2, column 3)',
        ),
        ("SELECT t.sed FROM curves t", 'there is no column "sed": did you mean "seed"? (line 1, column 10)'),
    ],
)
def test_wrong_sql_says_where_and_what_was_meant(file, sql, message):
    with pytest.raises(StorageError) as wrong:
        query(file, sql)
    assert str(wrong.value) == message


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "line 1, column 1"),
        ("SELECT * FROM trail_results", 'there is no table or view "trail_results": did you mean "trial_results"?'),
        ("SELECT test_eror FROM trial_results", 'there is no column "test_eror": did you mean "test_error"?'),
    ],
)
def test_wrong_sql_reads_alike_on_every_database(planned, url, sql, message):
    with pytest.raises(StorageError) as wrong:
        query(url, sql)
    assert message in str(wrong.value)


def test_there_is_nothing_to_query_before_the_first_study(tmp_path):
    with pytest.raises(
        StorageError, match=r"there are no results in .*none\.db yet: `orchestrate run FILE` makes some"
    ):
        query(tmp_path / "none.db", "SELECT 1")
    assert not (tmp_path / "none.db").exists()


@in_a_file
def test_a_signal_ends_a_query_that_runs(store, url, monkeypatch):
    """SQLite calls back while it works, and what a signal's handler raises there ends the command as an interrupt."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    def signalled():
        signal.raise_signal(signal.SIGUSR1)
        return 0

    former = signal.signal(signal.SIGUSR1, interrupt)
    monkeypatch.setattr(queries, "_take_signals", signalled)
    counting = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000) SELECT count(*) FROM c"
    try:
        with pytest.raises(KeyboardInterrupt):
            query(url, counting)
        monkeypatch.undo()
        assert query(url, counting).values.tolist() == [[100000]]
    finally:
        signal.signal(signal.SIGUSR1, former)
