"""Verdicts on small made-up studies: what decides, what does not, and what the sentence says."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from reports.analysis.badges import DEPENDS, FEW, MISSING, OPEN, SKEWED, UNLIKE, UNPLANNED
from reports.analysis.verdicts import judge
from reports.results import Measurement
from reports.trials import State
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

GOOD = [5.0, 5.2, 5.1, 4.9, 5.05, 5.15, 4.95, 5.0]
BAD = [7.1, 7.0, 7.3, 7.2, 6.9, 7.05, 7.25, 7.1]


def arms(**values):
    return study([({"variant": name}, found) for name, found in values.items()], baseline={"variant": "original"})


def one(made, claim, **settings):
    (found,) = verdicts_of(made, claim, **settings)
    return found


@pytest.mark.parametrize(("n", "verdict"), [(2, "Inconclusive"), (4, "Inconclusive"), (5, "Supported")])
def test_a_clear_difference_is_supported_with_five_seeds(n, verdict):
    found = one(arms(preact=GOOD[:n], original=BAD[:n]), {"says": "preact < original"})
    assert (found.verdict, FEW in found.badges) == (verdict, n < 5)
    if n < 5:
        assert found.p == 2 / 2**n  # the smallest p of the exact sign flips
        assert "below 5 seeds the exact sign flips must agree" in found.sentence


def test_three_seeds_decide_what_no_unseen_outlier_could_undo():
    found = one(arms(shallow=[2.0, 2.1, 2.2], deep=[88.0, 90.0, 89.5]), {"says": "shallow < deep"}, test="welch")
    assert found.verdict == "Inconclusive"  # above fail_above every seed is a fail, and six are needed
    made = study(
        [({"variant": name}, [5.0] * 3) for name in ("shallow", "deep")],
        train={"variant=shallow": {0: 2.0, 1: 2.1, 2: 2.2}, "variant=deep": {0: 88.0, 1: 90.0, 2: 89.5}},
    )
    claim = {"says": "shallow < deep", "metric": "train_error", "by": 10}
    assert (one(made, claim).verdict, one(made, claim).badges) == ("Supported", ())  # three seeds differ so in spread
    # With room for outliers in 63 % of all seeds, the mean of `shallow` could be 64 instead of 2.
    assert one(made, claim | {"by": 30}).verdict == "Inconclusive"


@pytest.mark.parametrize(("seeds", "verdict"), [(4, "Inconclusive"), (5, "Supported")])
def test_an_equality_takes_five_seeds(seeds, verdict):
    found = one(arms(preact=GOOD[:seeds], original=GOOD[-seeds:]), {"says": "preact == original", "within": 1})
    assert (found.verdict, found.forecast.fewest) == (verdict, 5)


def test_an_equality_is_its_left_side_less_its_right():
    found = one(arms(preact=GOOD[:5], original=BAD[:5]), {"says": "preact == original", "within": 1})
    (context,) = found.contexts
    assert found.estimate == pytest.approx(-2.05)
    assert found.low < found.estimate < found.high < 0
    assert context.differences == pytest.approx({seed: GOOD[seed] - BAD[seed] for seed in range(5)})
    turned = one(arms(preact=GOOD[:5], original=BAD[:5]), {"says": "original == preact", "within": 1})
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert (turned.verdict, turned.p) == (found.verdict, pytest.approx(found.p)) == ("Refuted", turned.p)


def test_the_opposite_is_refuted_and_named():
    found = one(arms(preact=GOOD, original=BAD), {"says": "preact > original"})
    assert found.verdict == "Refuted"
    assert "opposite direction" in found.sentence


def test_too_large_a_margin_is_refuted_in_the_claimed_direction():
    found = one(arms(preact=GOOD, original=BAD), {"says": "preact < original", "by": 4})
    assert found.verdict == "Refuted"
    assert "smaller than 4 points, but in the claimed direction" in found.sentence


def test_no_difference_as_large_as_claimed():
    values = [5.1, 5.0, 5.2, 4.9, 5.05, 5.1, 5.0, 4.9]
    found = one(arms(preact=GOOD, original=values), {"says": "preact < original", "by": 1})
    assert found.verdict == "Refuted"
    assert "no difference as large as 1 point." in found.sentence


def test_what_the_seeds_cannot_decide_is_inconclusive_and_says_how_many_seeds_would_do():
    made = arms(preact=[5.0, 5.6, 5.1, 5.2, 5.3], original=[5.3, 5.5, 5.7, 5.2, 5.6])
    found = one(made, {"says": "preact < original"})
    assert found.verdict == "Inconclusive"
    assert found.forecast.needed > 5
    assert f"about {found.forecast.needed} seeds" in found.sentence
    assert "see at 80% power" in found.sentence


def test_the_seeds_needed_are_those_that_reach_the_power():
    rng = np.random.default_rng(0)
    found = one(arms(preact=[5.0, 5.4, 5.3, 5.1], original=[5.3, 5.3, 5.7, 5.2]), {"says": "preact < original"})
    context = found.contexts[0]
    distance = context.estimate / (context.effect.se * math.sqrt(4))
    data = rng.normal(distance, 1, size=(20_000, found.forecast.needed))
    t = data.mean(axis=1) / data.std(axis=1, ddof=1) * math.sqrt(found.forecast.needed)
    assert np.mean(t > stats.t.ppf(0.975, found.forecast.needed - 1)) == pytest.approx(0.8, abs=0.04)


def test_words_never_claim_more_than_the_data():
    for said in ("preact < original", "preact > original", "plain fails", "preact == plain"):
        claim = {"says": said} | ({"within": 1} if "==" in said else {})
        text = one(arms(preact=GOOD[:3], original=BAD[:3], plain=[5.0, 5.4, 5.2]), claim).sentence.lower()
        assert "prove" not in text
        assert "no effect" not in text
        assert "significant" not in text


def test_one_seed_decides_nothing():
    found = one(arms(preact=[5.0], original=[9.0]), {"says": "preact < original"})
    assert (found.verdict, found.low, found.p) == ("Inconclusive", None, 1.0)
    assert "One seed decides nothing" in found.sentence


@pytest.mark.parametrize("values", [[], {0: State.WAITING}, {0: State.FAILED}])
def test_no_result_is_inconclusive(values):
    found = one(arms(preact=values, original=values), {"says": "preact < original"})
    assert (found.verdict, found.n, found.estimate) == ("Inconclusive", 0, None)


def test_all_fail_is_inconclusive():
    found = one(arms(preact=[None] * 5, original=[None] * 5), {"says": "preact < original"})
    assert (found.verdict, found.fails) == ("Inconclusive", 10)


@pytest.mark.parametrize(("n", "verdict"), [(5, "Inconclusive"), (6, "Supported")])
def test_an_arm_that_always_fails_loses_by_the_sign_test_from_six_seeds_on(n, verdict):
    found = one(arms(preact=GOOD[:n], original=[None] * n), {"says": "preact < original", "by": 0.5})
    assert (found.verdict, found.contexts[0].test, found.fails) == (verdict, "sign", n)
    assert found.p == pytest.approx(2 / 2**n)


def test_a_fail_is_judged_by_rank_and_never_averaged_away():
    found = one(arms(preact=GOOD, original=[None, *BAD[1:]]), {"says": "preact < original"})
    assert (found.contexts[0].test, found.fails, found.verdict) == ("sign", 1, "Supported")
    assert found.estimate == pytest.approx(np.median([math.inf, *(np.array(BAD) - np.array(GOOD))[1:]]))


def test_below_the_attainable_p_the_sentence_says_that_no_result_could():
    found = one(arms(preact=GOOD[:4], original=[None] * 4), {"says": "preact < original"})
    assert found.forecast.fewest == 6
    assert "Below 6 seeds no result could" in found.sentence


@pytest.mark.parametrize(
    ("rate", "fails", "verdict"),
    [("> 0.5", 6, "Supported"), ("< 0.5", 0, "Supported"), ("> 0.5", 0, "Refuted"), (">= 0.9", 6, "Inconclusive")],
)
def test_fail_rates(rate, fails, verdict):
    made = arms(plain=[None] * fails + [5.0] * (6 - fails), original=GOOD[:6])
    assert one(made, {"says": "plain fails", "rate": rate}).verdict == verdict


def test_a_test_error_above_the_limit_is_a_fail():
    assert one(arms(plain=[90.0] * 3 + [None] * 3, original=GOOD[:6]), {"says": "plain fails"}).verdict == "Supported"


def test_depth_levels_are_compared_on_the_training_set():
    made = study(
        [({"variant": "plain", "depth": depth}, [90.0] * 3) for depth in (20, 110)],
        train={
            "variant=plain depth=20": {0: 1.0, 1: 2.0, 2: 1.5},
            "variant=plain depth=110": {0: 88.0, 1: 89.0, 2: 87.0},
        },
    )
    claim = {"says": "depth=110 > depth=20", "where": "variant == plain", "metric": "train_error", "by": 10}
    found = one(made, claim)
    assert (found.verdict, found.fails) == ("Supported", 0)
    assert found.estimate == pytest.approx(86.5)


def test_a_claim_about_a_measurement():
    made = arms(shallow=[5.0] * 4, deep=[5.0] * 4)
    found = [
        Measurement(f"variant={arm}/{seed}", "layer_response", {"mean": value + seed * 0.01})
        for arm, value in (("shallow", 0.5), ("deep", 0.2))
        for seed in range(4)
    ]
    made = study([(arm.levels, [5.0] * 4) for arm in made.arms], measurements=found)
    claim = {"says": "deep < shallow", "metric": "layer_response.mean", "by": 0.1}
    with_noise = one(made, claim)
    assert with_noise.estimate == pytest.approx(0.3)


def test_identical_seeds_get_no_test():
    found = one(arms(preact=[5.0] * 8, original=[7.0] * 8), {"says": "preact < original"})
    assert (found.verdict, found.p) == ("Inconclusive", 1.0)
    assert "seed reaches the network" in found.sentence


def test_the_same_difference_in_every_seed_is_judged_by_signs():
    found = one(arms(preact=GOOD, original=[value + 1 for value in GOOD]), {"says": "preact < original"})
    assert (found.contexts[0].test, found.verdict) == ("sign", "Supported")


def test_a_growing_effect():
    made = study(
        [
            ({"variant": "original", "depth": 20}, [5.0, 5.2, 5.1, 4.9, 5.0]),
            ({"variant": "preact", "depth": 20}, [5.1, 5.1, 5.0, 5.0, 5.0]),
            ({"variant": "original", "depth": 110}, [9.0, 9.4, 9.1, 9.2, 9.1]),
            ({"variant": "preact", "depth": 110}, [5.0, 5.1, 5.2, 5.0, 5.0]),
        ]
    )
    claim = {"says": "effect(preact, original) increases with depth"}
    assert one(made, claim).verdict == "Supported"
    assert one(made, {"says": "effect(preact, original) decreases with depth"}).verdict == "Refuted"
    assert one(made, claim).estimate == pytest.approx(4.1)
    assert "least to greatest, the lead of preact over original grows by 4.10 points" in one(made, claim).sentence


def test_a_published_mean_is_compared_by_welch():
    made = arms(original=[6.61, 6.43, 6.78, 6.55, 6.7])
    claim = {"says": "original == 6.61", "within": 0.3, "paper": {"sd": 0.16, "n": 5, "ref": "Table 6"}}
    found = one(made, claim)
    assert (found.verdict, found.contexts[0].test) == ("Supported", "welch")
    assert SKEWED in found.badges


def test_every_needs_each_context_and_any_needs_one():
    made = study(
        [
            ({"variant": "preact", "depth": 20}, GOOD),
            ({"variant": "original", "depth": 20}, GOOD[::-1]),
            ({"variant": "preact", "depth": 110}, GOOD),
            ({"variant": "original", "depth": 110}, BAD),
        ]
    )
    found = one(made, {"says": "preact < original", "by": 0.5})
    assert found.verdict == "Refuted"
    assert dict(found.other_readings) == {"every": "Refuted", "average": "Supported", "any": "Supported"}
    assert "At depth 20" in found.sentence


def test_a_context_that_was_excluded_is_left_out():
    made = study(
        [
            ({"variant": "preact", "depth": 110}, GOOD),
            ({"variant": "original", "depth": 110}, BAD),
            ({"variant": "preact", "depth": 20}, GOOD),
        ]
    )
    found = one(made, {"says": "preact < original"})
    assert [context.settings for context in found.contexts] == ["depth=110"]


def test_holm_holds_back_a_claim_that_alone_would_be_decided():
    made = arms(preact=[5.0, 5.2, 5.1, 5.3, 5.1], original=[5.4, 5.5, 5.3, 5.9, 5.2], plain=[5.2, 5.1, 5.3, 5.0, 5.2])
    first = {"says": "preact < original"}
    others = [{"says": "plain < preact", "by": 0.1}, {"says": "plain == preact", "within": 0.01}]
    alone = one(made, first)
    assert alone.verdict == "Supported"
    found = verdicts_of(made, first, *others)[0]
    assert found.verdict == "Inconclusive"
    assert found.p == alone.p < found.p_holm
    assert "among all claims it is not" in found.sentence
    assert verdicts_of(made, first, *others, family="none")[0].verdict == "Supported"


def test_running_trials_keep_the_one_look_closed():
    found = one(arms(preact={**dict(enumerate(GOOD)), 8: State.RUNNING}, original=BAD), {"says": "preact < original"})
    assert (found.verdict, found.waiting) == ("Inconclusive", 1)
    assert OPEN in found.badges
    assert found.estimate == pytest.approx(np.mean(BAD) - np.mean(GOOD))


def test_failed_trials_are_missing_and_do_not_block():
    found = one(arms(preact={**dict(enumerate(GOOD)), 3: State.FAILED}, original=BAD), {"says": "preact < original"})
    assert (found.verdict, found.n, len(found.missing)) == ("Supported", 7, 1)


def test_a_look_uses_its_seeds_alone():
    made = arms(preact=[5.0, 5.2, 5.1, 99.0], original=[7.0, 7.2, 7.3, 1.0])
    found = one(made, {"says": "preact < original"}, looks=(3, 5))
    assert (found.n, len(found.looks), found.waiting) == (3, 1, 2)


def test_a_claim_decided_at_one_look_stays_decided():
    made = arms(preact=[5.0, 5.02, 5.01, 5.0, 5.03, 8.0, 5.0, 5.0], original=[9.0, 9.02, 9.0, 9.1, 9.05, 5.0, 5.0, 5.0])
    found = one(made, {"says": "preact < original"}, looks=(5, 8))
    assert (found.verdict, found.decided_at_look, len(found.looks)) == ("Supported", 1, 2)


DRIFTING = {
    "good": [5.0, 5.1, 5.2, 5.0, 5.1, 5.2, 5.0, 5.1, 5.0, 5.2, 5.1, 5.0],
    "bad": [7.0, 7.11, 7.22, 7.1, 7.05, 6.0, 5.6, 7.2, 5.0, 6.5, 5.6, 6.0],
    "alike": [5.9, 4.8, 5.9, 4.9, 6.3, 4.8, 5.8, 5.3, 5.6, 4.9, 5.8, 4.8],
}


def test_a_verdict_shows_the_look_that_it_rests_on_and_says_what_later_seeds_give():
    found = one(arms(**DRIFTING), {"says": "good < bad"}, looks=(5, 8, 12))
    assert (found.verdict, found.decided_at_look, found.n) == ("Supported", 1, 5)
    assert found.low > 0
    assert "decided with 5 seeds; with the seeds added since, the effect is" in found.sentence
    assert len(found.trials) == 10


def test_the_look_that_decides_is_the_one_at_which_the_family_does():
    distances = [2 - 0.98, 2, 2 + 0.98, 1.35, 2.65, 2.01, 1.99, 2.0, 2.01, 1.99, 2.0, 2.0]
    bad = [good + distance for good, distance in zip(DRIFTING["good"], distances, strict=True)]
    made = arms(**DRIFTING | {"bad": bad})
    first, second = {"says": "good < bad"}, {"says": "good < alike"}
    assert one(made, first, looks=(5, 8, 12)).decided_at_look == 1
    together, _ = verdicts_of(made, first, second, looks=(5, 8, 12))
    assert (together.verdict, together.decided_at_look) == ("Supported", 2)


def test_without_a_family_no_p_is_said_to_be_holms():
    found = one(arms(**DRIFTING), {"says": "good < bad"}, looks=(5, 8, 12), family="none")
    assert (found.verdict, found.p_holm) == ("Supported", None)


@pytest.mark.parametrize(("seeds", "verdict", "power"), [(3, "Inconclusive", 0.0), (8, "Supported", 1.0)])
def test_arms_alike_in_every_seed_are_told_by_signs_once_there_are_enough(seeds, verdict, power):
    same = [5 + 0.1 * seed for seed in range(seeds)]
    found = one(arms(good=same, bad=same), {"says": "good == bad", "within": 1})
    assert (found.verdict, found.forecast.power, found.forecast.needed) == (verdict, power, 6)


def test_a_refutation_by_fails_says_which_way_it_goes():
    found = one(arms(bad=[None] * 8, good=[5 + 0.1 * seed for seed in range(8)]), {"says": "bad < good"})
    assert found.verdict == "Refuted"
    assert "goes in the opposite direction in 8 of 8 seeds" in found.sentence


def test_where_every_seed_fails_on_both_sides_there_is_no_number():
    found = one(arms(bad=[None] * 4, good=[None] * 4), {"says": "bad < good"})
    assert (found.verdict, found.estimate) == ("Inconclusive", None)


def test_seeds_beyond_the_last_look_are_judged_by_the_e_value():
    rng = np.random.default_rng(3)
    base = rng.normal(size=30)
    made = arms(preact=list(6 + base), original=list(6.6 + rng.normal(size=30)))
    found = one(made, {"says": "preact < original"}, looks=(3, 5))
    assert UNPLANNED in found.badges
    assert found.n == 30


def test_sensitivity_that_flips_is_badged():
    rng = np.random.default_rng(1)
    shared = rng.normal(0, 3, 6)
    made = arms(preact=list(9 + shared), original=list(9.5 + shared + rng.normal(0, 0.1, 6)))
    found = one(made, {"says": "preact < original"})
    assert (found.verdict, found.other_tests["welch"]) == ("Supported", "Inconclusive")
    assert DEPENDS in found.badges


def test_unequal_spreads_are_badged():
    found = one(arms(preact=GOOD[:4], original=[6.0, 9.0, 15.0, 7.0]), {"says": "preact < original"})
    assert UNLIKE in found.badges
    assert SKEWED not in found.badges


def test_the_date_is_that_of_the_last_trial_used():
    made = arms(preact=GOOD[:3], original=BAD[:3])
    assert one(made, {"says": "preact < original"}).decided_at is None
    when = datetime(2026, 11, 2, tzinfo=UTC)
    from dataclasses import replace

    dated = replace(made, trials=tuple(replace(trial, finished_at=when) for trial in made.trials))
    assert one(dated, {"says": "preact < original"}).decided_at == when


def test_judging_twice_gives_the_same():
    made = arms(preact=GOOD, original=BAD)
    claim = {"says": "preact < original"}
    assert one(made, claim) == one(made, claim)


def test_no_claims_no_verdicts():
    assert judge(arms(preact=GOOD, original=BAD), ()) == ()


@pytest.mark.parametrize("test", ["paired", "pooled", "welch", "sign"])
def test_every_declared_test_is_used(test):
    made = arms(preact=GOOD, original=BAD, plain=[8.0, 8.1, 8.3, 7.9, 8.0, 8.2, 8.1, 8.0])
    found = one(made, {"says": "preact < original", "test": test})
    used = "paired" if test == "pooled" else test  # `plain` spreads more than the others
    assert (found.contexts[0].test, found.verdict) == (used, "Supported")


def test_where_one_side_always_fails_the_sentence_counts_seeds():
    found = one(arms(preact=GOOD[:6], original=[None] * 6), {"says": "preact < original"})
    assert "6 of 6 seeds go the claimed way, a fail ranking last (n=6, 6 fails)" in found.sentence


def test_seeds_that_crashed_are_named_in_badge_and_words():
    """Whoever lets the unfavourable seeds crash must not get a verdict without a mark."""
    good, better = {seed: 5 + 0.1 * seed for seed in range(8)}, {seed: 4 + 0.12 * seed for seed in range(8)}
    (whole,) = verdicts_of(arms(a=better, b=good), {"says": "a < b"})
    (part,) = verdicts_of(arms(a={**better, 6: State.FAILED, 7: State.FAILED}, b=good), {"says": "a < b"})
    assert (whole.verdict, MISSING in whole.badges) == ("Supported", False)
    assert (part.verdict, part.n, MISSING in part.badges) == ("Supported", 6, True)
    assert "2 of the trials ended without a result, for reasons taken to have nothing to do with their error." in (
        part.sentence
    )
