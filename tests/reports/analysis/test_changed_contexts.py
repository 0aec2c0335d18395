"""Contexts of a claim that were dropped or renamed after results existed: the planned comparisons must decide too."""

from dataclasses import replace

import pytest

from reports.analysis.badges import POST_HOC
from tests.reports.analysis.registered import by_arm, errors, judged, made, plan


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
