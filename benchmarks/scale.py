"""The product at 10,000 trials: trained on one node, read from the results DB, and decided by a search.

Each part stands alone and is stored when it is done; one that is in the JSON already, of as many trials, is left out,
unless it is named. With a folder, `driver` and `node` that were interrupted train only what is left.

    python benchmarks/scale.py [--trials 10000] [--folder FOLDER] [search] [stored] [driver] [node]
"""

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from record import RESULTS, write_result

from orchestrator import RunOptions, run_study
from orchestrator.engine import ray_tune
from orchestrator.engine.backend import Report
from orchestrator.engine.pack_trainable import PackTrainable
from orchestrator.engine.ray_tune import RayBackend
from orchestrator.planning.plan import make_plan
from orchestrator.records.environment import environment_facts
from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.records.study_plan import StudyPlan
from orchestrator.scheduling.packs import Pack
from orchestrator.scheduling.progress import Progress
from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.search_plan import plan_search
from orchestrator.search.source import SearchSource
from orchestrator.storage import PlanOutcome, Recorder, Store
from orchestrator.study import Listener
from orchestrator.study_file.config import read_study
from orchestrator.terminal.live import PlainDisplay
from reports.trials import Epoch, State

SEEDS = 10
EPOCHS = 100
WORKERS = 100
EARLIER_EPOCHS = """
WITH RECURSIVE earlier(epoch) AS (SELECT 1 UNION ALL SELECT epoch + 1 FROM earlier WHERE epoch < :epochs - 1)
INSERT INTO epochs (trial, epoch, train_loss, train_error, test_loss, test_error, lr, seconds)
SELECT trial, earlier.epoch, train_loss, train_error + 50.0 / earlier.epoch, test_loss,
       test_error + 50.0 / earlier.epoch, lr, seconds
FROM epochs CROSS JOIN earlier WHERE epochs.epoch = :epochs
"""
SMALL: dict[str, Any] = {
    "data": {"name": "synthetic", "train_size": 8, "test_size": 8},
    "network": {"family": "resnet_cifar", "depth": 8, "width": 2},
    "resources": {"seeds_per_pack": 1},
}


def search(trials: int, folder: Path) -> dict[str, Any]:
    """Return the processor seconds that a search of so many arms, and one of a tenth, takes; nothing is trained."""
    return {"arms": trials, **{scheduler: _growth(trials, scheduler) for scheduler in ("asha", "median")}}


