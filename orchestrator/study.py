"""Run a study from its file to its report: plan, train what is missing, record, judge, write the page."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from threading import current_thread, main_thread
from typing import Any, Protocol

from orchestrator.config import StudyConfig, read_study
from orchestrator.engine.address import check_reachable
from orchestrator.engine.inline import InlineExecutor
from orchestrator.engine.packs import BlockSource, Pack, PackSource
from orchestrator.engine.worker import WorkerSettings, code_digest
from orchestrator.errors import UserError
from orchestrator.events import Event
from orchestrator.plan import make_plan, trial_cost, trial_epochs
from orchestrator.progress import Progress
from orchestrator.storage import PlanOutcome, Recorder, Store, StudyFrames
from orchestrator.study_plan import PlannedTrial, StudyPlan
from reports.page import write_report
from reports.results import State, Study
from search_spaces.errors import unknown

DEFAULT_DATABASE = "sqlite:///results.db"
EXECUTORS = ("ray", "inline")

Listener = Callable[[Event], None]
Show = Callable[[Progress, StudyPlan, PlanOutcome], AbstractContextManager[Listener]]


class Executor(Protocol):
    """Trains the packs of a source and reports every event."""

    def execute(self, source: PackSource, sink: Listener, interrupted: Flag) -> None:
        """Train until the source is exhausted or `interrupted` is set."""


@dataclass(frozen=True)
class RunOptions:
    """How a study is run; nothing here can change a result.

    `db` is the results DB (None: as the study file or the environment says), `address` a Ray cluster (None: start one
    here), `out` the folder of the report and checkpoints (None: ``out/<study>``), `executor` one of `EXECUTORS`.
    """

    db: str | None = None
    address: str | None = None
    out: Path | None = None
    report: bool = True
    executor: str = "ray"
    command: str | None = None


@dataclass(frozen=True)
class RunResult:
    """How a run ended: the study with all its results, its report, and whether it was interrupted."""

    study: Study
    report: Path | None
    interrupted: bool

    @property
    def failed(self) -> int:
        """How many trials have no result because they failed."""
        return sum(trial.state is State.FAILED for trial in self.study.trials)


def run_study(
    file: str | Path,
    db: str | None = None,
    changes: Sequence[str] = (),
    options: RunOptions | None = None,
    show: Show | None = None,
) -> RunResult:
    """Run what is missing of the study in `file` and write its report; safe to repeat.

    `changes` are ``PATH=VALUE`` settings laid over the file. Raises UserError for every mistake in the file, the
    options or the surroundings, before anything is trained.
    """
    options = options or RunOptions(db=db)
    _check(options)
    config = read_study(Path(file), changes)
    plan = make_plan(config, options.command)
    out = output_folder(plan.name, options.out)
    with Store.open(database(options.db or db, config)) as store, store.lease(plan.name):
        store.recover(plan.name)
        outcome = store.record_plan(plan)
        interrupted = _train(store, plan, outcome, lambda: _executor(config, options, out), config, show)
        if interrupted:
            store.recover(plan.name)
        study = store.load_study(plan.name)
    report = write_report(study, out) if options.report else None
    return RunResult(study, report, interrupted)


def load_study(name: str, db: str | None = None) -> StudyFrames:
    """Return a study's results as pandas DataFrames; UserError when the DB has no study of that name."""
    with Store.open(database(db), read_only=True) as store:
        return StudyFrames(store.load_study(name), store.load_verdicts(name))


def database(given: str | None, config: StudyConfig | None = None) -> str:
    """Return the results DB: what was given, else the study file's, else $ORCHESTRATE_DB, else results.db here."""
    in_file = config.file.database if config else None
    return given or in_file or os.environ.get("ORCHESTRATE_DB") or DEFAULT_DATABASE


def output_folder(study: str, given: Path | None = None) -> Path:
    """Return the folder for a study's report; UserError when it could not be written. Nothing is made yet."""
    out = (given or Path("out") / study).resolve()
    nearest = next(each for each in (out, *out.parents) if each.exists())
    try:
        tempfile.TemporaryDirectory(dir=nearest).cleanup()
    except OSError as error:
        raise UserError(f"--out {out}: nothing can be written there ({error.strerror}); name another folder") from None
    return out


def _check(options: RunOptions) -> None:
    if options.executor not in EXECUTORS:
        raise UserError(f"--executor: {unknown('executor', options.executor, EXECUTORS).message}")
    if options.executor == "ray" and options.address is not None:
        check_reachable(options.address)


def pending_packs(plan: StudyPlan, states: Mapping[str, State], seeds_per_pack: int = 1) -> list[Pack]:
    """Group the trials that have no result yet into packs: seeds of one arm. FAILED trials get another chance."""
    costs = {each.arm.id: trial_cost(each) for each in plan.arms}
    by_arm: dict[str, list[PlannedTrial]] = {}
    for trial in plan.trials:
        state = states.get(trial.id, State.WAITING)
        if not state.is_finished() or state is State.FAILED:
            by_arm.setdefault(trial.arm.id, []).append(trial)
    packs = []
    for arm, trials in by_arm.items():
        for start in range(0, len(trials), seeds_per_pack):
            members = trials[start : start + seeds_per_pack]
            seeds = {trial.seed: trial.id for trial in members}
            packs.append(Pack(members[0].arm.settings, seeds, costs[arm] * len(members)))
    return packs


def _train(
    store: Store,
    plan: StudyPlan,
    outcome: PlanOutcome,
    executor: Callable[[], Executor],
    config: StudyConfig,
    show: Show | None,
) -> bool:
    """Train what is missing; return whether the user interrupted it."""
    states = store.states([trial.id for trial in plan.trials])
    packs = pending_packs(plan, states, config.file.resources.seeds_per_pack)
    progress = Progress()
    costs = {each.arm.id: (trial_cost(each), trial_epochs(each.arm)) for each in plan.arms}
    retried = {trial for pack in packs for trial in pack.trials.values()}
    for trial in plan.trials:
        state = State.WAITING if trial.id in retried else states[trial.id]
        progress.add(trial, state, *costs[trial.arm.id])
    shown = show(progress, plan, outcome) if show else nullcontext(progress.update)
    with interruptible() as interrupted, shown as listener:
        if packs:
            with Recorder(store, plan.name, listeners=(listener,)) as recorder:
                executor().execute(BlockSource(packs), recorder.put, interrupted)
    return interrupted.is_set()


def _executor(config: StudyConfig, options: RunOptions, out: Path) -> Executor:
    resources = config.file.resources
    worker = WorkerSettings(
        device="cuda" if resources.gpus else "cpu",
        threads=max(int(resources.cpus), 1),
        checkpoints=out / "checkpoints",
        checkpoint_seconds=resources.checkpoint_seconds,
        plugins=config.folder,
        code=code_digest(),
    )
    if options.executor == "inline":
        return InlineExecutor(worker)
    # Ray takes seconds to import, and a study with nothing left to train does not need it.
    from orchestrator.engine.ray_tune import RayExecutor

    return RayExecutor(
        worker,
        cpus=resources.cpus,
        gpus=resources.gpus,
        address=options.address,
        max_concurrent=resources.max_concurrent,
    )


@contextmanager
def interruptible() -> Iterator[Flag]:
    """Turn the first SIGINT or SIGTERM into a flag; the second one raises KeyboardInterrupt."""
    flag = Flag()
    if current_thread() is not main_thread():
        yield flag
        return

    def interrupt(number: int, frame: Any) -> None:
        if flag.is_set():
            raise KeyboardInterrupt
        flag.set()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
