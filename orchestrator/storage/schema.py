"""Bringing a database to the newest version of the schema, and refusing those that are not ours."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL

from orchestrator.storage.address import file_of, is_file
from orchestrator.storage.database import Database, open_readonly
from orchestrator.storage.errors import StorageError
from orchestrator.storage.migrations import VERSION

_FOLDER = Path(__file__).parent / "migrations"
# Any number: every process of this program must ask PostgreSQL for the same lock.
_LOCK = 7_240_115
# Other programs have tables called "studies" and "trials" too, and Alembic's own as well; this one is ours alone.
_SIGN = "arm_levels"


def check_file(url: URL, *, must_exist: bool) -> None:
    """Refuse, before anything is written, a file that cannot hold results or holds something else."""
    path = file_of(url)
    if not path.parent.is_dir():
        raise StorageError(
            f"{path} cannot be created: there is no folder {path.parent}; create it, or name another with --db"
        )
    if path.is_dir():
        raise StorageError(f"{path} is a folder: name a file in it, for instance {path / 'results.db'}")
    if path.exists() and path.stat().st_size:
        _check_content(path)
    elif must_exist:
        raise StorageError(_no_results(str(path)))


def bring_up_to_date(database: Database) -> None:
    """Create the tables, or migrate those of an older version, also for a reader.

    StorageError for a version from the future, and for a reader when there are no tables yet.
    """
    with database.reading() as connection:
        version = _version(connection, database.where)
    if version == VERSION:
        return
    if version is None and database.read_only:
        raise StorageError(_no_results(database.where))
    writer = Database(database.url)
    try:
        _migrate(writer)
    finally:
        writer.close()


def _migrate(writer: Database) -> None:
    with writer.writing() as connection:
        if not is_file(writer.url):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        # Another process may have been faster while this one waited for the lock.
        if _version(connection, writer.where) != VERSION:
            _upgrade(connection)


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


def _no_results(where: str) -> str:
    return f"there are no results in {where} yet: `orchestrate run FILE` makes some, or name another database with --db"


def _check_content(path: Path) -> None:
    """Raise StorageError unless SQLite can read the file; this must come before the first connection that writes."""
    try:
        open_readonly(path).close()
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            remedy = "name another file with --db, or move this one away"
            raise StorageError(f"{path} is not a results database: {remedy}") from error
        raise StorageError(f"{path} cannot be opened ({error}): check its permissions and its folder's") from error
