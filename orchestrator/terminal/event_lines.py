"""A run as JSON, a line an event, for programs that watch it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from orchestrator.records.events import Event, now
from orchestrator.records.study_plan import StudyPlan
from orchestrator.scheduling.progress import Progress
from orchestrator.storage import PlanOutcome
from orchestrator.storage.spool import event_mapping
from orchestrator.terminal.console import PatientPrinter
from orchestrator.terminal.json_output import as_json
from orchestrator.terminal.run_result import RunResult
from orchestrator.terminal.tables import Listener, Show
from reports.summary import verdict_row

Write = Callable[[str], object]
READER_SECONDS = 30.0
"""How long a program that reads slowly is waited for at the end of the training; results are recorded by then."""


def log_run(write: Write) -> Show:
    """Return what `run_study` shows: a line when it begins, and one for each event once it is recorded.

    Each line is an object with `kind`, `at` and `study`; those about a trial have `trial`, `arm` and `seed`. Numbers
    that are not finite are null: JSON has no word for them.
    """

    @contextmanager
    def show(progress: Progress, plan: StudyPlan, outcome: PlanOutcome) -> Iterator[Listener]:
        printer = PatientPrinter(write)
        counts = {state.value: count for state, count in sorted(progress.counts().items())}
        begun = {"arms": len(plan.arms), "states": counts, "orphaned": list(outcome.orphaned), "notes": [*plan.notes]}
        _write_line(printer.say, "RunStarted", plan.name, begun)

        def listen(event: Event) -> None:
            trial = progress.update(event)
            facts = event_mapping(event)
            if trial is not None:
                facts |= {"arm": trial.planned.arm.name, "seed": trial.planned.seed}
            _write_line(printer.say, facts.pop("kind"), plan.name, facts)

        try:
            yield listen
        finally:
            printer.close(READER_SECONDS)

    return show


def log_result(write: Write, result: RunResult) -> None:
    """Write the last line: how many trials are in each state, the verdicts, and where the report is."""
    states = [trial.state.value for trial in result.trials]
    facts = {
        "states": {state: states.count(state) for state in sorted(set(states))},
        "interrupted": result.interrupted,
        "budget_used": result.budget_used,
        "lost": result.lost,
        "verdicts": [verdict_row(each) for each in result.verdicts],
        "report": str(result.report) if result.report else None,
    }
    _write_line(write, "RunEnded", result.study.name, facts)


def _write_line(write: Write, kind: str, study: str, facts: Mapping[str, Any]) -> None:
    line = {"kind": kind, "at": now().isoformat(), "study": study, **facts}
    write(json.dumps(as_json(line), ensure_ascii=False, allow_nan=False) + "\n")
