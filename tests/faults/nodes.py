"""Ray nodes on this machine, which tests start, kill and start again."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import psutil
import pytest

from tests.integration.test_cluster import RAY, STARTED, answers, wait_for

ROOT = str(Path(__file__).parents[2])
ADDRESS = "127.0.0.1:26479"
OF_NODES = [
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.cluster,
    pytest.mark.timeout(590),
    pytest.mark.xdist_group("nodes"),
]
"""The marks of tests that start nodes at this address, no two of which run at once."""


@contextmanager
def cluster_of_nodes() -> Iterator["Nodes"]:
    """Start a cluster whose head trains nothing, and end it with all that it started."""
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        nodes = Nodes(folder)
        try:
            nodes.start(head=True)
            yield nodes
        finally:
            nodes.close()


class Nodes:
    """Ray nodes of one CPU each on this machine."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.all: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        head: bool = False,
        environment: Mapping[str, str] | None = None,
        *,
        cpus: int = 1,
        gpus: int = 0,
        instead: Mapping[Path, Path] | None = None,
    ) -> int:
        """Start a node and return its place in the list.

        With `instead` it is another machine for a study: it has a host name of its own, and sees other folders in the
        place of these. Only root can make one.
        """
        words = [f"--temp-dir={self._folder}", "--head", "--port=26479", "--include-dashboard=false", "--no-monitor"]
        place = words if head else [f"--address={ADDRESS}"]
        own = {"PYTHONPATH": ROOT, "RAY_AUTH_MODE": "disabled", "PYTHONUNBUFFERED": "1"}
        variables = {**os.environ, **own, **(environment or {})}
        alone = [] if instead is None else _another_machine(f"node-{len(self.all)}", instead)
        size = [f"--num-cpus={0 if head else cpus}", f"--num-gpus={gpus}"]
        command = [*alone, RAY, "start", *size, *place, "--include-log-monitor=false", "--block"]
        log = Path(self._folder, f"node-{len(self.all)}.log")
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=variables)
        self.all.append(process)

        def is_there() -> bool:
            assert process.poll() is None, log.read_text()
            return answers(ADDRESS) and STARTED in log.read_text()

        wait_for(is_there, seconds=180)
        return len(self.all) - 1

    def kill(self, place: int) -> None:
        """Kill a node with everything that it started, as a power cut would."""
        node = psutil.Process(self.all[place].pid)
        for each in [*node.children(recursive=True), node]:
            each.kill()
        self.all[place].wait()

    def close(self) -> None:
        for place, process in enumerate(self.all):
            if process.poll() is None:
                self.kill(place)


def _another_machine(name: str, instead: Mapping[Path, Path]) -> list[str]:
    """Return what a command begins with that is to run under another host name and with other folders."""
    folders = "".join(f"mount --bind {quote(str(other))} {quote(str(folder))} && " for folder, other in instead.items())
    return ["unshare", "--mount", "--uts", "sh", "-c", f'hostname {name} && {folders}exec "$@"', "sh"]
