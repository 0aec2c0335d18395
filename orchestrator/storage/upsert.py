"""Writing rows that may be there already, in the one way that SQLite and PostgreSQL share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
        statement = _INSERTS[connection.dialect.name](table).on_conflict_do_nothing()
        connection.execute(statement, [dict(row) for row in rows])


def insert_or_update(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows, or replace the given columns of those whose `key` is there already."""
    if not rows:
        return
    insert = _INSERTS[connection.dialect.name](table)
    changed = {name: insert.excluded[name] for name in rows[0] if name not in key}
    statement = insert.on_conflict_do_update(index_elements=list(key), set_=changed)
    connection.execute(statement, [dict(row) for row in rows])


def in_parts(ids: Iterable[Key]) -> Iterator[list[Key]]:
    """Cut many ids into lists that fit into one statement each."""
    rest = iter(ids)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
