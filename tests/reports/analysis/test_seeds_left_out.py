"""Seeds with results that a study leaves out or deletes, of all arms or of one: they could have chosen the others."""

from dataclasses import replace

from reports.analysis.badges import FURTHER, LEFT_OUT
from reports.results import DeletedOutcome, PlanVersion
from tests.reports.analysis.registered import ALL, CLAIM, LEVELS, by_arm, errors, hours, judged, made, plan


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


def test_dropped_seeds_whose_results_were_deleted_are_still_said():
    whole = made([(0, plan()), (2, plan(seeds=ALL[:5]))], by_arm(errors(ALL[:5], shift=2)))
    assert "7 planned seeds are no longer asked for" in judged(whole)["better"].sentence
