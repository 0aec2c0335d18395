"""Claims about what a probe measures: they are declared in advance until its first measurement."""

from dataclasses import replace

from reports.analysis.badges import LEFT_OUT, POST_HOC, UNMEASURED
from reports.results import Measurement
from tests.reports.analysis.registered import ALL, by_arm, errors, hours, judged, made, plan

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
