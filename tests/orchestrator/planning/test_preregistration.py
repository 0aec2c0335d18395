"""What a pre-registered hash turns out to be, by the plans of a study and its first result."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.errors import UserError
from orchestrator.planning.preregistration import altered_plans, check_plan
from orchestrator.records.frozen_plan import plan_digest
from reports.results import History, PlanVersion
from tests.reports.analysis.build import study

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
PLAN = {"arms": {}, "seeds": [0, 1], "alpha": 0.05, "claims": []}
OTHER = {**PLAN, "alpha": 0.1}
RESULTS = [({"variant": "a"}, {0: 5.0, 1: 6.0}), ({"variant": "b"}, {0: 5.5, 1: 6.5})]


def of(*plans, first=1.0, known=0):
    """A study of these plans, each (hour, plan); its first results are of the hour `first`, None for no result."""
    whole = study(RESULTS, settings={"claims": [], "seeds": 2, "analysis": {"alpha": plans[-1][1].get("alpha", 0.05)}})
    at = None if first is None else START + timedelta(hours=first)
    trials = () if first is None else tuple(replace(each, finished_at=at) for each in whole.trials)
    versions = tuple(
        PlanVersion(number, START + timedelta(hours=hour), plan, plan_digest(plan) if "arms" in plan else None, known)
        for number, (hour, plan) in enumerate(plans, start=1)
    )
    return replace(whole, trials=trials, history=History(versions))


def test_a_plan_that_was_replaced_before_any_result_is_not_the_one_that_ran():
    whole = of((0, PLAN), (0.5, OTHER))
    (line,) = check_plan(whole, plan_digest(PLAN)).lines
    assert "is version 1 of 2026-11-01 12:00:00 UTC, before any result replaced by version 2" in line
    assert "which differs in alpha" in line
    assert not check_plan(whole, plan_digest(PLAN)).holds
    assert check_plan(whole, plan_digest(OTHER)).holds


def test_a_plan_without_a_result_yet_holds():
    assert check_plan(of((0, PLAN), first=None), plan_digest(PLAN)).lines[0].endswith("no result is on record yet")


def test_a_plan_that_came_back_holds_where_nothing_else_followed_the_first_result():
    assert check_plan(of((0, PLAN), (0.2, OTHER), (0.4, PLAN)), plan_digest(PLAN)).holds
    assert not check_plan(of((0, PLAN), (2, OTHER), (3, PLAN)), plan_digest(PLAN)).holds


def test_results_that_were_known_count_though_they_were_deleted_since():
    found = check_plan(of((0, PLAN), known=7), plan_digest(PLAN))
    assert (found.holds, found.lines[0].endswith("made when 7 results of its arms were on record")) == (False, True)


def test_a_plan_that_an_older_program_recorded_has_no_hash():
    older = of((0, {"claims": []}))
    (line,) = check_plan(older, plan_digest(PLAN)).lines
    assert "version 1 of 2026-11-01 12:00:00 UTC, which was recorded without its hash" in line
    assert altered_plans(older) == ()


@pytest.mark.parametrize("given", ["", "abc", "g" * 64, "0" * 63, "0" * 65])
def test_what_is_no_hash_is_refused(given):
    with pytest.raises(UserError, match="64 hexadecimal digits"):
        check_plan(of((0, PLAN)), given)


def test_a_version_without_its_content_is_named():
    whole = of((0, PLAN))
    gone = replace(whole.history.versions[0], plan={"claims": []})
    (line,) = altered_plans(replace(whole, history=History((gone,))))
    assert line.endswith("but its content is not on record")


def test_a_study_of_none_of_its_plans_is_named_with_what_differs():
    whole = of((0, PLAN), (2, OTHER))
    assert altered_plans(whole) == ()
    (line,) = altered_plans(replace(whole, settings={**whole.settings, "analysis": {"alpha": 0.2}}))
    assert line == "plan: the study has other alpha than version 2 of 2026-11-01 14:00:00 UTC of its plan"


def test_the_plans_of_a_merged_study_are_read_in_the_order_of_their_moments():
    whole = of((0.5, PLAN), (0, OTHER), (2, PLAN))
    assert check_plan(whole, plan_digest(PLAN)).holds
    assert not check_plan(whole, plan_digest(OTHER)).holds


def test_a_whole_number_of_the_file_is_what_the_database_gives_back():
    whole = of((0, {**PLAN, "fail_above": 20}))
    assert altered_plans(replace(whole, fail_above=20.0)) == ()
    (line,) = altered_plans(replace(whole, fail_above=25.0))
    assert "fail above" in line
