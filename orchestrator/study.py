"""Run a study from its file to its report: plan, train what is missing, record, judge, write the page."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Protocol

from orchestrator.engine.address import check_reachable
from orchestrator.engine.inline import InlineExecutor
from orchestrator.engine.replay import ReplayExecutor
from orchestrator.engine.worker import WorkerSettings, code_digest
from orchestrator.errors import UserError
from orchestrator.planning.plan import make_plan
from orchestrator.planning.probes import study_probes
from orchestrator.records.events import Event
from orchestrator.records.study_plan import StudyPlan
from orchestrator.results import database, output_folder
from orchestrator.scheduling.blocks import StudyBlocks
from orchestrator.scheduling.judgement import judge_study
from orchestrator.scheduling.packs import BlockSource, Pack, PackSource
from orchestrator.scheduling.progress import Progress
from orchestrator.scheduling.replaying import Replay, open_replay
from orchestrator.storage import PlanOutcome, Recorder, Store
from orchestrator.study_file.config import StudyConfig, read_study
from orchestrator.surroundings import check_workers
from orchestrator.terminal.console import make_console
from orchestrator.terminal.notebook import counted, is_watched, study_html
from orchestrator.terminal.tables import show_run
from reports.analysis.verdicts import Verdict
from reports.page import write_report
from reports.results import State, Study, Trial
from reports.summary import verdict_row
from search_spaces.errors import unknown

if TYPE_CHECKING:
    from orchestrator.search.run import SearchRun

EXECUTORS = ("ray", "inline", "replay")

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


@dataclass(frozen=True, repr=False)
class RunResult:
    """How a run ended: the study with all its results, its verdicts and report, and whether it was interrupted."""

    study: Study
    verdicts: tuple[Verdict, ...]
    report: Path | None
    interrupted: bool

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials that the study file asks for; those of arms that it no longer has are left out."""
        asked = {arm.name for arm in self.study.arms if not arm.orphaned}
        return tuple(trial for trial in self.study.trials if trial.arm in asked)

    @property
    def failed(self) -> int:
        """How many trials have no result because they failed."""
        return sum(trial.state is State.FAILED for trial in self.trials)

    def __repr__(self) -> str:
        """Return the study's name, its trials by state, and where the report is."""
        ended = ", interrupted" if self.interrupted else ""
        return f"<RunResult {self.study.name}: {counted(self.study)}{ended}; report: {self.report}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the arms and the verdicts."""
        return study_html(self.study, self.verdicts, str(self.report) if self.report else None)


@dataclass(frozen=True)
class _Job:
    """What one run is about: the study as read and planned, how it is run, and where its files go."""

    config: StudyConfig
    plan: StudyPlan
    options: RunOptions
    out: Path
    replay: Replay | None


def run_study(
    file: str | Path | Mapping[str, Any],
    db: str | None = None,
    changes: Sequence[str] = (),
    options: RunOptions | None = None,
    show: Show | bool = True,
) -> RunResult:
    """Run what is missing of the study in `file`, or of one given as a dict, and write its report; safe to repeat.

    `show` displays the progress; True does where somebody watches, in a terminal or a notebook. `changes` are
    ``PATH=VALUE`` settings laid over the file. Raises UserError for every mistake in the file, the options or the
    surroundings, before anything is trained.
    """
    options = options or RunOptions(db=db)
    _check(options)
    config = read_study(file if isinstance(file, Mapping) else Path(file), changes)
    plan = make_plan(config, options.command)
    out = output_folder(plan.name, options.out)
    url, replay = database(options.db or db, config), None
    if options.executor == "replay":
        replay = open_replay(url, out)
        url, out = replay.database, replay.folder
        plan = replay.search(plan) if config.file.is_search else plan
    job = _Job(config, plan, options, out, replay)
    with Store.open(url) as store, store.lease(plan.name):
        store.recover(plan.name)
        outcome = store.record_plan(plan)
        interrupted = _train(store, job, outcome, show)
        if interrupted:
            store.recover(plan.name)
        study = store.load_study(plan.name)
        verdicts = judge_study(study)
        store.save_verdicts(plan.name, map(verdict_row, verdicts))
    report = write_report(study, out, verdicts) if options.report else None
    return RunResult(study, verdicts, report, interrupted)


