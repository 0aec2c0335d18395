"""Bringing a database to the newest version of the schema, and refusing those that are not ours."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL

from orchestrator.storage.address import describe, file_of, is_file
from orchestrator.storage.database import Database, open_readonly
from orchestrator.storage.errors import StorageError, explain
from orchestrator.storage.migrations import VERSION
from orchestrator.storage.views import are_current, refresh_views

_FOLDER = Path(__file__).parent / "migrations"
# Any number: every process of this program must ask PostgreSQL for the same lock.
_LOCK = 7_240_115
# Other programs have tables called "studies" and "trials" too, and Alembic's own as well; this one is ours alone.
_SIGN = "arm_levels"


def bring_up_to_date(url: URL, *, read_only: bool) -> None:
    """Create the tables, or migrate those of an older version, and bring the views up to date.

    A reader gets nothing created, and of the views those that are there.
    StorageError for what cannot hold results, belongs to another program, or comes from a newer version of this one;
    none of them is touched.
    """
    version, is_current = _found(url)
    if version == VERSION and (read_only or is_current):
        return
    if version is None and read_only:
        raise StorageError(
            f"there are no results in {describe(url)} yet: `orchestrate run FILE` makes some, "
            "or name another database with --db"
        )
    with closing(Database(url)) as database, database.writing() as connection:
        if not is_file(url):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        # Another process may have been faster while this one waited for the lock.
        if _version(connection, database.where) != VERSION:
            _upgrade(connection)
        refresh_views(connection)


def found_version(url: URL) -> str | None:
    """Return the version of the schema; None where there are no tables yet. StorageError as `bring_up_to_date`."""
    return _found(url)[0]


def _found(url: URL) -> tuple[str | None, bool]:
    """Return the version of the schema, and whether it is the newest with the views of this version of the program."""
    if is_file(url) and not _holds_something(file_of(url)):
        return None, False
    with closing(Database(url, read_only=True)) as database, database.reading() as connection:
        version = _version(connection, database.where)
        return version, version == VERSION and are_current(connection)


def _holds_something(path: Path) -> bool:
    """Whether the file of a database exists and is not empty; StorageError when it could not be created or read."""
    if not path.parent.is_dir():
        raise StorageError(
            f"{path} cannot be created: there is no folder {path.parent}; create it, or name another with --db"
        )
    if path.is_dir():
        raise StorageError(f"{path} is a folder: name a file in it, for instance {path / 'results.db'}")
    if not path.exists():
        _check_writable(path)
        return False
    if not path.stat().st_size:
        return False
    try:
        open_readonly(path).close()
    except sqlite3.DatabaseError as error:
        raise explain(error, str(path)) from error
    return True


def _check_writable(path: Path) -> None:
    """Raise StorageError when no file can be made where `path` is to be."""
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise StorageError(
            f"{path} cannot be created ({error.strerror}): make its folder writable, or name another file with --db"
        ) from None


def _version(connection: Connection, where: str) -> str | None:
    """Return the version of the tables, None when there are none."""
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    if _SIGN not in names or "alembic_version" not in names:
        if names.isdisjoint({"studies", "trials", "arms", "alembic_version"}) and connection.dialect.name != "sqlite":
            return None
        raise StorageError(f"{where} holds the tables of another program: name another database with --db")
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version not in _known_versions():
        raise StorageError(
            f"{where} was written by a newer version of this program (schema {version}, this one knows {VERSION}): "
            "update it with pip install -U ablation-orchestrator, or name another database with --db"
        )
    return str(version)


def _known_versions() -> set[str]:
    return {str(number) for number in range(1, int(VERSION) + 1)}


def _upgrade(connection: Connection) -> None:
    # Alembic takes a tenth of a second to import, which only a new or old database needs to pay.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
