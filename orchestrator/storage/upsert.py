"""Writing rows that may be there already, in the one way that SQLite and PostgreSQL share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

Key = TypeVar("Key")

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
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _replacing(dialect: str, table: Table, columns: tuple[str, ...], key: tuple[str, ...]) -> Any:
    insert = _insert(dialect, table)
    changed = {name: insert.excluded[name] for name in columns if name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=changed)


def _insert(dialect: str, table: Table) -> Any:
    """The statement of the dialect in use, sqlite or postgresql: both have the same methods, but no common type."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table)


def in_parts(ids: Iterable[Key]) -> Iterator[list[Key]]:
    """Cut many ids into lists that fit into one statement each."""
    rest = iter(ids)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
