"""Run a study from its file to its report: plan, train what is missing, record, judge, write the page."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

from orchestrator.arguments import check_changes, check_file, check_place, check_type
from orchestrator.engine.backend import ClusterLost
from orchestrator.engine.checkpoints import MARK, RecordedPacks
from orchestrator.engine.dispatch import Dispatcher, Ending
from orchestrator.engine.limits import Budget, Limits
from orchestrator.engine.shared_folder import OutOfReach, SharedFolder
from orchestrator.engine.trial_logs import TrialLogs
from orchestrator.engine.tune_folder import remove_left_folders
from orchestrator.errors import UserError
from orchestrator.passwords import without_passwords
from orchestrator.planning.apart import make_plan_apart
from orchestrator.planning.plan import make_plan
from orchestrator.records.events import Event, Notice
from orchestrator.records.study_plan import StudyPlan
from orchestrator.results.location import database, output_folder
from orchestrator.running.executors import check_executor, make_backend
from orchestrator.running.job import Job, RunOptions
from orchestrator.running.live_report import live_report
from orchestrator.running.notification import check_target, notifying
from orchestrator.running.signals import interruptible
from orchestrator.running.work import make_work
from orchestrator.scheduling.packs import PackSource, Work
from orchestrator.scheduling.progress import Progress
from orchestrator.scheduling.replaying import open_replay
from orchestrator.scheduling.sharing import SharedTrials
from orchestrator.storage import Lease, PlanOutcome, Recorder, Store, StudyBusy
from orchestrator.study_file.config import StudyConfig, read_study
from orchestrator.terminal.console import make_console
from orchestrator.terminal.notebook import is_watched
from orchestrator.terminal.run_result import RunResult
from orchestrator.terminal.tables import Listener, Show, show_run
from reports.analysis.verdicts import Verdict, judge_study
from reports.page import write_report
from reports.results import Study
from reports.summary import verdict_row

_ENDED = {
    Ending.DONE: "the run is done",
    Ending.INTERRUPTED: "the run was interrupted",
    Ending.BUDGET: "the budget of the run is used up",
    Ending.LOST: "the run lost its cluster",
}


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
    options = RunOptions() if options is None else options
    _check_types(file, db, changes, options)
    if db is not None and options.db is not None and db != options.db:
        raise UserError("the results DB is given twice, as db and as RunOptions.db, and the two differ: give it once")
    options = replace(options, db=db if db is not None else options.db)
    _check(options)
    config = read_study(file if isinstance(file, Mapping) else Path(file), changes)
    plan = _plan(config, options)
    out = output_folder(plan.name, options.out)
    url, replay = database(options.db, config), None
    if options.executor == "replay":
        replay = open_replay(url, out)
        url, out = replay.database, replay.folder
        plan = replay.plan(plan)
    with notifying(options.notify, plan.name) as notifier:
        return _run(Job(config, plan, options, out, replay, notifier), url, show)


def _check_types(file: object, db: object, changes: object, options: object) -> None:
    check_file(file)
    check_changes(changes)
    check_type("options", options, RunOptions)
    check_place("db", db)
    assert isinstance(options, RunOptions)
    check_place("RunOptions.db", options.db)
    check_place("RunOptions.out", options.out)


def record_plans(files: Iterable[Path], changes: Sequence[str] = (), options: RunOptions | None = None) -> None:
    """Record the plans of studies that are to be run later, and train nothing; errors as of `run_study`.

    Of studies that share arms each is then planned before the results of any, in whichever order they are run.
    Nothing is recorded where a run of one of them would end with a mistake of its file or of the options.
    """
    options = options or RunOptions()
    _check(options)
    configs = [read_study(file, changes) for file in files]
    planned = [(database(options.db, config), _plan(config, options)) for config in configs]
    for url, plan in planned:
        with Store.open(url) as store, store.lease(plan.name, take_over=options.take_over):
            store.record_plan(plan)


def _plan(config: StudyConfig, options: RunOptions) -> StudyPlan:
    """Plan a study; what trains in this process needs torch in it anyhow."""
    make = make_plan if options.executor == "inline" else make_plan_apart
    return make(config, options.command)


def _run(job: Job, url: str, show: Show | bool) -> RunResult:
    """Train, record, judge and report, and tell whoever is to be notified."""
    name, options, notifier = job.plan.name, job.options, job.notifier
    remove_left_folders()
    with Store.open(url) as store, store.lease(name, take_over=options.take_over) as lease:
        store.record_spool(name, job.spool)
        store.recover(name)
        outcome = store.record_plan(job.plan)
        with live_report(url, name, job.out) if options.report and job.replay is None else nullcontext():
            ending, lost = _train(store, job, outcome, show, lease)
        if lease.is_lost():
            raise StudyBusy(
                f'another process has taken over the study "{name}" while this one was stopped or cut off: '
                "what it had finished is recorded"
            )
        if ending is not Ending.DONE:
            store.recover(name)
        study = store.load_study(name)
        verdicts, before = judge_study(study), store.load_verdicts(name)
        rows = [verdict_row(each) for each in verdicts]
        store.save_verdicts(name, rows)
    report, unwritten = _report(study, job, verdicts) if options.report else (None, None)
    result = RunResult(study, verdicts, report, ending is Ending.INTERRUPTED, ending is Ending.BUDGET, lost, unwritten)
    if notifier is None:
        return result
    notifier.verdicts(before, rows)
    states = Counter(trial.state.value for trial in result.trials)
    notifier.ended(_ENDED[ending], states, str(report) if report else None)
    return replace(result, untold=notifier.problem)


def _report(study: Study, job: Job, verdicts: tuple[Verdict, ...]) -> tuple[Path | None, str | None]:
    """Write the report; return its page, or why it could not be written: the results are recorded all the same."""
    try:
        return write_report(study, job.out, verdicts), None
    except OSError as error:
        why = f"{error.filename or job.out}: {error.strerror}"
        return None, f"the report cannot be written ({why}); mend that, then run: {_again(job)}"


def _again(job: Job) -> str:
    """Return the command that writes the report of a study whose results are on record."""
    db, name = job.options.db or job.config.file.database, job.plan.name
    named = ["--db", without_passwords(db)] if db else []
    elsewhere = ["--out", str(job.out)] if job.out != Path("out", name).resolve() else []
    return shlex.join(["orchestrate", "report", name, *named, *elsewhere])


def _check(options: RunOptions) -> None:
    if options.notify is not None:
        check_target(options.notify)
    check_executor(options.executor, options.address)


def _train(store: Store, job: Job, outcome: PlanOutcome, show: Show | bool, lease: Lease) -> tuple[Ending, str | None]:
    """Train what is missing; return how that ended, and why where the cluster was lost."""
    progress = Progress()
    work = make_work(store, job, progress)
    ending, lost = Ending.DONE, None
    work.begin()
    if show is True:
        show = is_watched() and show_run(make_console())
    shown = show(progress, job.plan, outcome) if show else nullcontext(progress.update)
    with interruptible() as interrupted, shown as listener:
        if work.has_work():
            try:
                ending = _dispatch(store, job, work, listener, interrupted, lease)
            except ClusterLost as error:
                ending, lost = Ending.LOST, str(error)
        work.finish(interrupted)
    return (Ending.INTERRUPTED if interrupted.is_set() and lost is None else ending), lost


def _dispatch(store: Store, job: Job, work: Work, listener: Listener, interrupted: Flag, lease: Lease) -> Ending:
    """Train what is missing, recording every event."""
    resources = job.config.file.resources
    recorded = RecordedPacks(job.checkpoints, _shared(job))
    limits = Limits(
        timeout=resources.timeout,
        gpus=resources.gpus,
        budget=Budget(resources.budget.trials, resources.budget.wall, resources.budget.gpu_hours),
    )
    listeners: list[Listener] = [listener, recorded, *([job.notifier] if job.notifier else [])]
    with Recorder(store, job.plan.name, listeners=listeners, spool=job.spool) as recorder:

        def sink(event: Event) -> None:
            recorder.put(event)
            if recorder.problem or lease.is_lost():
                interrupted.set()

        logs = TrialLogs(job.out / "logs" if job.replay is None else None)
        backend = make_backend(job)
        # On a CPU the seeds of a pack are one network, and its parts would round differently.
        chosen = work.source(recorder.flush, backend.slots if resources.gpus else None)
        source = _source(store, job, chosen, listener, sink)
        ending = Dispatcher(source, backend, sink, interrupted, limits, logs, recorded.follow).run()
    recorded.close()
    return ending


def _shared(job: Job) -> SharedFolder | None:
    """Return the folder where every node finds the checkpoints, ready for use; a UserError where it is not."""
    url, key = job.config.file.resources.checkpoints, ("resources", "checkpoints")
    if url is None or job.replay is not None:
        return None
    if url.startswith("memory://") and job.options.executor == "ray":
        message = "memory:// is seen by one process alone, and Ray trains in others: name a folder that all nodes share"
        raise job.config.source.error(message, key)
    try:
        shared = SharedFolder(url)
        shared.mark(MARK)
    except OutOfReach as error:
        raise job.config.source.error(f"checkpoints cannot be kept in {url}: {error}", key) from error
    return shared


def _source(
    store: Store, job: Job, source: PackSource, listener: Listener, sink: Callable[[Event], None]
) -> PackSource:
    """Return the source without what other studies of the same database train; a replay trains nothing."""
    if job.replay is not None:
        return source
    return SharedTrials(source, store, job.plan.name, listener, lambda text: sink(Notice(text)))
