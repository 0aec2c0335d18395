"""What was fixed before the first result, and what a verdict says when something was changed since."""

from dataclasses import replace

import pytest

from reports.analysis.badges import KNOWN_ARM, POST_HOC
from reports.analysis.claims import parse_claims
from reports.analysis.registration import claims_ever, plan_differences, register
from reports.results import History, PlanVersion
from tests.reports.analysis.registered import ALL, CLAIM, by_arm, errors, hours, judged, made, plan


def test_a_claim_that_stands_as_declared_carries_no_mark():
    found = judged(made([(0, plan()), (2, plan())], by_arm(errors(shift=1))))["better"]
    assert (found.verdict, found.changes, found.post_hoc) == ("Supported", (), None)
    assert POST_HOC not in found.badges


def test_a_title_that_is_given_after_the_results_is_no_change_of_the_claim():
    titled = plan(claims=(CLAIM | {"title": "Pre-activation helps"},))
    found = judged(made([(0, plan()), (2, titled)], by_arm(errors(shift=1))))["better"]
    assert found.claim.title == "Pre-activation helps"
    assert (found.changes, found.post_hoc) == ((), None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alpha": 0.3}, "alpha changed from 0.05 to 0.3 on 2026-11-01 14:00 UTC"),
        ({"family": "none"}, "the family changed from holm to none"),
        ({"test": "sign"}, "the test changed from paired to sign"),
        ({"fail_above": 50}, "fail_above changed from 20 to 50"),
        ({"data": ["other"]}, "the data changed"),
        ({"claims": [CLAIM | {"by": 0.1}]}, "changed from says: preact < original"),
        ({"claims": [CLAIM | {"id": "renamed"}, {"id": "better", "says": "scaled < original"}]}, "changed from says"),
    ],
)
def test_what_was_changed_after_the_results_is_said_in_badge_and_words(change, says):
    found = judged(made([(0, plan()), (2, plan(**change))], by_arm(errors(shift=1))))["better"]
    assert POST_HOC in found.badges
    assert any(each.startswith(says) for each in found.changes)
    assert says in found.sentence


@pytest.mark.parametrize("change", [{"alpha": 0.3}, {"claims": [CLAIM | {"by": 0.1}]}, {"seeds": ALL[:5]}])
def test_the_same_changes_before_the_results_leave_no_mark(change):
    whole = made([(0, plan()), (0.5, plan(**change))], by_arm(errors(plan(**change)["seeds"], shift=1)))
    assert judged(whole)["better"].changes == ()


def test_what_is_declared_on_results_of_one_arm_alone_is_declared_in_advance():
    whole = made([(0, plan(claims=())), (2, plan())], by_arm(errors(shift=1)))
    later = tuple(replace(each, finished_at=hours(3)) if "preact" in each.arm else each for each in whole.trials)
    assert judged(whole)["better"].post_hoc.startswith("added on 2026-11-01 14:00 UTC")
    assert judged(replace(whole, trials=later))["better"].post_hoc is None


def test_deleting_claims_lowers_no_bar():
    others = [{"id": str(at), "says": "preact < original", "by": at / 10} for at in range(1, 4)]
    results = by_arm(errors(shift=0.25))
    four = judged(made([(0, plan(claims=(CLAIM, *others)))], results))["better"]
    one = judged(made([(0, plan(claims=(CLAIM, *others))), (2, plan())], results))["better"]
    assert one.p_holm >= four.p_holm > judged(made([(0, plan())], results))["better"].p_holm
    assert one.changes == ()


def test_a_post_hoc_claim_is_judged_among_all_claims_ever_made():
    tried = [{"id": f"try-{at}", "says": "preact < original", "by": at / 100} for at in range(1, 10)]
    last = {"id": "last", "says": "scaled < original"}
    versions = [(0, plan()), *((1 + at, plan(claims=(CLAIM, each))) for at, each in enumerate(tried, 1))]
    whole = made([*versions, (20, plan(claims=(CLAIM, last)))], by_arm(errors(shift=1)))
    found = judged(whole)
    assert claims_ever(whole, found["last"].claim) == 10
    assert found["last"].p_holm == pytest.approx(min(1, 10 * found["last"].p_look))
    assert found["better"].p_holm == pytest.approx(found["better"].p_look)


def test_claims_of_another_study_on_the_same_trials_count():
    elsewhere = [PlanVersion(1, hours(-5), plan(claims=[{"id": "x", "says": "preact < original", "by": 1}]), "x")]
    whole = made([(0, plan(claims=())), (2, plan())], by_arm(errors(shift=1)), elsewhere=elsewhere)
    (claim,) = parse_claims(whole.settings["claims"], whole.factors)
    assert claims_ever(whole, claim) == 1
    apart = [PlanVersion(1, hours(-5), plan(claims=[{"id": "x", "says": "scaled < original"}]), "x")]
    whole = made([(0, plan(claims=())), (2, plan())], by_arm(errors(shift=1)), elsewhere=apart)
    assert claims_ever(whole, claim) == 0


def test_versions_of_an_older_program_know_the_claims_alone():
    old = {"claims": [CLAIM]}
    whole = made([(0, old), (2, plan(alpha=0.3))], by_arm(errors(shift=1)))
    assert judged(whole)["better"].changes == ()
    whole = made([(0, {"claims": []}), (2, plan())], by_arm(errors(shift=1)))
    assert judged(whole)["better"].post_hoc.startswith("added on")


def test_without_a_record_of_plans_nothing_is_known_to_have_changed():
    whole = made([(0, plan())], by_arm(errors(shift=1)))
    (claim,) = parse_claims(whole.settings["claims"], whole.factors)
    assert register(replace(whole, history=History()), claim).changes == ()


def test_what_two_versions_of_a_plan_fix_differently():
    first, last = (PlanVersion(at, hours(at), each) for at, each in enumerate((plan(), plan(alpha=0.1, seeds=(0, 1)))))
    assert plan_differences(first, last) == ("seeds", "alpha")
    assert plan_differences(first, first) == ()


def test_the_plan_of_a_copy_that_was_merged_changes_nothing_while_another_is_in_force():
    plans = [(0.5, plan()), (0, plan(alpha=0.3)), (2, plan())]
    found = judged(made(plans, by_arm(errors(shift=1))))["better"]
    assert (found.verdict, found.changes, found.post_hoc) == ("Supported", (), None)


def test_a_verdict_on_an_arm_that_had_results_when_its_claim_was_declared_names_the_assumption():
    def found(planned, shift=1.0, again=()):
        whole = made([(planned, plan()), *again], by_arm(errors(shift=shift)))
        late = {each.name for each in whole.arms if "preact" in each.name}
        trials = tuple(replace(each, finished_at=hours(3)) if each.arm in late else each for each in whole.trials)
        return judged(replace(whole, trials=trials))["better"]

    assert KNOWN_ARM in found(2).badges
    assert (found(2).verdict, found(2).changes) == ("Supported", ())
    assert KNOWN_ARM not in found(0).badges
    assert KNOWN_ARM not in found(0, again=[(2, plan(depths=(8, 14)))]).badges  # it was declared before any result
    assert KNOWN_ARM not in found(2, shift=0.0).badges  # nothing is decided
