"""Verdicts in the terminal: what decides, in two lines at most, and last before the report."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from orchestrator.terminal.results import print_verdicts
from orchestrator.terminal.verdict_lines import verdict_line
from reports.analysis.verdicts import judge
from tests.reports import studies


@pytest.fixture(scope="module")
def verdicts():
    whole = studies.judged()
    return {each.id: each for each in judge(whole, whole.claims)}


def test_a_line_has_claim_effect_interval_and_seeds(verdicts):
    found = verdicts["better"]
    assert verdict_line(found) == (
        f"Supported     better: effect {found.estimate:.2f} points, 96.67% interval {found.low:.2f} to "
        f"{found.high:.2f} (n=8) [assumes no rare outliers]"
    )
    assert "fails: 8 of 8 seeds fail, 96.67% interval" in verdict_line(verdicts["fails"])
    assert "in the one of 2 contexts on which it turns" in verdict_line(verdicts["alike"])


@pytest.mark.parametrize("width", [40, 80, 200, 10_000])
def test_no_line_takes_more_than_two_of_a_terminal(verdicts, width):
    for each in verdicts.values():
        long = replace(
            each, claim=replace(each.claim, id="long-" * 30), badges=("post hoc", "skewed " * 9, "more " * 9)
        )
        assert len(verdict_line(each, width)) <= 2 * min(width, 80)
        assert len(verdict_line(long, width)) <= 2 * min(width, 80)
        assert verdict_line(long, width).startswith(f"{each.verdict:12}  long-")


def test_badges_that_find_no_room_are_counted(verdicts):
    many = replace(verdicts["better"], badges=("post hoc", "x" * 80, "y" * 80))
    assert verdict_line(many).endswith("(n=8) [post hoc, 2 more on the page]")


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_claim_that_is_post_hoc_says_so_however_little_room_there_is(verdicts, width):
    for each in verdicts.values():
        long = replace(each, claim=replace(each.claim, id="long-" * 30), badges=("skewed " * 9, "post hoc"))
        assert "post hoc" in verdict_line(long, width)


def test_what_has_no_number_says_so(verdicts):
    some = verdicts["better"]

    def with_shown(waiting=0, **values):
        return replace(some, waiting=waiting, shown=replace(some.shown, **values))

    assert verdict_line(with_shown(n=0, waiting=1)).startswith("Supported     better: no result yet (n=0)")
    assert "better: no seed has a reading in all of its arms (n=0)" in verdict_line(with_shown(n=0))
    assert "no mean (n=8, 1 fail)" in verdict_line(with_shown(estimate=None, fails=1))
    assert "interval open to" in verdict_line(with_shown(low=None))
    assert "has no arms that it speaks of" in verdict_line(replace(some, shown=None, contexts=()))


def test_verdicts_are_the_last_lines(verdicts):
    whole, out = studies.judged(), StringIO()
    print_verdicts(Console(file=out, width=80), whole, tuple(verdicts.values()))
    assert out.getvalue().splitlines()[-len(verdicts) :] == [verdict_line(each) for each in verdicts.values()]
