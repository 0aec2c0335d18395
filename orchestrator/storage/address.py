"""Where the results are: what people write for a database, read as one URL."""

import re
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.errors import UserError
from orchestrator.home import expanded
from orchestrator.passwords import take_apart, without_passwords
from orchestrator.storage.errors import StorageError
from search_spaces.errors import nearest

_EXAMPLES = "sqlite:///results.db, results.db or postgresql://user@host/name"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_CONNECTION_STRING = re.compile(r"(?i)\b(?:host|dbname|password)\s*=.*\b(?:host|dbname|user|password|port)\s*=")


def database_url(text: str | Path | URL) -> URL:
    """Read a database as people write it: a file's path, or the URL of SQLite or PostgreSQL.

    A file's path becomes absolute, so that a later change of folder does not matter. A password may hold any character
    and may stand as ``?password=``. Raises StorageError, which never shows a password, for anything else.
    """
    if isinstance(text, URL):
        return text
    written = str(text).strip()
    if not written:
        raise StorageError(f"the database has no name: give a file or a URL, for instance {_EXAMPLES}")
    scheme, colon, following = written.partition(":")
    scheme = scheme.lower()
    if _DRIVERS.get(scheme) == "sqlite" and colon:
        return _sqlite(following, written)
    if _CONNECTION_STRING.search(written):
        raise StorageError(f"the database is written as a connection string: write it as a URL, {_EXAMPLES}")
    if "://" not in written and not (colon and scheme in _DRIVERS):
        return _file(written)
    if scheme not in _DRIVERS:
        known = nearest(scheme, _DRIVERS)
        hint = f'did you mean "{known}"? ' if known is not None else ""
        raise StorageError(
            f'"{scheme}" is no database that results can be kept in: {hint}use SQLite or PostgreSQL, '
            f"for instance {_EXAMPLES}"
        )
    return _server(scheme, following)


def is_file(url: URL) -> bool:
    """Whether the database is a SQLite file."""
    return url.get_backend_name() == "sqlite"


def file_of(url: URL) -> Path:
    """Return the file of a SQLite database."""
    return Path(url.database or "")


def describe(url: URL) -> str:
    """Return the database's name for a message: the file's path, or the URL without its password."""
    return str(file_of(url)) if is_file(url) else without_passwords(url.render_as_string(hide_password=True))


def _sqlite(following: str, written: str) -> URL:
    """Read what follows ``sqlite:``, with any number of slashes."""
    if following.startswith("//"):
        following = following[2:]
        if following and not following.startswith("/"):
            raise StorageError(
                f'"{written}" has two slashes, after which a host would stand: write sqlite:///{following} '
                f"for a file in this folder, or sqlite:////{following} for one at the top of the disk"
            )
        following = following[1:]
    return _file(following.partition("?")[0], written)


def _server(scheme: str, following: str) -> URL:
    if not following.startswith("//"):
        raise StorageError(f'the database\'s URL lacks the slashes after "{scheme}:": write it as {_EXAMPLES}')
    parts = take_apart(following[2:])
    try:
        url = make_url(f"postgresql://{parts.rest}")
    except (ArgumentError, ValueError):
        raise StorageError(f"the database's URL cannot be read: write it as {_EXAMPLES}") from None
    if not url.database:
        raise StorageError(f"the database's URL names no database: write it as {_EXAMPLES}")
    in_query = url.query.get("password")
    password = unquote(parts.password) if parts.password is not None else None
    url = url.set(drivername=_DRIVERS[scheme], username=unquote(parts.user) if parts.user else None)
    if in_query is not None:
        password = in_query if isinstance(in_query, str) else in_query[-1]
        url = url.difference_update_query(["password"])
    return url.set(password=password)


def _file(path: str, written: str | None = None) -> URL:
    if path in ("", ":memory:") or path.startswith("file:"):
        raise StorageError(
            f'"{written or path}" names no file: results must outlive the command, so give one, such as {_EXAMPLES}'
        )
    try:
        return URL.create("sqlite", database=str(expanded(path).absolute()))
    except UserError as error:
        raise StorageError(str(error)) from None
