"""Bringing the views of a database up to what this version of the program wants them to be."""

import hashlib

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from orchestrator.storage.dictionary import NAME as DICTIONARY
from orchestrator.storage.dictionary import dictionary_query, meanings
from orchestrator.storage.view_queries import view_queries

_KEPT_IN = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = :name",
    "postgresql": "SELECT obj_description(to_regclass(:name), 'pg_class')",
}
# Of PostgreSQL: who may not change a view, and a view that the views of someone else read.
_REFUSALS = {"42501", "2BP01"}
# Of PostgreSQL: a view has columns that its new query does not have in their places.
_OTHER_COLUMNS = "42P16"


def are_current(connection: Connection) -> bool:
    """Whether the views are those of this version of the program."""
    kept = connection.execute(text(_KEPT_IN[connection.dialect.name]), {"name": DICTIONARY}).scalar()
    return _mark(connection.dialect.name) in (kept or "")


def write_views(connection: Connection) -> None:
    """Make every view, and the dictionary of their columns, anew."""
    dialect = connection.dialect.name
    for name, query in view_queries(dialect).items():
        _put(connection, name, query)
    # What the dictionary is marked with stands for all views: it is made last, of all of them.
    _put(connection, DICTIONARY, f"/* {_mark(dialect)} */ {dictionary_query(connection)}")
    if dialect == "postgresql":
        connection.execute(text(f"COMMENT ON VIEW {DICTIONARY} IS '{_mark(dialect)}'"))


def refresh_views(connection: Connection) -> None:
    """Make the views anew unless they are current; one that this user of the server may not change stays as it is."""
    if are_current(connection):
        return
    try:
        with connection.begin_nested():
            write_views(connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _REFUSALS:
            raise


def _put(connection: Connection, name: str, query: str) -> None:
    """Make a view anew; where PostgreSQL can add the columns to the one that is there, its grants stay with it."""
    query = query.replace(":", "\\:")
    if connection.dialect.name == "postgresql":
        try:
            with connection.begin_nested():
                connection.execute(text(f"CREATE OR REPLACE VIEW {name} AS {query}"))
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _OTHER_COLUMNS:
                raise
    connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
    connection.execute(text(f"CREATE VIEW {name} AS {query}"))


def _mark(dialect: str) -> str:
    """Return what tells the views of this version of the program from those of another."""
    said = f"{sorted(view_queries(dialect).items())} {sorted(meanings().items())}"
    return f"views {hashlib.sha256(said.encode()).hexdigest()[:16]}"
