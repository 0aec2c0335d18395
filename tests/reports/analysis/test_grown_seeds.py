"""Seeds and looks that were added after results existed: they are judged by their e-value, or withdraw a verdict."""

import pytest

from reports.analysis.badges import LEFT_OUT, POST_HOC, UNPLANNED
from reports.results import PlanVersion
from tests.reports.analysis.registered import ALL, by_arm, errors, hours, judged, made, plan


def test_grown_seeds_are_judged_by_their_e_value():
    results = by_arm(errors(shift=0.35))
    whole = made([(0, plan(seeds=ALL[:4])), (2, plan(seeds=ALL))], results)
    found = judged(whole)["better"]
    assert UNPLANNED in found.badges
    assert "8 seeds added to the 4 planned" in found.sentence
    assert found.p > judged(made([(0, plan())], results))["better"].p


def test_seeds_grown_under_the_name_of_another_study_are_judged_by_their_e_value():
    results = by_arm(errors(shift=0.35))
    small = PlanVersion(1, hours(0), plan(seeds=ALL[:4]), "small")
    found = judged(made([(2, plan())], results, elsewhere=[small]))["better"]
    assert {UNPLANNED, POST_HOC} <= set(found.badges)
    assert "8 seeds added to the 4 of another study" in found.sentence
    alike = PlanVersion(1, hours(0), plan(), "alike")
    assert UNPLANNED not in judged(made([(2, plan())], results, elsewhere=[alike]))["better"].badges


@pytest.mark.parametrize(("then", "now"), [([], [3, 12]), ([2, 4], [])])
def test_looks_that_differ_from_those_of_another_study_are_said_to(then, now):
    small = PlanVersion(1, hours(0), plan(seeds=ALL[:4], looks=then), "small")
    found = judged(made([(2, plan(looks=now))], by_arm(errors(shift=0.35)), elsewhere=[small]))["better"]
    assert any(each.startswith("looks changed from ") for each in found.changes)


def test_seeds_wholly_other_than_those_of_another_study_are_not_grown():
    small = PlanVersion(1, hours(0), plan(seeds=ALL[:4]), "small")
    found = judged(made([(2, plan(seeds=ALL[4:]))], by_arm(errors(shift=1)), elsewhere=[small]))["better"]
    assert UNPLANNED not in found.badges
    assert LEFT_OUT in found.badges
    with_looks = [(2, plan(seeds=ALL[4:], looks=[8]))]
    found = judged(made(with_looks, by_arm(errors(shift=1)), elsewhere=[small]))["better"]
    assert not any(each.startswith("looks changed") for each in found.changes)


def test_what_the_planned_seeds_decided_stays_when_seeds_are_grown():
    found = judged(made([(0, plan(seeds=ALL[:5])), (2, plan(seeds=ALL))], by_arm(errors(shift=2))))["better"]
    assert (found.verdict, found.n) == ("Supported", 5)
    assert "with the seeds added since" in found.sentence


def test_fresh_seeds_in_the_place_of_seen_ones_are_grown_and_leave_out():
    found = judged(made([(0, plan(seeds=ALL[:4])), (2, plan(seeds=ALL[4:]))], by_arm(errors())))["better"]
    assert {UNPLANNED, LEFT_OUT} <= set(found.badges)
    assert found.verdict == "Inconclusive"


def test_a_verdict_that_later_seeds_contradict_is_withdrawn_with_both_numbers():
    results = by_arm(errors())
    for seed in ALL:
        results["preact-8"][seed] = results["original-8"][seed] + (-0.3 - seed / 100 if seed < 5 else 0.8 + seed / 100)
    found = judged(made([(0, plan(looks=[5, 12]))], results), looks=(5, 12))["better"]
    assert found.verdict == "Inconclusive"
    assert "withdrawn" in found.badges[-1]
    assert "5 seeds gave Supported; all 12 lean the other way" in found.sentence
    assert "0.32" in found.sentence
    assert "-0.38" in found.sentence


@pytest.mark.parametrize(("count", "verdict", "unplanned"), [(8, "Inconclusive", True), (5, "Supported", False)])
def test_looks_at_fewer_seeds_than_were_planned_without_any_are_judged_by_the_e_value(count, verdict, unplanned):
    planned = ALL[:count]
    plans = [(0, plan(seeds=planned)), (2, plan(seeds=ALL[:5], looks=[3, 5]))]
    found = judged(made(plans, by_arm(errors(planned, shift=0.35))), looks=(3, 5))["better"]
    assert (found.verdict, UNPLANNED in found.badges) == (verdict, unplanned)
