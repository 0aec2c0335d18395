"""Disturb a study on three nodes at random, then compare every number with an undisturbed run.

By hand: python -m tests.faults.chaos --seed 7 --disturbances 40, in an empty folder. The seed is printed first; the
same seed disturbs in the same order, at moments that depend on the machine.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psutil

from orchestrator import RunOptions, run_study
from tests.faults.held import hold, let_go
from tests.faults.nodes import ADDRESS, Nodes, cluster_of_nodes
from tests.faults.test_killed import is_worker, start
from tests.integration.test_cluster import numbers

NODES = 3


class Chaos:
    """A study in training, its cluster, and what is done to them."""

    def __init__(self, file: Path, nodes: Nodes, seed: int) -> None:
        self.file = file
        self.nodes = nodes
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
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
                time.sleep(self.random.uniform(3, 10))
                action = self.random.choice(self.actions())
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
            self.interrupt_driver,
            self.lock_database,
            self.spoil_checkpoints,
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

    def interrupt_driver(self) -> None:
        """Interrupt the driver as a user or a batch system would."""
        assert self.driver is not None
        self.driver.send_signal(self.random.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))

    def lock_database(self) -> None:
        """Keep the database from being written for a while."""
        seconds = self.random.uniform(5, 40)
        connection = sqlite3.connect("results.db", isolation_level=None, timeout=60)
        with closing(connection) as db, suppress(sqlite3.OperationalError):
            db.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)

    def spoil_checkpoints(self) -> None:
        """Cut a checkpoint short, and put rubbish in the place of another."""
        found = sorted(Path("out/chaos/checkpoints").glob("*.pt"))
        for path in self.random.sample(found, min(2, len(found))):
            with suppress(OSError):
                content = path.read_bytes()
                path.write_bytes(content[: len(content) // 2] if self.random.random() < 0.5 else b"rubbish")

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
        for _ in range(NODES - alive):
            self.nodes.start()
        if self.driver is None or self.driver.poll() is not None:
            if self.driver is not None:
                output, errors = self.driver.communicate()
                assert "Traceback" not in errors, errors
                print(
                    f"  the driver ended with {self.driver.returncode}: {errors.strip() or output[-200:]}", flush=True
                )
            self.driver = start(self.file, "--address", ADDRESS)


def compare(file: Path) -> None:
    """AssertionError unless every number is that of an undisturbed run, and each trial has one finished attempt."""
    disturbed = run_study(file, options=RunOptions(db="sqlite:///results.db", executor="inline", report=False))
    quiet = run_study(file, options=RunOptions(db="sqlite:///quiet.db", executor="inline", report=False))
    assert numbers(disturbed.study) == numbers(quiet.study)
    with sqlite3.connect("results.db") as db:
        finished = db.execute(
            "SELECT count(*) FROM attempts WHERE ending IN ('COMPLETE', 'DIVERGED') GROUP BY trial"
        ).fetchall()
        failed = db.execute("SELECT count(*) FROM trials WHERE state = 'FAILED'").fetchone()
        print(db.execute("SELECT cause, count(*) FROM attempts GROUP BY cause").fetchall())
    assert finished == [(1,)] * len(disturbed.study.trials)
    assert failed == (0,)


def disturb(folder: Path, seed: int, disturbances: int, patience: float) -> Counter[str]:
    """Train a study in `folder` through disturbances and compare it; return how often each was done."""
    file = folder / "chaos.yaml"
    hold(file, "seeds_per_pack: 1")
    print(f"seed {seed}", flush=True)
    with cluster_of_nodes() as nodes:
        chaos = Chaos(file, nodes, seed)
        try:
            chaos.run(disturbances, patience)
        finally:
            if chaos.driver is not None and chaos.driver.poll() is None:
                chaos.driver.kill()
                chaos.driver.communicate()
    compare(file)
    return chaos.done


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
    parser.add_argument("--disturbances", type=int, default=40)
    parser.add_argument("--patience", type=float, default=3600)
    words = parser.parse_args()
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # as that of the nodes
    done = disturb(Path.cwd(), words.seed, words.disturbances, words.patience)
    print(f"equal to an undisturbed run after {sum(done.values())} disturbances: {dict(done)}")


if __name__ == "__main__":
    sys.exit(main())