def _growth(trials: int, scheduler: str) -> dict[str, float]:
    few, many = (_deciding(arms, scheduler) for arms in (trials // 10, trials))
    return {"seconds": many, "seconds_for_a_tenth": few, "growth": many / few}


def _deciding(arms: int, scheduler: str) -> float:
    file = {
        **SMALL,
        "study": "scale-search",
        "data": "digits",
        # Of one range alone, of 4 digits, 10,000 arms would be most of the points: then nearly every draw is a repeat.
        "factors": {
            "training.lr": {"low": 0.01, "high": 0.5, "log": True},
            "training.weight_decay": {"low": 1e-6, "high": 1e-3, "log": True},
        },
        "design": "search",
        "search": {"arms": arms, "sampler": "random", "scheduler": scheduler, "confirm": {"best": 1, "seeds": 1}},
        "training": {"recipe": "quick", "epochs": 9},
    }
    source = SearchSource(plan_search(read_study(file)), MemoryLedger())
    running: deque[tuple[Pack, int]] = deque()
    started = time.process_time()
    while True:
        while len(running) < WORKERS and (pack := source.next()) is not None:
            for trial in pack.trials.values():
                source.tell(AttemptStarted(trial, "cpu", "here", {}))
            running.append((pack, 0))
        if not running:
            return time.process_time() - started
        pack, epoch = running.popleft()
        if not _one_epoch(source, pack, epoch + 1):
            running.append((pack, epoch + 1))


def _one_epoch(source: SearchSource, pack: Pack, epoch: int) -> bool:
    """Tell a made-up epoch of a pack; return whether its training is over."""
    error = abs(pack.settings["training"]["lr"] - 0.1) * 100 + 10 / epoch
    for trial in pack.trials.values():
        source.tell(EpochDone(trial, Epoch(epoch, 1.0, 1.0, 1.0, 99.0, 0.1, 1.0, error / 10, error)))
    ends = source.stopped(pack)
    if not ends and epoch == 9:
        ends = [TrialEnded(trial, State.COMPLETE, seconds=9.0) for trial in pack.trials.values()]
    for end in ends:
        source.tell(end)
    return bool(ends)


def stored(trials: int, folder: Path) -> dict[str, Any]:
    """Return how long the commands take on as many stored trials of 100 epochs each."""
    file = {
        **SMALL,
        "study": "scale-stored",
        "factors": {"training.weight_decay": [round(1e-6 * (each + 1), 6) for each in range(max(trials // SEEDS, 1))]},
        "training": {"recipe": "quick", "epochs": EPOCHS, "batch_size": 8},
        "seeds": SEEDS,
    }
    path, db = folder / "scale.yaml", f"sqlite:///{folder}/stored.db"
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    writing = _fill(make_plan(read_study(path)), folder / "stored.db")
    figures = {"trials": trials, "epochs": EPOCHS, "seconds_to_record": writing}
    for name, command in {
        "status": ["status", "scale-stored"],
        "plan": ["plan", str(path)],
        "view_trial_results": ["query", "SELECT arm, count(*), avg(test_error) FROM trial_results GROUP BY arm"],
        "view_curves": ["query", "SELECT epoch, avg(test_error) FROM curves GROUP BY epoch"],
        "report": ["report", "scale-stored"],
    }.items():
        figures[f"{name}_seconds"] = _timed(command, db, folder)
    return figures


def _fill(plan: StudyPlan, database: Path) -> float:
    """Store a made-up result of every trial; return the seconds that the recorder took for all but the earlier epochs.

    Of each trial the recorder writes the start, the last epoch and the end, as in a run; SQL adds the epochs before.
    """
    started = time.perf_counter()
    with Store.open(database) as store, store.lease(plan.name):
        store.record_plan(plan)
        with Recorder(store, plan.name) as recorder:
            for number, trial in enumerate(plan.trials):
                error = 0.5 + number % 17 / 10
                recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
                recorder.put(EpochDone(trial.id, Epoch(EPOCHS, 0.1, error / 2, 0.2, error, 0.1, 1.0)))
                recorder.put(TrialEnded(trial.id, State.COMPLETE, seconds=100.0))
    seconds = time.perf_counter() - started
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(EARLIER_EPOCHS, {"epochs": EPOCHS})
    return seconds


def _timed(command: list[str], db: str, folder: Path) -> float:
    started = time.perf_counter()
    words = [sys.executable, "-m", "orchestrator", *command, "--db", db]
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


class IdleRun:
    """The reports of a pack that trains nothing: begun, then one epoch and the result, each at once."""

    progress = 1

    def __init__(self, pack: Pack) -> None:
        self._reports = iter(self._of(pack))

    def step(self) -> Report:
        """Return the next report."""
        return next(self._reports)

    def close(self) -> None:
        """Do nothing."""

    @staticmethod
    def _of(pack: Pack) -> list[Report]:
        begun: list[Event] = [AttemptStarted(trial, "cpu", "here", {}) for trial in pack.trials.values()]
        ended: list[Event] = []
        for trial in pack.trials.values():
            ended.append(EpochDone(trial, Epoch(1, 1.0, 1.0, 1.0, 1.0, 0.1, 1.0)))
            ended.append(TrialEnded(trial, State.COMPLETE, seconds=0.0))
        return [Report(events=begun), Report(events=ended, is_over=True)]


class IdleTrainable(PackTrainable):
    """A worker whose packs train nothing, so that what is measured is the driver."""

    def _run_of(self, pack: Pack) -> Any:
        return IdleRun(pack)


class IdleBackend(RayBackend):
    """The product's backend on Ray, with workers that train nothing."""

    trainable = IdleTrainable


def driver(trials: int, folder: Path) -> dict[str, Any]:
    """Return the rate and memory of the driver alone: the study of `node`, on workers that train nothing."""
    with mock.patch.object(ray_tune, "RayBackend", IdleBackend):
        return _run(trials, folder / "driver")


def node(trials: int, folder: Path) -> dict[str, Any]:
    """Return the rate of one-step trials on a Ray node of this machine, and the peak memory of the driver."""
    return _run(trials, folder / "node")


def _run(trials: int, folder: Path) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    file = {**SMALL, "study": "scale-node", "training": {"recipe": "quick", "epochs": 1, "batch_size": 8}}
    ends: list[float] = []
    memory: dict[str, float] = {"before_mib": _peak_mib()}

    @contextmanager
    def show(progress: Progress, plan: StudyPlan, outcome: PlanOutcome) -> Iterator[Listener]:
        plain = PlainDisplay(progress, lambda line: None)
        memory["planned_mib"] = _peak_mib()

        def note(event: Event) -> None:
            plain(event)
            if isinstance(event, TrialEnded):
                ends.append(time.perf_counter())
                if len(ends) in (1, 100):
                    memory[f"after_{len(ends)}_mib"] = _peak_mib()

        yield note

    options = RunOptions(db=f"sqlite:///{folder}/results.db", out=folder / "out", report=False)
    run_study({**file, "seeds": trials}, options=options, show=show)
    if len(ends) < 2:
        raise SystemExit(f"{folder} holds the results of these {trials} trials: name another folder")
    return {
        "trials": trials,
        "trials_of_the_last_run": len(ends),
        "trials_a_second": (len(ends) - 1) / (ends[-1] - ends[0]),
        "seconds": ends[-1] - ends[0],
        "driver_peak_mib": _peak_mib(),
        "driver_peak_then": memory,
    }


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    "search": search,
    "stored": stored,
    "driver": driver,
    "node": node,
}


def main() -> None:
    """Measure the parts that are named, or those that are not in the JSON yet; print and store each when it is done."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: those that are missing"
    )
    words.add_argument("--trials", type=int, default=10_000)
    words.add_argument("--folder", type=Path, help="where databases are kept; default: nowhere")
    words.add_argument("--only", choices=PARTS, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.only:
        if given.folder:
            given.folder.mkdir(parents=True, exist_ok=True)
        with nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory() as folder:
            print(json.dumps(PARTS[given.only](given.trials, Path(folder).absolute())))
        return
    if strange := [part for part in given.parts if part not in PARTS]:
        words.error(f"no part is called {strange[0]}; there are {', '.join(PARTS)}")
    path = RESULTS / "scale.json"
    figures: dict[str, Any] = json.loads(path.read_text())["figures"] if path.exists() else {}
    missing = [each for each in PARTS if given.trials not in figures.get(each, {}).values()]
    for part in given.parts or missing:
        # A process of its own, so that one part's memory is not counted for another.
        command = [sys.executable, __file__, "--only", part, "--trials", str(given.trials)]
        command += ["--folder", str(given.folder)] if given.folder else []
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        figures[part] = json.loads(done.stdout.splitlines()[-1])
        print(part, json.dumps(figures[part]))
        write_result("scale", figures, environment_facts("cpu", 1))


if __name__ == "__main__":
    main()
