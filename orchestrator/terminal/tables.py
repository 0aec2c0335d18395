"""Print plans, lists and findings to the terminal, as tables that fit it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from orchestrator.records.events import Event
from orchestrator.records.study_plan import StudyPlan
from orchestrator.scheduling.progress import Progress, duration
from orchestrator.storage import PlanOutcome, StudySummary
from orchestrator.terminal.console import name_table, print_table, say
from orchestrator.terminal.live import shown
from orchestrator.terminal.troubles import MOST_LOGS, log_lines, lost_lines
from reports.results import Study
from reports.trials import State
from reports.wording import counted

if TYPE_CHECKING:  # a command imports what it runs, and `status` runs nothing
    from orchestrator.planning.preview import Preview
    from orchestrator.presets import Preset

NOTES_SHOWN = 6


Listener = Callable[[Event], object]
Show = Callable[[Progress, StudyPlan, PlanOutcome], AbstractContextManager[Listener]]
"""What shows a run: it is entered when the training begins, and what it returns is told every event."""


def show_run(console: Console) -> Show:
    """Return what `run_study` shows on `console`: what is about to be done, then the progress."""

    @contextmanager
    def show(progress: Progress, plan: StudyPlan, outcome: PlanOutcome) -> Iterator[Listener]:
        say(console, _beginning(progress, plan, outcome))
        notes = (*plan.notes, *plan.notes_before_run)
        for note in notes[:NOTES_SHOWN]:
            say(console, note)
        if len(notes) > NOTES_SHOWN:
            say(
                console,
                f"... and {counted(len(notes) - NOTES_SHOWN, 'more note')}; `orchestrate plan` prints all of them",
            )
        for name in outcome.orphaned:
            say(console, f'orphaned: "{name}" is no longer in the study file as it was; its results stay in the DB')
        with shown(progress, console) as listener:
            yield listener

    return show


def _beginning(progress: Progress, plan: StudyPlan, outcome: PlanOutcome) -> str:
    if plan.is_search:
        known = len(set(outcome.cached) & {trial.id for trial in plan.trials})
        return f"{plan.name}: a search; {counted(len(plan.trials), 'trial')} planned beforehand, {known} with a result"
    waiting = sum(not trial.state.is_finished() for trial in progress.trials.values())
    finished = len(plan.trials) - waiting
    size = f"{counted(len(plan.arms), 'arm')}, {counted(len(plan.trials), 'trial')}"
    return f"{plan.name}: {size}; {finished} finished before, {waiting} to train"


def print_plan(console: Console, preview: "Preview") -> None:
    """Print what a run would do: an arm a row, then the sums and what the seeds can tell."""
    table = name_table("arm")
    time = "time a trial" if preview.seconds is not None else "on a CPU core"
    for column in ("new", "cached", "parameters", "MFLOPs", time):
        table.add_column(column, justify="right", no_wrap=True)
    for arm in preview.arms:
        numbers = (f"{arm.params:,}", f"{arm.flops / 1e6:,.2f}", duration(arm.seconds))
        table.add_row(escape(arm.name), f"{arm.new:,}", f"{arm.cached:,}", *numbers)
    print_table(console, table)
    for line in preview.lines():
        say(console, line)


def print_presets(console: Console, presets: Sequence["Preset"]) -> None:
    """Print what each ready study is, what it asks and how much it trains, and how to run one."""
    from orchestrator.presets import GROUPS

    for preset in presets:
        say(
            console, f"{preset.name}: {counted(preset.arms, 'arm')}, {counted(preset.trials, 'trial')} on {preset.data}"
        )
        say(console, f"    {preset.about}")
        say(console, f"    {preset.question}\n")
    for group, names in GROUPS.items():
        say(console, f"{group}: {', '.join(names)}; orchestrate run {group} runs them one after the other\n")
    say(console, "To run one: orchestrate run NAME; to change it first: orchestrate presets NAME > NAME.yaml")


def print_studies(console: Console, studies: Sequence[StudySummary]) -> None:
    """Print a study a row: its trials by state, and whether it runs."""
    if not studies:
        say(console, "no study in this results DB yet; `orchestrate run FILE` adds one")
        return
    counts = [_standing(study) for study in studies]
    states = [state for state in State if any(each.get(state) for each in counts)]
    table = name_table("study")
    for column in (*(state.lower() for state in states), "active", "updated, UTC"):
        table.add_column(column, no_wrap=True)
    for study, trials in zip(studies, counts, strict=True):
        updated = study.updated.strftime("%Y-%m-%d %H:%M") if study.updated else ""
        numbers = (str(trials.get(state, 0)) for state in states)
        table.add_row(escape(study.name), *numbers, "yes" if study.running else "no", updated)
    print_table(console, table)


def _standing(study: StudySummary) -> Mapping[State, int]:
    """Return the trials of a study by state; those that a dead process left running wait."""
    cut_short = 0 if study.running else study.states.get(State.RUNNING, 0)
    if not cut_short:
        return study.states
    waiting = study.states.get(State.WAITING, 0) + cut_short
    return {**study.states, State.RUNNING: 0, State.WAITING: waiting}


def print_trials(console: Console, study: Study, active: bool) -> None:
    """Print a trial a row: its state, its last epoch and its errors; then the reasons of those that went wrong.

    `active` says whether a process runs the study: where none does, trials that were left running wait.
    """
    table = name_table("arm")
    for column in ("seed", "state", "epoch", "test %", "train %", "time"):
        table.add_column(column, justify="left" if column == "state" else "right", no_wrap=True)
    for trial in study.trials:
        errors = [f"{value:.2f}" if value is not None else "" for value in (trial.test_error, trial.train_error)]
        epoch = str(trial.curve[-1].epoch) if trial.curve else ""
        time = duration(trial.seconds) if trial.seconds is not None else ""
        state = State.WAITING if trial.state is State.RUNNING and not active else trial.state
        table.add_row(escape(trial.arm), str(trial.seed), state, epoch, *errors, time)
    print_table(console, table)
    logs = [trial.id for trial in study.trials if trial.log][:MOST_LOGS]
    for trial in study.trials:
        if trial.reason:
            cause = f" ({trial.cause})" if trial.cause else ""
            say(console, f"{trial.arm} seed={trial.seed}: {trial.state}{cause}: {trial.reason}")
        if trial.id in logs:
            for line in log_lines(trial.log):
                say(console, line)
    for line in lost_lines(study):
        say(console, line)


def trial_facts(study: Study, active: bool) -> list[dict[str, Any]]:
    """Return the trials of a study as plain data: a trial each, with its last epoch, its errors and what it lost."""
    lost: dict[str, list[str | None]] = {}
    for each in study.lost:
        lost.setdefault(each.trial, []).append(each.cause)
    orphaned = {arm.name: arm.orphaned for arm in study.arms}
    return [
        {
            "trial": trial.id,
            "arm": trial.arm,
            "seed": trial.seed,
            "state": State.WAITING if trial.state is State.RUNNING and not active else trial.state,
            "reason": trial.reason,
            "cause": trial.cause,
            "log": trial.log,
            "lost_attempts": lost.get(trial.id, []),
            "epoch": trial.curve[-1].epoch if trial.curve else 0,
            "test_error": trial.test_error,
            "train_error": trial.train_error,
            "seconds": trial.seconds,
            "orphaned": orphaned[trial.arm],
        }
        for trial in study.trials
    ]
