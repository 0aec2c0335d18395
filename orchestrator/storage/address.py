"""Where the results are: what people write for a database, read as one URL."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.storage.errors import StorageError

_EXAMPLES = "sqlite:///results.db, results.db or postgresql://user@host/name"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def database_url(text: str | Path | URL) -> URL:
    """Read a database as people write it: a file's path, or the URL of SQLite or PostgreSQL.

    A file's path becomes absolute, so that a later change of folder does not matter. Raises StorageError for anything
    else.
    """
    if isinstance(text, URL):
        return text
    written = str(text).strip()
    if not written:
        raise StorageError(f"the database has no name: give a file or a URL, for instance {_EXAMPLES}")
    if "://" not in written:
        return _file(written)
    scheme = written.partition("://")[0].lower()
    if scheme not in _DRIVERS:
        raise StorageError(
            f'"{scheme}" is no database that results can be kept in: use SQLite or PostgreSQL, for instance {_EXAMPLES}'
        )
    try:
        url = make_url(written)
    except (ArgumentError, ValueError) as error:
        raise StorageError(f"the database's URL cannot be read: write it as {_EXAMPLES}") from error
    if _DRIVERS[scheme] == "sqlite":
        return _file(url.database or "", written)
    if not url.database:
        raise StorageError(f"the database's URL names no database: write it as {_EXAMPLES}")
    return url.set(drivername=_DRIVERS[scheme])


def is_file(url: URL) -> bool:
    """Whether the database is a SQLite file."""
    return url.get_backend_name() == "sqlite"


def file_of(url: URL) -> Path:
    """Return the file of a SQLite database."""
    return Path(url.database or "")


def describe(url: URL) -> str:
    """Return the database's name for a message: the file's path, or the URL without its password."""
    return str(file_of(url)) if is_file(url) else url.render_as_string(hide_password=True)


def _file(path: str, written: str | None = None) -> URL:
    if path in ("", ":memory:") or path.startswith("file:"):
        raise StorageError(
            f'"{written or path}" names no file: results must outlive the command, so give one, such as {_EXAMPLES}'
        )
    return URL.create("sqlite", database=str(Path(path).expanduser().absolute()))