def _check(options: RunOptions) -> None:
    if options.executor not in EXECUTORS:
        raise UserError(f"--executor: {unknown('executor', options.executor, EXECUTORS).message}")
    if options.executor == "ray":
        check_workers(options.address)
        if options.address is not None:
            check_reachable(options.address)


def _train(store: Store, job: _Job, outcome: PlanOutcome, show: Show | bool) -> bool:
    """Train what is missing, block by block; return whether the user interrupted it."""
    progress = Progress()
    search = _search(store, job, progress) if job.config.file.is_search else None
    probes = study_probes(job.plan.settings) if job.replay is None else ()
    blocks = StudyBlocks(store, job.plan, progress, job.config.file.resources.seeds_per_pack, probes)
    first = [] if search else blocks.first()
    if show is True:
        show = is_watched() and show_run(make_console())
    shown = show(progress, job.plan, outcome) if show else nullcontext(progress.update)
    with interruptible() as interrupted, shown as listener:
        if first or (search and search.source.has_work()):
            with Recorder(store, job.plan.name, listeners=(listener,)) as recorder:

                def sink(event: Event) -> None:
                    recorder.put(event)
                    if recorder.problem:
                        interrupted.set()

                def more() -> list[Pack]:
                    recorder.flush()
                    return blocks.more()

                source = search.source if search else BlockSource(first, more)
                _executor(job).execute(source, sink, interrupted)
        if search:
            search.compare(_simulated_workers(job), interrupted)
    if search:
        search.finish()
    return interrupted.is_set()


def _search(store: Store, job: _Job, progress: Progress) -> "SearchRun":
    # Optuna takes a second to import, and only a search needs it.
    from orchestrator.search.run import SearchRun

    return SearchRun(store, job.config, progress, job.out, job.replay)


def _executor(job: _Job) -> Executor:
    resources, options = job.config.file.resources, job.options
    if job.replay is not None:
        return ReplayExecutor(job.replay.trials, _simulated_workers(job))
    worker = WorkerSettings(
        device="cuda" if resources.gpus else "cpu",
        gpu_share=resources.gpus or 1,
        threads=max(int(resources.cpus), 1),
        checkpoints=job.out / "checkpoints",
        checkpoint_seconds=resources.checkpoint_seconds,
        plugins=job.config.folder,
        code=code_digest(),
        keep=job.plan.settings.get("keep") or "none",
        weights=job.out / "weights",
    )
    if options.executor == "inline":
        _check_gpu(job.config)
        return InlineExecutor(replace(worker, threads=min(worker.threads, os.cpu_count() or 1)))
    # Ray takes seconds to import, and a study with nothing left to train does not need it.
    from orchestrator.engine.ray_tune import RayExecutor

    return RayExecutor(
        worker,
        cpus=resources.cpus,
        gpus=resources.gpus,
        address=options.address,
        max_concurrent=resources.max_concurrent,
    )


def _check_gpu(config: StudyConfig) -> None:
    """Raise a UserError for a study that asks for a GPU in a process that has none."""
    if config.file.resources.gpus:
        import torch  # what trains here needs it anyhow

        if not torch.cuda.is_available():
            message = "torch finds no GPU on this machine; ask for 0, or run on a cluster that has some (--address)"
            raise config.source.error(message, ("resources", "gpus"))


def _simulated_workers(job: _Job) -> int:
    """Return how many workers a replay simulates: what the study file says, or as many as this machine would have."""
    resources = job.config.file.resources
    return resources.max_concurrent or max(int((os.cpu_count() or 1) / resources.cpus), 1)


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
