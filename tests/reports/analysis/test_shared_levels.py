"""Plans that ask the same before the first result: they share the level, since any of them could be shown."""

from dataclasses import replace

import numpy as np
import pytest

from reports.analysis.adaptive import next_block
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.badges import SHARED
from reports.analysis.claims import parse_claims
from reports.analysis.decisions import decide
from reports.results import PlanVersion
from tests.reports.analysis.registered import ALL, CLAIM, LEVELS, by_arm, errors, hours, judged, made, plan


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


def test_studies_that_ask_the_same_by_different_tests_share_the_level():
    alone, shared = planned_in_several(seeds=12), planned_in_several(12, seeds=12, test="welch")
    assert (SHARED in alone.badges, SHARED in shared.badges) == (False, True)
    assert shared.p_look == pytest.approx(2 * alone.p_look)
    by_claim = planned_in_several(12, seeds=12, claims=[CLAIM | {"test": "sign"}])
    assert by_claim.p_look == pytest.approx(2 * alone.p_look)
    assert SHARED not in planned_in_several(12, seeds=12).badges
