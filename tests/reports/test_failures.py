"""The section of failures: how many failed of how many, in words, and one log for trials that ended alike."""

from dataclasses import replace

import pytest

from reports.findings import find
from reports.page import write_report
from reports.sections import failures
from tests.reports import searches, small
from tests.reports.small import near


@pytest.mark.parametrize(("bad", "has_loss"), [((80.0, 81.0, 82.0), False), ((None, 81.0, 82.0), True)])
def test_a_list_of_fails_has_a_last_loss_only_where_a_trial_diverged(tmp_path, bad, has_loss):
    page = write_report(small.study(("variant",), {("a",): near(3), ("b",): bad}), tmp_path).read_text()
    assert ("last finite loss</th>" in page) is has_loss
    assert failures.build(find(small.study(("variant",), {("a",): near(3), ("b",): bad}))) is not None


def test_trials_that_crashed_alike_show_one_log():
    whole = small.study(("variant",), {("a",): (small.CRASHED,) * 3, ("b",): (small.CRASHED,)})
    trials = tuple(
        replace(each, log="RuntimeError: one" if "=a" in each.arm else "ValueError: two") for each in whole.trials
    )
    logs = failures.build(find(replace(whole, trials=trials))).content.logs
    assert [(event.seed, event.log, others) for event, others in logs] == [
        (0, "RuntimeError: one", 2),
        (0, "ValueError: two", 0),
    ]


def test_the_page_says_how_many_other_trials_ended_alike(tmp_path):
    whole = small.study(("variant",), {("a",): (small.CRASHED,) * 3})
    trials = tuple(replace(each, log="RuntimeError: one") for each in whole.trials)
    page = write_report(replace(whole, trials=trials), tmp_path).read_text()
    assert page.count("RuntimeError: one") == 1
    assert "2 more trials end alike" in page


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ({("a",): (None, None)}, "All 2 trials diverged."),
        ({("a",): (80.0, 80.0)}, "All 2 trials ended above 50 % test error."),
        ({("a",): (None, 3.0)}, "Of 2 trials, 1 diverged."),
        ({("a",): (None, 80.0)}, "Of 2 trials, 1 ended above 50 % test error and 1 diverged."),
    ],
)
def test_failures_that_befell_every_trial_are_said_of_all(errors, said):
    assert failures.build(small.found(("variant",), errors)).content.summary == said


def test_what_is_said_of_failures_in_a_search_is_said_of_its_confirmation():
    assert failures.build(find(searches.searched())).content.summary == (
        "No trial of the confirmation failed, diverged, crashed or was pruned."
    )
