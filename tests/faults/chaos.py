"""Disturb a study on several nodes at random, then compare every number with an undisturbed run.

By hand: python -m tests.faults.chaos --seed 7 --minutes 15, in an empty folder. The seed is printed first; the
same seed disturbs in the same order, at moments that depend on the machine. With --postgresql the results are kept by a
server that is restarted and cut off, too; with --disk (for root) on a small disk that is filled.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text

from orchestrator import RunOptions, run_study
from orchestrator.storage import database_url
from tests.faults.database_server import Server, database_server
from tests.faults.held import hold, let_go
from tests.faults.nodes import ADDRESS, Nodes, cluster_of_nodes
from tests.faults.test_killed import is_worker, start
from tests.integration.test_cluster import numbers

DISTURBANCES_A_MINUTE = 1.5
"""With the starts of nodes and drivers that follow them."""


class Chaos:
    """A study in training, its cluster, and what is done to them."""

    def __init__(
        self,
        file: Path,
        nodes: Nodes,
        seed: int,
        *,
        count: int = 3,
        pace: float = 1.0,
        server: Server | None = None,
        disk: Path | None = None,
    ) -> None:
        self.file = file
        self.count = count
        self.pace = pace
        self.nodes = nodes
        self.random = random.Random(seed)
        self.server = server
        self.disk = disk
        self.db = server.url if server else f"sqlite:///{(disk or Path.cwd()) / 'results.db'}"
        self.out = (disk or Path("out")) / file.stem
        self.done: Counter[str] = Counter()
        self._left: list[str] = []
        self.driver: subprocess.Popen[str] | None = None

    def run(self, disturbances: int, patience: float) -> None:
        """Train to the end through so many disturbances; AssertionError when that takes longer than `patience`."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            self._renew()
            assert self.driver is not None
            if not disturbances:
                let_go(self.file)
            else:
                disturbances -= 1
                time.sleep(self.pace * self.random.uniform(3, 10))
                action = self._draw()
                print(f"{time.strftime('%H:%M:%S')} {action.__name__}", flush=True)
                self.done[action.__name__] += 1
                action()
            with suppress(subprocess.TimeoutExpired):
                self.driver.communicate(timeout=1 if disturbances else 60)
            if self.driver.poll() == 0:
                return
        raise AssertionError(f"the study has not ended within {patience:.0f} s")

    def actions(self) -> list[Callable[[], None]]:
        """Return what can be done."""
        return [
            self.kill_worker,
            self.stop_worker,
            self.kill_node,
            self.kill_head,
            self.kill_driver,
            self.pause_driver,
            self.interrupt_driver,
            self.lock_database,
            self.spoil_checkpoints,
            *([self.stop_server, self.cut_connections] if self.server else []),
            *([self.fill_disk] if self.disk else []),
        ]

    def kill_worker(self) -> None:
        """Kill a process that trains."""
        self._signal_worker(signal.SIGKILL)

    def stop_worker(self) -> None:
        """Stop a process that trains, for good."""
        self._signal_worker(signal.SIGSTOP)

    def kill_node(self) -> None:
        """Kill a node with all that runs on it."""
        alive = [place for place, each in enumerate(self.nodes.all) if place and each.poll() is None]
        if alive:
            self.nodes.kill(self.random.choice(alive))

    def kill_head(self) -> None:
        """Kill the head, and with it the cluster."""
        self.nodes.close()

    def kill_driver(self) -> None:
        """Kill the driver without a word."""
        assert self.driver is not None
        self.driver.kill()

    def pause_driver(self) -> None:
        """Stop the driver for a while, as a machine does that is put to sleep."""
        assert self.driver is not None
        self.driver.send_signal(signal.SIGSTOP)
        time.sleep(self.pace * self.random.uniform(5, 100))
        self.driver.send_signal(signal.SIGCONT)

    def interrupt_driver(self) -> None:
        """Interrupt the driver as a user or a batch system would."""
        assert self.driver is not None
        self.driver.send_signal(self.random.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))

    def lock_database(self) -> None:
        """Keep the database from being written for a while."""
        seconds = self.pace * self.random.uniform(5, 40)
        if self.server:
            with create_engine(database_url(self.db)).begin() as connection:
                connection.execute(text("LOCK TABLE trials IN EXCLUSIVE MODE"))
                time.sleep(seconds)
            return
        connection = sqlite3.connect(self.db.removeprefix("sqlite:///"), isolation_level=None, timeout=60)
        with closing(connection) as db, suppress(sqlite3.OperationalError):
            db.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)

    def stop_server(self) -> None:
        """End the server of the database at once, and start it again after a while."""
        assert self.server is not None
        self.server.stop()
        time.sleep(self.pace * self.random.uniform(0, 40))
        self.server.start()

    def cut_connections(self) -> None:
        """End every connection to the database."""
        assert self.server is not None
        self.server.cut_connections()

    def fill_disk(self) -> None:
        """Leave no room on the disk of the results and checkpoints for a while."""
        assert self.disk is not None
        ballast = self.disk / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)) == 4096:
                pass
        time.sleep(self.pace * self.random.uniform(5, 40))
        ballast.unlink()

    def spoil_checkpoints(self) -> None:
        """Cut a checkpoint short, and put rubbish in the place of another."""
        found = sorted((self.out / "checkpoints").glob("*.pt"))
        for path in self.random.sample(found, min(2, len(found))):
            with suppress(OSError):
                content = path.read_bytes()
                path.write_bytes(content[: len(content) // 2] if self.random.random() < 0.5 else b"rubbish")

    def _draw(self) -> Callable[[], None]:
        """Draw what is done next, nothing for a second time before everything has been done once."""
        actions = {each.__name__: each for each in self.actions()}
        self._left = self._left or self.random.sample(sorted(actions), len(actions))
        return actions[self._left.pop()]

    def _signal_worker(self, number: int) -> None:
        workers = [each for each in psutil.process_iter() if _is_mine(each, self.nodes)]
        if workers:
            with suppress(psutil.Error):
                self.random.choice(sorted(workers, key=lambda each: each.pid)).send_signal(number)

    def _renew(self) -> None:
        """Start what is gone: the head, nodes, the driver."""
        if not self.nodes.all or self.nodes.all[0].poll() is not None:
            self.nodes.close()
            self.nodes.all.clear()
            self.nodes.start(head=True)
        alive = sum(each.poll() is None for each in self.nodes.all[1:])
        for _ in range(self.count - alive):
            self.nodes.start()
        if self.driver is None or self.driver.poll() is not None:
            if self.driver is not None:
                output, errors = self.driver.communicate()
                assert "Traceback" not in errors, errors
                print(
                    f"  the driver ended with {self.driver.returncode}: {errors.strip() or output[-200:]}", flush=True
                )
            words = ["--address", ADDRESS, "--db", self.db, "--out", str(self.out)]
            self.driver = start(self.file, *words)


def compare(file: Path, url: str) -> None:
    """AssertionError unless every number is that of an undisturbed run, and each trial has one finished attempt."""
    disturbed = run_study(file, options=RunOptions(db=url, executor="inline", report=False))
    quiet = run_study(file, options=RunOptions(db="sqlite:///quiet.db", executor="inline", report=False))
    assert numbers(disturbed.study) == numbers(quiet.study)
    with create_engine(database_url(url)).connect() as db:
        finished = db.execute(
            text("SELECT count(*) FROM attempts WHERE ending IN ('COMPLETE', 'DIVERGED') GROUP BY trial")
        ).all()
        failed = db.execute(text("SELECT count(*) FROM trials WHERE state = 'FAILED'")).scalar()
        print(db.execute(text("SELECT cause, count(*) FROM attempts GROUP BY cause")).all())
    assert [count for (count,) in finished] == [1] * len(disturbed.study.trials)
    assert failed == 0


def disturb(
    folder: Path,
    seed: int,
    disturbances: int,
    patience: float,
    *,
    count: int = 3,
    pace: float = 1.0,
    free: int | None = None,
    server: Server | None = None,
    disk: Path | None = None,
) -> Counter[str]:
    """Train a study on `count` nodes through disturbances and compare it; return how often each was done.

    Its trainings stand still until the last disturbance is over; with `free` they do not, and there are so many seeds.
    `pace` multiplies the pauses between disturbances.
    """
    file = folder / "chaos.yaml"
    hold(file, seeds_per_pack=1)
    if free is not None:
        let_go(file)
        file.write_text(file.read_text().replace("seeds: 2", f"seeds: {free}").replace("epochs: 6", "epochs: 20"))
    print(f"seed {seed}", flush=True)
    with cluster_of_nodes() as nodes:
        chaos = Chaos(file, nodes, seed, count=count, pace=pace, server=server, disk=disk)
        try:
            chaos.run(disturbances, patience)
        finally:
            if chaos.driver is not None and chaos.driver.poll() is None:
                chaos.driver.kill()
                chaos.driver.communicate()
    compare(file, chaos.db)
    return chaos.done


@contextmanager
def small_disk(size: str = "16m") -> Iterator[Path]:
    """Make a disk that is soon full; only root can."""
    with tempfile.TemporaryDirectory(prefix="disk") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def _is_mine(process: psutil.Process, nodes: Nodes) -> bool:
    """Whether a process trains on one of these nodes."""
    with suppress(psutil.Error):
        mine = {each.pid for each in nodes.all}
        return is_worker(process) and bool(mine & {each.pid for each in process.parents()})
    return False


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--disturbances", type=int, help="how many; as many as the minutes allow")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--free", type=int, metavar="SEEDS", help="train on through the disturbances, with many seeds")
    parser.add_argument("--postgresql", action="store_true", help="keep the results on a server")
    parser.add_argument("--disk", action="store_true", help="keep the results on a small disk")
    words = parser.parse_args()
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # as that of the nodes
    count = words.disturbances or round(words.minutes * DISTURBANCES_A_MINUTE)
    with ExitStack() as stack:
        server = stack.enter_context(database_server()) if words.postgresql else None
        disk = stack.enter_context(small_disk()) if words.disk else None
        patience = 60 * words.minutes + 600
        done = disturb(Path.cwd(), words.seed, count, patience, free=words.free, server=server, disk=disk)
    print(f"equal to an undisturbed run after {sum(done.values())} disturbances: {dict(done)}")


if __name__ == "__main__":
    sys.exit(main())
