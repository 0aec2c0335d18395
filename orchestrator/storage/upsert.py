"""Writing rows that may be there already, in the one way that SQLite and PostgreSQL share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

Key = TypeVar("Key")

# The two dialects' statements have the same methods, but no common type.
_INSERTS: dict[str, Callable[[Table], Any]] = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}
# SQLite allows 32,766 values in a statement, PostgreSQL 65,535.
_AT_ONCE = 5_000


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet; leave the others as they are."""
    if rows:
        connection.execute(_new(connection.dialect.name, table), [dict(row) for row in rows])


def insert_or_update(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows, or replace the given columns of those whose `key` is there already."""
    if rows:
        statement = _replacing(connection.dialect.name, table, tuple(rows[0]), tuple(key))
        connection.execute(statement, [dict(row) for row in rows])


# Kept, since to build one takes longer than to execute it.
@cache
def _new(dialect: str, table: Table) -> Any:
    return _INSERTS[dialect](table).on_conflict_do_nothing()


@cache
def _replacing(dialect: str, table: Table, columns: tuple[str, ...], key: tuple[str, ...]) -> Any:
    insert = _INSERTS[dialect](table)
    changed = {name: insert.excluded[name] for name in columns if name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=changed)


def in_parts(ids: Iterable[Key]) -> Iterator[list[Key]]:
    """Cut many ids into lists that fit into one statement each."""
    rest = iter(ids)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
