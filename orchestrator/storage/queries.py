"""SQL that people write: answered from the results database, without any way to change it."""

import json
import math
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, inspect

from orchestrator.storage.address import file_of, is_file
from orchestrator.storage.database import open_readonly
from orchestrator.storage.errors import StorageError, unknown_name
from orchestrator.storage.store import Store

_READING = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_PRAGMAS = ("table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list")
_STEPS = 100_000
"""So many instructions of SQLite, some milliseconds, may pass before a Ctrl-C is noticed."""
_ONLY_READING = "only reading is allowed: write one SELECT statement"
_REFUSALS = (
    "not authorized",
    "authorization denied",
    "prohibited",
    "readonly",
    "read-only",
    "one statement",
    "multiple commands",
)
_MISSING_COLUMN = re.compile(r"no such column: (?:\w+\.)?(.+)|column \"?(?:\w+\.)?([^\" ]+)\"? does not exist")
_MISSING_TABLE = re.compile(r"no such table: (?:main\.)?(.+)|relation \"(?:\w+\.)?([^\"]+)\" does not exist")


def query(url: str | Path, sql: str) -> pd.DataFrame:
    """Return the rows of one SELECT statement.

    JSON values come as text, whole numbers with gaps as Int64. Raises StorageError, one sentence, for SQL that is
    wrong, that would write, or that is more than one statement.
    """
    if not sql.strip():
        raise StorageError("the SQL is empty: for instance SELECT * FROM trial_results")
    with Store.open(url, read_only=True) as store:
        try:
            if is_file(store.database.url):
                return _from_file(file_of(store.database.url), sql)
            with store.database.reading() as connection:
                return _from_server(connection, sql)
        except UnicodeEncodeError:
            raise StorageError("the SQL is no text in UTF-8") from None


def _from_file(path: Path, sql: str) -> pd.DataFrame:
    with closing(open_readonly(path)) as connection:
        names = _names(connection)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(_take_signals, _STEPS)
        try:
            cursor = connection.execute(sql)
            rows = cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise KeyboardInterrupt from None  # SQLite turns what a signal raises into its own error
            raise StorageError(_sentence(str(error), sql, names, _position(connection, str(error), sql))) from error
    if cursor.description is None:
        raise StorageError(f"the SQL returns no rows: {_ONLY_READING}")
    return _frame([column[0] for column in cursor.description], rows)


def _from_server(connection: Connection, sql: str) -> pd.DataFrame:
    import psycopg  # not above: results in a file do without it

    from orchestrator.storage.server_connection import ServerConnection

    inspector = inspect(connection)
    tables = [*inspector.get_table_names(), *inspector.get_view_names()]
    names = {table: [column["name"] for column in inspector.get_columns(table)] for table in tables}
    server = connection.connection.driver_connection
    assert isinstance(server, ServerConnection)
    server.answer_seconds = math.inf
    try:
        with server.cursor() as cursor:
            # A prepared statement can be no second one, such as a COMMIT that would end the read-only transaction.
            cursor.execute(sql.replace("%", "%%"), (), prepare=True)
            if cursor.description is None:
                raise StorageError(f"the SQL returns no rows: {_ONLY_READING}")
            return _frame([column[0] for column in cursor.description], cursor.fetchall())
    except psycopg.Error as error:
        place = error.diag.statement_position
        raise StorageError(
            _sentence(str(error).split("\n")[0], sql, names, int(place) - 1 if place else None)
        ) from error


def _take_signals() -> int:
    """Let Python run the handlers of signals, which otherwise wait until SQLite has finished; 0 lets it go on."""
    return 0


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """Allow SQLite to read, and nothing else."""
    reads = action in _READING and not (action == sqlite3.SQLITE_FUNCTION and second == "load_extension")
    asks = action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS
    return sqlite3.SQLITE_OK if reads or asks else sqlite3.SQLITE_DENY


def _names(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of every table and view."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    return {
        table: [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        for table in tables
    }


def _sentence(message: str, sql: str, names: dict[str, list[str]], position: int | None) -> str:
    """Return what is wrong with the SQL, where, and what was probably meant."""
    table = _MISSING_TABLE.search(message)
    if table:
        return f"{unknown_name('table or view', _first(table), names)}{_at(sql, position)}"
    column = _MISSING_COLUMN.search(message)
    if column:
        return f"{unknown_name('column', _first(column), _columns(sql, names))}{_at(sql, position)}"
    if any(sign in message for sign in _REFUSALS):
        return f"the SQL is refused ({message.rstrip('.')}): {_ONLY_READING}"
    return f"the SQL is wrong: {message}{_at(sql, position)}"


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _columns(sql: str, names: dict[str, list[str]]) -> set[str]:
    """Return the columns of the tables that the SQL names, of the views when it names none."""
    words = set(re.findall(r"\w+", sql.lower()))
    named = [table for table in names if table in words]
    return {column for table in named or ("trial_results", "verdict_results", "curves") for column in names[table]}


def _position(connection: sqlite3.Connection, message: str, sql: str) -> int | None:
    """Return where in the SQL the message's word stands; None when that cannot be told.

    SQLite names only the word near a mistake. Of several such words it is the first one after which SQLite, given
    the SQL up to there, complains of the same.
    """
    word = re.search(r'near "(.+)": syntax error', message, re.DOTALL) or _MISSING_COLUMN.search(message)
    word = word or _MISSING_TABLE.search(message)
    if word is None:
        return None
    places = [match.start() for match in re.finditer(re.escape(_first(word)), sql)]
    if "syntax error" not in message:
        return places[0] if places else None
    for place in places:
        try:
            connection.execute(f"EXPLAIN {sql[: place + len(_first(word))]}")
        except sqlite3.Error as error:
            if str(error) == message:
                return place
        except sqlite3.Warning:
            return None
    return places[-1] if places else None


def _at(sql: str, position: int | None) -> str:
    if position is None:
        return ""
    line = sql.count("\n", 0, position) + 1
    column = position - (sql.rfind("\n", 0, position) + 1) + 1
    return f" (line {line}, column {column})"


def _frame(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    records = list(rows)
    columns = {place: _column([row[place] for row in records]) for place in range(len(names))}
    frame = pd.DataFrame(columns, index=range(len(records)))
    # Two columns may have the same name, which a dict could not hold.
    frame.columns = pd.Index(list(names))
    return frame


def _column(values: list[Any]) -> Any:
    """Return a column whose whole numbers stay whole beside a NULL, and whose JSON is text."""
    if any(isinstance(value, dict | list) for value in values):
        return [value if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    numbers = [value for value in values if value is not None]
    if numbers and len(numbers) < len(values) and all(type(value) is int for value in numbers):
        return pd.array(values, dtype="Int64")
    return values
