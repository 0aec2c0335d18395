"""A PostgreSQL of one's own, to be stopped and started again in the middle of a study."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Server:
    """A PostgreSQL behind a socket in its folder; run by root, it belongs to the user postgres."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self.url = f"postgresql://postgres@/postgres?host={folder}"

    def make(self) -> None:
        """Make the files of an empty database, and start."""
        self._run("initdb", "-A trust")
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._run("pg_ctl", f"-w -l '{self._folder}/log' -o \"-k '{self._folder}' -c listen_addresses=\" start")

    def stop(self) -> None:
        """End at once, as in a crash."""
        self._run("pg_ctl", "-m immediate stop")

    def cut_connections(self) -> None:
        """End every connection."""
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        subprocess.run(["psql", self.url, "-qc", end], check=True, stdout=subprocess.DEVNULL)

    def _run(self, program: str, words: str) -> None:
        command = f"cd '{self._folder}' && '{self._programs / program}' -D '{self._folder}/data' {words}"
        subprocess.run(["su", "postgres", "-c", command], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def database_server() -> Iterator[Server]:
    """Start a server, and end it with all that it holds."""
    with tempfile.TemporaryDirectory(prefix="postgresql", dir="/tmp", ignore_cleanup_errors=True) as name:
        subprocess.run(["chown", "postgres", name], check=True)
        server = Server(Path(name))
        server.make()
        try:
            yield server
        finally:
            server.stop()
