"""What was fixed before the first result, and what a verdict says when something was changed since."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from reports.analysis.adaptive import next_block
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.badges import FURTHER, KNOWN_ARM, LEFT_OUT, POST_HOC, SHARED, UNMEASURED, UNPLANNED
from reports.analysis.claims import parse_claims
from reports.analysis.decisions import decide
from reports.analysis.registration import claims_ever, plan_differences, register
from reports.analysis.verdicts import judge
from reports.results import DeletedOutcome, History, Measurement, PlanVersion
from tests.reports.analysis.build import study

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
CLAIM = {"id": "better", "says": "preact < original"}
LEVELS = ("original", "preact", "scaled")
ALL = tuple(range(12))


def hours(count: float) -> datetime:
    return START + timedelta(hours=count)


def errors(seeds=ALL, shift=0.0, noise=0.2, seed=1):
    rng = np.random.default_rng(seed)
    drawn = {level: 6 + noise * rng.standard_normal(max(ALL) + 1) for level in LEVELS}
    drawn["preact"] -= shift
    return {level: {each: float(drawn[level][each]) for each in seeds} for level in LEVELS}


def plan(claims=(CLAIM,), seeds=ALL, depths=(8,), **more):
    arms = {f"{level}-{depth}": {"variant": level, "depth": depth} for depth in depths for level in LEVELS}
    factors = {"variant": list(LEVELS), "depth": list(depths)}
    whole = {"alpha": 0.05, "family": "holm", "looks": [], "test": "paired", "fail_above": 20, "data": ["d"], **more}
    return {"arms": arms, "factors": factors, "claims": list(claims), "seeds": list(seeds), **whole}


def made(plans, results, seeds=None, elsewhere=()):
    """The study of the last of `plans`, each (hour, plan); `results` by arm and seed are on record since hour 1."""
    now = plans[-1][1]
    asked = tuple(now["seeds"]) if seeds is None else seeds
    names = {"variant={variant} depth={depth}".format(**levels): each for each, levels in now["arms"].items()}
    shown = [(levels, results.get(arm, {})) for arm, levels in now["arms"].items()]
    whole = study(shown, settings={"claims": now["claims"], "seeds": list(asked)}, fail_above=now["fail_above"])
    trials = tuple(replace(each, finished_at=hours(1)) for each in whole.trials)
    versions = tuple(PlanVersion(at + 1, hours(when), each, str(at)) for at, (when, each) in enumerate(plans))
    return replace(
        whole,
        arms=tuple(replace(arm, hash=names[arm.name]) for arm in whole.arms),
        trials=tuple(each for each in trials if each.seed in asked),
        history=History(versions, tuple(each for each in trials if each.seed not in asked), tuple(elsewhere)),
    )


def by_arm(found, depths=(8,)):
    return {f"{level}-{depth}": found[level] for level in LEVELS for depth in depths}


def judged(whole, **analysis):
    claims = parse_claims(whole.settings["claims"], whole.factors)
    return {each.id: each for each in judge(whole, claims, AnalysisSettings(**analysis))}


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


def test_seeds_that_other_studies_train_later_are_no_choice_but_count():
    whole = made([(0, plan(seeds=ALL[:6]))], by_arm(errors(shift=1)), seeds=ALL[:6])
    later = tuple(replace(each, finished_at=hours(2)) for each in whole.history.left_out)
    history = replace(whole.history, left_out=later)
    found = judged(replace(whole, history=history))["better"]
    assert (found.verdict, found.changes, found.post_hoc) == ("Supported", (), None)
    assert FURTHER in found.badges
    assert "With all 12 seeds on record" in found.sentence
    against = tuple(replace(each, test_error=12 - each.test_error) for each in later)
    held = judged(replace(whole, history=replace(history, left_out=against)))["better"]
    assert held.verdict == "Inconclusive"
    planned_again = (PlanVersion(2, hours(3), plan(seeds=ALL[:5]), "1"),)
    chosen = replace(
        whole,
        trials=tuple(each for each in whole.trials if each.seed < 5),
        history=replace(history, versions=(*history.versions, *planned_again)),
    )
    assert LEFT_OUT in judged(chosen)["better"].badges


def test_the_best_seeds_of_twelve_do_not_win():
    """Under no difference at all, the five seeds that speak most for the claim are kept."""
    results = errors()
    ranked = sorted(ALL, key=lambda seed: results["preact"][seed] - results["original"][seed])
    chosen = tuple(sorted(ranked[:5]))
    whole = made([(0, plan()), (2, plan(seeds=chosen))], by_arm(results))
    found = judged(whole)["better"]
    assert found.contexts[0].p_support < 0.025  # by themselves they would decide
    assert found.verdict == "Inconclusive"
    assert LEFT_OUT in found.badges
    assert "7 seeds of these arms exist and are left out" in found.sentence
    assert "With all 12 seeds on record" in found.sentence
    assert found.registration.seeds_left_out == tuple(sorted(set(ALL) - set(chosen)))


def test_an_effect_that_all_seeds_show_survives_leaving_some_out():
    found = judged(made([(0, plan()), (2, plan(seeds=ALL[:5]))], by_arm(errors(shift=2))))["better"]
    assert found.verdict == "Supported"
    assert LEFT_OUT in found.badges


def test_seeds_of_another_study_count_as_left_out():
    found = judged(made([(2, plan(seeds=ALL[:4]))], by_arm(errors(shift=2))))["better"]
    assert LEFT_OUT in found.badges
    assert "first planned on 2026-11-01 14:00 UTC, when its results were on record" in found.sentence


def test_seeds_that_one_arm_alone_has_are_not_left_out():
    whole = made([(0, plan(seeds=ALL[:4]))], by_arm(errors(shift=2)))
    lone = tuple(each for each in whole.history.left_out if "original" in each.arm)
    found = judged(replace(whole, history=replace(whole.history, left_out=lone)))["better"]
    assert found.changes == ()


DRAWN = 14  # draws of no difference in which such seeds speak for one


def chosen_by_one_arm(shift=0.0, kept=5, seen_at=-1.0, fail=False):
    """The best seeds of `original`, which alone had results of all 12 when they were chosen, and the other arms."""
    results = errors(shift=shift, seed=DRAWN)
    chosen = tuple(sorted(sorted(ALL, key=lambda seed: results["original"][seed])[:kept]))
    whole = made([(0, plan(seeds=chosen))], by_arm(results))
    if fail:
        results["original"][next(seed for seed in ALL if seed not in chosen)] = 90.0
        whole = made([(0, plan(seeds=chosen))], by_arm(results))
    trials = tuple(
        replace(each, finished_at=hours(seen_at)) if "original" in each.arm else each for each in whole.trials
    )
    lone = tuple(replace(each, finished_at=hours(seen_at)) for each in whole.history.left_out if "original" in each.arm)
    return replace(whole, trials=trials, history=replace(whole.history, left_out=lone))


WORSE = {"id": "better", "says": "preact > original"}


def of_claim(whole, claim):
    return judged(replace(whole, settings={**whole.settings, "claims": [claim]}))["better"]


def test_seeds_chosen_by_the_results_of_one_arm_alone_win_nothing():
    found = of_claim(chosen_by_one_arm(), WORSE)
    assert found.contexts[0].p_support < 0.025  # by themselves they would decide
    assert (found.verdict, LEFT_OUT in found.badges) == ("Inconclusive", True)
    assert (
        "Results of 7 further seeds of variant=original depth=8 were known when the seeds were fixed" in found.sentence
    )
    assert found.registration.seeds_left_out == tuple(
        seed for seed in ALL if seed not in {trial.seed for trial in chosen_by_one_arm().trials}
    )


def test_an_effect_that_all_seeds_of_each_arm_show_survives_seeds_of_one_arm_alone():
    found = of_claim(chosen_by_one_arm(shift=1.5), CLAIM)
    assert (found.verdict, found.changes, LEFT_OUT in found.badges) == ("Supported", (), True)
    held = found.p_look
    assert held >= found.p


def test_seeds_of_one_arm_alone_that_end_later_have_chosen_nothing():
    whole = chosen_by_one_arm(seen_at=0.5)
    assert of_claim(whole, WORSE).registration.alone == {}
    assert of_claim(whole, WORSE).verdict == "Supported"


def test_fresh_seeds_for_all_arms_are_chosen_by_nothing():
    whole = made([(0, plan(seeds=ALL[7:]))], by_arm(errors(shift=1)))
    lone = tuple(replace(each, finished_at=hours(-1)) for each in whole.history.left_out if "original" in each.arm)
    found = judged(replace(whole, history=replace(whole.history, left_out=lone)))["better"]
    assert (found.verdict, found.registration.alone) == ("Supported", {})


def test_where_an_arm_fails_seeds_chosen_by_it_decide_nothing():
    whole = chosen_by_one_arm(fail=True)
    assert of_claim(whole, WORSE).p_look == 1


def test_deleting_the_other_seeds_of_the_one_arm_hides_no_choice():
    whole = chosen_by_one_arm()
    gone = tuple(DeletedOutcome("original-8", each.seed, hours(-1)) for each in whole.history.left_out)
    found = of_claim(replace(whole, history=replace(whole.history, left_out=(), deleted=gone)), WORSE)
    assert found.verdict == "Inconclusive"
    assert "5 of 12 seeds with results can be kept in 792 ways" in found.sentence


def without_depth_14(shift_at_14):
    """The study whose plan had two depths, of which the second was dropped when both had results."""
    results = {**by_arm(errors(shift=1), (8,)), **by_arm(errors(shift=shift_at_14), (14,))}
    whole = made([(0, plan(depths=(8, 14))), (2, plan(depths=(8,)))], results)
    gone = made([(0, plan(depths=(8, 14)))], results)
    orphans = [replace(arm, orphaned=True) for arm in gone.arms if arm.levels["depth"] == 14]
    names = {arm.name for arm in orphans}
    return replace(
        whole,
        arms=(*whole.arms, *orphans),
        trials=(*whole.trials, *(each for each in gone.trials if each.arm in names)),
    )


@pytest.mark.parametrize(("shift", "verdict"), [(-1, "Inconclusive"), (0, "Inconclusive"), (2, "Supported")])
def test_a_claim_whose_context_was_dropped_is_judged_with_it_too(shift, verdict):
    found = judged(without_depth_14(shift))["better"]
    assert found.verdict == verdict
    assert POST_HOC in found.badges
    assert "1 comparison dropped on 2026-11-01 14:00 UTC" in found.sentence
    assert "With the comparisons that were planned, at depth " in found.sentence
    assert found.estimate == pytest.approx(1, abs=0.3)  # what is asked for now is shown as it is


def test_a_context_that_was_dropped_before_it_had_a_result_holds_nothing_back():
    whole = without_depth_14(-1)
    left = tuple(each for each in whole.trials if "depth=14" not in each.arm)
    found = judged(replace(whole, trials=left))["better"]
    assert (found.verdict, found.registration.as_planned) == ("Supported", None)
    assert POST_HOC in found.badges


def with_renamed_depths(names, says="effect(preact, original) increases with depth"):
    """A trend over three depths whose levels were called otherwise after the results; only the last one differs."""
    claim = {"id": "better", "says": says}
    results = {}
    for depth, shift in ((8, 0), (14, 0), (32, 1)):
        results |= by_arm(errors(shift=shift, seed=depth), (depth,))
    first = plan(depths=(8, 14, 32), claims=(claim,))
    renamed = {arm: {**levels, "depth": names[levels["depth"]]} for arm, levels in first["arms"].items()}
    factors = {**first["factors"], "depth": list(names.values())}
    whole = made([(0, first), (2, first)], results)
    (planned, now) = whole.history.versions
    arms = tuple(
        replace(arm, name=arm.name.replace(f"={arm.levels['depth']}", f"={renamed[arm.hash]['depth']}"),
                levels=renamed[arm.hash])
        for arm in whole.arms
    )  # fmt: skip
    names_of = {old.name: new.name for old, new in zip(whole.arms, arms, strict=True)}
    trials = tuple(replace(each, arm=names_of[each.arm]) for each in whole.trials)
    versions = (planned, replace(now, plan={**first, "arms": renamed, "factors": factors}))
    history = replace(whole.history, versions=versions)
    factors = {name: tuple(levels) for name, levels in factors.items()}
    return replace(whole, arms=arms, trials=trials, history=history, factors=factors)


def test_a_trend_whose_levels_were_renamed_is_held_against_the_planned_ones():
    straight = judged(with_renamed_depths({8: 8, 14: 14, 32: 32}))["better"]
    assert (straight.verdict, straight.changes) == ("Supported", ())
    bent = judged(with_renamed_depths({8: 8, 14: 40, 32: 32}))["better"]
    assert POST_HOC in bent.badges
    assert "1 comparison of levels that were renamed on 2026-11-01 14:00 UTC" in bent.sentence
    assert "With the comparisons that were planned, " in bent.sentence


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


def test_results_that_were_deleted_have_been_seen():
    whole = made([(2, plan(seeds=ALL[:5]))], by_arm(errors(seeds=ALL[:5], shift=1)))
    trials = tuple(replace(each, finished_at=hours(3)) for each in whole.trials)
    assert judged(replace(whole, trials=trials))["better"].changes == ()
    gone = tuple(DeletedOutcome(f"{level}-8", seed, hours(1)) for level in LEVELS for seed in ALL)
    seen = replace(whole, trials=trials, history=replace(whole.history, deleted=gone))
    (known, deleted, chosen) = judged(seen)["better"].changes
    assert known.startswith("first planned")
    assert deleted == "7 seeds of these arms had results, now deleted"
    assert chosen.startswith("5 of 12 seeds with results can be kept in 792 ways")


def test_a_level_is_shared_among_no_more_choices_than_numbers_can_tell():
    whole = made([(0, plan(seeds=ALL))], by_arm(errors(shift=1)))
    gone = tuple(DeletedOutcome(f"{level}-8", seed, hours(1)) for level in LEVELS for seed in range(1000, 1500))
    (_, chosen) = judged(replace(whole, history=replace(whole.history, deleted=gone)))["better"].changes
    assert chosen.startswith("12 of 512 seeds with results can be kept in at least 1,000,000,000,000 ways")


def test_deleting_one_arm_of_a_seed_is_deleting_its_comparison():
    whole = made([(0, plan(seeds=ALL[:5]))], by_arm(errors(shift=1)))
    kept = tuple(each for each in whole.history.left_out if "preact" not in each.arm)
    gone = tuple(DeletedOutcome("preact-8", seed, hours(1)) for seed in ALL[5:])
    found = judged(replace(whole, history=replace(whole.history, left_out=kept, deleted=gone)))["better"]
    assert found.changes == (
        "7 seeds of these arms had results, now deleted",
        "5 of 12 seeds with results can be kept in 792 ways, and the level is shared among these",
    )


def test_what_the_planned_seeds_decided_stays_when_seeds_are_grown():
    found = judged(made([(0, plan(seeds=ALL[:5])), (2, plan(seeds=ALL))], by_arm(errors(shift=2))))["better"]
    assert (found.verdict, found.n) == ("Supported", 5)
    assert "with the seeds added since" in found.sentence


def test_fresh_seeds_in_the_place_of_seen_ones_are_grown_and_leave_out():
    found = judged(made([(0, plan(seeds=ALL[:4])), (2, plan(seeds=ALL[4:]))], by_arm(errors())))["better"]
    assert {UNPLANNED, LEFT_OUT} <= set(found.badges)
    assert found.verdict == "Inconclusive"


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


def test_dropped_seeds_whose_results_were_deleted_are_still_said():
    whole = made([(0, plan()), (2, plan(seeds=ALL[:5]))], by_arm(errors(ALL[:5], shift=2)))
    assert "7 planned seeds are no longer asked for" in judged(whole)["better"].sentence


def test_what_two_versions_of_a_plan_fix_differently():
    first, last = (PlanVersion(at, hours(at), each) for at, each in enumerate((plan(), plan(alpha=0.1, seeds=(0, 1)))))
    assert plan_differences(first, last) == ("seeds", "alpha")
    assert plan_differences(first, first) == ()


def test_the_plan_of_a_copy_that_was_merged_changes_nothing_while_another_is_in_force():
    plans = [(0.5, plan()), (0, plan(alpha=0.3)), (2, plan())]
    found = judged(made(plans, by_arm(errors(shift=1))))["better"]
    assert (found.verdict, found.changes, found.post_hoc) == ("Supported", (), None)


# A claim about what a probe measures.

PROBED = {"id": "deep", "says": "preact < original", "metric": "lesion.one_unit"}


def probed(plans, results, moment, seeds=None, left=True):
    """The study of the last of `plans`, every network measured at hour `moment`; the number is its error."""
    whole = made(plans, results, seeds)
    numbers = {each.id: each.test_error for each in (*whole.trials, *whole.history.left_out)}
    found = {
        trial: Measurement(trial, "lesion", {"scalars": {"one_unit": number}}) for trial, number in numbers.items()
    }
    measured = {"lesion": dict.fromkeys(numbers, hours(moment))}
    asked = {each.id for each in whole.trials}
    history = replace(
        whole.history,
        measured=measured if left else {"lesion": {trial: hours(moment) for trial in asked}},
        measurements=tuple(each for trial, each in found.items() if trial not in asked and left),
    )
    return replace(whole, measurements=tuple(each for trial, each in found.items() if trial in asked), history=history)


def test_a_claim_about_a_probe_is_declared_in_advance_until_the_probe_measures():
    plans = [(0, plan(claims=())), (2, plan(claims=(PROBED,)))]
    found = judged(probed(plans, by_arm(errors(shift=1)), moment=3))["deep"]
    assert (found.verdict, found.changes, found.post_hoc) == ("Supported", (), None)
    after = judged(probed(plans, by_arm(errors(shift=1)), moment=1.5))["deep"]
    assert after.post_hoc.startswith("added on 2026-11-01 14:00 UTC")


def test_a_claim_that_turns_to_a_probe_once_the_errors_are_known_is_changed():
    errors_first = PROBED | {"metric": "test_error"}
    plans = [(0, plan(claims=(errors_first,))), (2, plan(claims=(PROBED,)))]
    found = judged(probed(plans, by_arm(errors(shift=1)), moment=3))["deep"]
    assert POST_HOC in found.badges
    assert any(each.startswith("changed from says: preact < original, metric: test_error") for each in found.changes)


def test_seeds_that_a_probe_has_measured_are_left_out_by_name_and_others_are_not():
    results = errors()
    ranked = sorted(ALL, key=lambda seed: results["preact"][seed] - results["original"][seed])
    chosen = tuple(sorted(ranked[:5]))
    plans = [(0, plan(claims=(PROBED,))), (4, plan(claims=(PROBED,), seeds=chosen))]
    found = judged(probed(plans, by_arm(results), moment=3))["deep"]
    assert found.contexts[0].p_support < 0.025  # by themselves they would decide
    assert found.verdict == "Inconclusive"
    assert LEFT_OUT in found.badges
    unseen = judged(probed(plans, by_arm(results), moment=5, left=False))["deep"]
    assert LEFT_OUT not in unseen.badges


def test_networks_that_the_probe_has_not_seen_are_counted_as_missing():
    whole = probed([(0, plan(claims=(PROBED,)))], by_arm(errors(shift=1)), moment=3)
    found = judged(whole)["deep"]
    assert (UNMEASURED in found.badges, found.missing) == (False, {})
    part = judged(replace(whole, measurements=whole.measurements[2:]))["deep"]
    assert UNMEASURED in part.badges
    assert set(part.missing.values()) == {"not measured"}
    pairs = {"probe": {"needs_partner": True}}
    of_pairs = tuple(replace(each, values={**each.values, **pairs}) for each in whole.measurements[2:])
    assert UNMEASURED not in judged(replace(whole, measurements=of_pairs))["deep"].badges


def planned_in_several(*sizes, seeds, claims=(CLAIM,), at=0.0, **more):
    """The study with `seeds`; others of these sizes were to ask the same, each planned `at` that hour."""
    results = by_arm(errors(shift=0.105))
    elsewhere = [PlanVersion(1, hours(at), plan(claims=claims, seeds=ALL[:size], **more), str(size)) for size in sizes]
    return judged(made([(0, plan(seeds=ALL[:seeds]))], results, elsewhere=elsewhere))["better"]


def test_studies_of_several_sizes_that_were_planned_in_advance_share_the_level():
    alone, shared = planned_in_several(seeds=12), planned_in_several(3, 6, seeds=12)
    assert (SHARED in alone.badges, SHARED in shared.badges) == (False, True)
    assert shared.p_look == pytest.approx(3 * alone.p_look)
    assert (alone.verdict, shared.verdict) == ("Supported", "Inconclusive")
    assert "in 3 ways, with other seeds, looks or tests, before the first result: each has 1.67" in shared.sentence
    assert (shared.level, shared.post_hoc) == (pytest.approx(1 - 0.05 / 3), None)


@pytest.mark.parametrize(
    "other",
    [
        {"claims": [{"id": "x", "says": "scaled < original"}]},  # about other arms
        {"claims": [CLAIM | {"metric": "train_error"}]},
        {"claims": [{"id": "better", "says": "preact == original", "within": 1}]},
        {"data": ["other"]},
        {"data": ["another"]},  # before "d" in the alphabet
        {"at": 2},  # after the first result: it is held against its own plan, which was later
    ],
)
def test_what_asks_something_else_or_was_planned_later_takes_no_part_of_the_level(other):
    found = planned_in_several(3, 6, seeds=12, **other)
    assert (found.verdict, SHARED in found.badges) == ("Supported", False)


def test_another_margin_is_the_same_question_and_the_same_seeds_are_no_further_plan():
    assert SHARED in planned_in_several(6, seeds=12, claims=[CLAIM | {"by": 0.01}]).badges
    assert SHARED not in planned_in_several(12, seeds=12).badges


@pytest.mark.parametrize("says", ["original > preact", "preact > original", "original < preact"])
def test_a_claim_turned_round_is_the_same_question(says):
    assert SHARED in planned_in_several(6, seeds=12, claims=[{"id": "x", "says": says}]).badges


def test_the_chance_that_the_next_look_decides_is_that_at_the_part_of_the_level():
    plans, results = [(0, plan(seeds=ALL[:5], looks=[5, 12]))], by_arm(errors(ALL[:5], shift=0.1))
    others = [PlanVersion(1, hours(0), plan(seeds=ALL[:size]), str(size)) for size in (6, 8)]
    claims = parse_claims([CLAIM], {"variant": LEVELS, "depth": (8,)})
    whole = AnalysisSettings(looks=(5, 12))
    (alone,) = next_block(made(plans, results), claims, whole).blocks
    (part,) = next_block(made(plans, results), claims, replace(whole, alpha=0.05 / 3)).blocks
    (shared,) = next_block(made(plans, results, elsewhere=others), claims, whole).blocks
    assert shared.probability == part.probability < alone.probability


def test_only_the_last_plan_of_another_study_before_the_first_result_counts():
    versions = [PlanVersion(at + 1, hours(at / 10), plan(seeds=ALL[: 3 + at]), str(at)) for at in range(5)]
    found = judged(made([(0, plan())], by_arm(errors(shift=0.25)), elsewhere=versions))["better"]
    assert found.registration.plans == 2


def test_the_lucky_one_of_three_planned_sizes_is_decided_in_at_most_five_per_cent():
    """Nothing differs; whoever trains the smallest first may stop at the first verdict."""
    rng = np.random.default_rng(5)
    sizes, every, naive, studies = (5, 8, 12), 0, 0, 200
    plans = {n: PlanVersion(1, hours(0), plan(seeds=ALL[:n]), str(n)) for n in sizes}
    claims = parse_claims([CLAIM], {"variant": LEVELS, "depth": (8,)})
    for _ in range(studies):
        results = by_arm({level: dict(enumerate(6 + rng.normal(0, 0.2, 12))) for level in LEVELS})
        found = []
        for size in sizes:
            others = [plans[n] for n in sizes if n != size]
            whole = made([(0, plan(seeds=ALL[:size]))], results, elsewhere=others)
            # Of the seeds of larger studies none is on record yet.
            whole = replace(whole, history=replace(whole.history, left_out=()))
            found += decide(whole, claims, AnalysisSettings())
        every += any(each.outcome != "Inconclusive" for each in found)
        naive += any(each.judged.p / 3 <= 0.05 for each in found)
    assert every / studies < 0.05 + 3 * (0.05 * 0.95 / studies) ** 0.5 < 0.1
    assert naive > 1.5 * every


@pytest.mark.parametrize(("count", "verdict", "unplanned"), [(8, "Inconclusive", True), (5, "Supported", False)])
def test_looks_at_fewer_seeds_than_were_planned_without_any_are_judged_by_the_e_value(count, verdict, unplanned):
    planned = ALL[:count]
    plans = [(0, plan(seeds=planned)), (2, plan(seeds=ALL[:5], looks=[3, 5]))]
    found = judged(made(plans, by_arm(errors(planned, shift=0.35))), looks=(3, 5))["better"]
    assert (found.verdict, UNPLANNED in found.badges) == (verdict, unplanned)


def test_studies_that_ask_the_same_by_different_tests_share_the_level():
    alone, shared = planned_in_several(seeds=12), planned_in_several(12, seeds=12, test="welch")
    assert (SHARED in alone.badges, SHARED in shared.badges) == (False, True)
    assert shared.p_look == pytest.approx(2 * alone.p_look)
    by_claim = planned_in_several(12, seeds=12, claims=[CLAIM | {"test": "sign"}])
    assert by_claim.p_look == pytest.approx(2 * alone.p_look)
    assert SHARED not in planned_in_several(12, seeds=12).badges


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
