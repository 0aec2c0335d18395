"""Connections to the results database: one SQLAlchemy engine, set up so that reading while a study runs works."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from orchestrator.storage.address import describe, file_of, is_file
from orchestrator.storage.columns import to_json
from orchestrator.storage.errors import DatabaseGone, StorageError, explain
from orchestrator.storage.network_disk import HOST_DISK, shared_file_system

BUSY_SECONDS = 30


class Database:
    """The results database of one URL. Safe to use from several threads; each transaction has its own connection."""

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self.url = url
        self.where = describe(url)
        self.read_only = read_only
        self._engine = _sqlite(url, read_only) if is_file(url) else _server(url, read_only)
        self._writing = self._engine.execution_options(immediate=True)
        self._reading = (
            self._engine if is_file(url) else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees the database as it is now, whatever is written meanwhile."""
        with translated(self.where), self._reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes: all of it is kept, or none when the block raises."""
        with translated(self.where), self.writing_raw() as connection:
            yield connection

    @contextmanager
    def writing_raw(self, *, durable: bool = True, busy: float | None = None) -> Iterator[Connection]:
        """Open a transaction that writes and raises SQLAlchemy's own errors, for callers that try again.

        A `durable` one survives a power cut as soon as it has ended; another may be undone by one, never in part.
        A lock is waited for `busy` seconds; without them `BUSY_SECONDS` of a file, and on a server as long as for any
        answer.
        """
        if self.read_only:
            raise StorageError(f"{self.where} was opened for reading only")
        engine = self._writing.execution_options(durable=durable, **({} if busy is None else {"busy": busy}))
        with engine.begin() as connection:
            if busy is not None and not is_file(self.url):
                connection.execute(text(f"SET LOCAL lock_timeout = {round(1000 * busy)}"))
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn the errors of SQLAlchemy and of its drivers into one sentence."""
    try:
        yield
    except SQLAlchemyError as error:
        raise explain(error, where) from error


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open a SQLite file so that nothing can be written; sqlite3.Error when it cannot be opened.

    A file on a read-only disk has no room for the shared memory that SQLite's log needs, so when there is no log the
    file is read as one that does not change.
    """
    name = quote(str(path))
    try:
        return _probed(f"file:{name}?mode=ro")
    except sqlite3.OperationalError:
        if Path(f"{path}-wal").exists():
            raise
        return _probed(f"file:{name}?mode=ro&immutable=1")


def _probed(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _sqlite(url: URL, read_only: bool) -> Engine:
    path = file_of(url).absolute()  # code of the user's own may change the current folder
    file_system = shared_file_system(path)
    if file_system not in (None, HOST_DISK) and not read_only:
        raise StorageError(
            f"{path} is on a network file system ({file_system}), where locks do not keep a SQLite file whole: "
            "name a file on a local disk, or a PostgreSQL server, with --db"
        )
    # The log needs memory shared by all processes, which a virtual machine and its host do not have.
    journal = "TRUNCATE" if file_system else "WAL"

    file = _File(path)

    def connect() -> sqlite3.Connection:
        if read_only:
            return open_readonly(path)
        # isolation_level=None: BEGIN is said below, since the driver's own comes too late to hold reads together.
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
        _choose_journal(connection, journal)
        connection.execute("PRAGMA foreign_keys=ON")
        file.remember()
        return connection

    engine = create_engine("sqlite://", creator=connect, json_serializer=to_json, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not read_only:
            file.check()
            # Without the log, NORMAL can leave a damaged file behind.
            is_safe = journal == "WAL" and not options.get("durable", True)
            connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if is_safe else 'FULL'}")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={round(1000 * options.get('busy', BUSY_SECONDS))}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate", False) else "BEGIN")

    return engine


class _File:
    """The file of a database that is being written: the same one from the first connection to the last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def remember(self) -> None:
        """Note which file the first connection has opened, or made."""
        self._known = self._known or self._found()

    def check(self) -> None:
        """Raise DatabaseGone when another file, or none, bears the path now: what is written would be lost."""
        if self._known is not None and self._found() != self._known:
            raise DatabaseGone(
                f"{self._path} was deleted, moved or replaced while it was in use: put the file back where it was, "
                "then run the same command again; what it has lost is trained again"
            )

    def _found(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino


def _choose_journal(connection: sqlite3.Connection, journal: str) -> None:
    """Choose how a file keeps its transactions whole; sqlite3.Error when it is locked for long.

    SQLite gives up at once where two choose for a new file at the same moment, whatever its timeout.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode={journal}")
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # its extended codes say why
            if not is_busy or time.monotonic() > until:
                connection.close()
                raise
            time.sleep(0.01)


def _server(url: URL, read_only: bool) -> Engine:
    defaults = {"connect_timeout": 10, "application_name": "orchestrate"}
    arguments = {name: value for name, value in defaults.items() if name not in url.query}
    try:
        engine = create_engine(url, json_serializer=to_json, pool_pre_ping=True, connect_args=arguments)
        from orchestrator.storage.server_connection import ServerConnection
    except ModuleNotFoundError as error:
        remedy = "pip install 'ablation-orchestrator[postgres]'"
        raise StorageError(f"PostgreSQL needs the package psycopg: {remedy}") from error

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, words: Any, options: Any) -> Any:
        return ServerConnection.connect(*words, **options)

    if read_only:

        @event.listens_for(engine, "connect")
        def forbid_writing(connection: Any, record: Any) -> None:
            connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            connection.commit()

    return engine
