"""What is printed fits a terminal of 80 columns."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from rich.console import Console

from orchestrator.storage import StudySummary
from orchestrator.terminal.tables import print_plan, print_studies, print_trials
from reports.trials import State
from tests.reports import studies


@pytest.fixture
def printed():
    """Return what is printed on 80 columns."""

    def show(print_it, *args):
        console = Console(file=io.StringIO(), width=80)
        print_it(console, *args)
        lines = console.file.getvalue().splitlines()
        table = [line for line in lines if line[:1] in "┏┃┡│└"]
        assert {line[-1] for line in table} <= set("┓┃┩│┘")
        assert max(map(len, table)) <= 80
        return "\n".join(lines)

    return show


def test_a_plan_is_not_cut_off(printed):
    name = "stage=search activation=bn relu conv bn relu conv | add | shortcut=shortcut_gate(bias=-6)"
    arm = SimpleNamespace(name=name, new=10_000, cached=10_000, params=19_420_000, flops=2.5e9, seconds=90_000)
    preview = SimpleNamespace(arms=[arm], seconds=90_000.0, lines=lambda: ["study: a line of any length"])
    text = printed(print_plan, preview)
    for words in ("19,420,000", "2,500.00", "25 h"):
        assert words in text


def summary(states, running):
    return StudySummary(
        name="search-wirings-digits",
        question="",
        arms=4,
        orphaned=0,
        states=states,
        updated=datetime(2026, 11, 25, tzinfo=UTC),
        running=running,
        process=None,
    )


def test_a_list_of_studies_is_not_cut_off(printed):
    text = printed(print_studies, [summary({State.COMPLETE: 9999, State.DIVERGED: 9, State.FAILED: 99}, True)])
    for words in ("search-wirings", "9999", "2026-11-25 00:00"):
        assert words in text


@pytest.mark.parametrize(("running", "heads"), [(True, ["waiting", "running"]), (False, ["waiting"])])
def test_trials_that_a_dead_process_left_running_wait(printed, running, heads):
    text = printed(print_studies, [summary({State.RUNNING: 2, State.WAITING: 3}, running)])
    assert [word for word in text.splitlines()[1].split() if word in ("waiting", "running")] == heads
    trials = studies.troubled().trials
    left = replace(
        studies.troubled(), trials=tuple(replace(trial, state=State.RUNNING, reason=None) for trial in trials)
    )
    assert ("RUNNING" in printed(print_trials, left, running)) is running


def test_the_trials_of_a_study_are_not_cut_off(printed):
    assert "DIVERGED" in printed(print_trials, studies.troubled(), True)
