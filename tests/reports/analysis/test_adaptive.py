"""Seeds are spent in whole blocks, only on undecided claims, and without more wrong verdicts than declared."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reports.analysis.adaptive import next_block, saved
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import parse_claims
from reports.analysis.decisions import decide
from reports.analysis.forecast import decision_probabilities
from reports.analysis.verdicts import judge
from reports.trials import State
from tests.reports.analysis.build import study

LOOKS = AnalysisSettings(looks=(3, 5, 8, 12))
RNG = np.random.default_rng(2)


def arms(seconds=3600, **values):
    made = [({"variant": name}, found) for name, found in values.items()]
    return study(made, baseline={"variant": "original"}, seconds=seconds)


def after(made, *claims, settings=LOOKS, **more):
    named = [{"id": str(place), **each} for place, each in enumerate(claims)]
    return next_block(made, parse_claims(named, made.factors), settings, **more)


CLAIM = {"says": "preact < original"}
OPEN = {"preact": [5.0, 5.5, 5.1], "original": [5.4, 5.5, 5.6]}


def test_the_first_block_is_the_first_look_of_every_arm():
    found = after(arms(preact=[], original=[], plain=[]), CLAIM)
    assert [len(block.trials) for block in found.blocks] == [9]
    assert found.blocks[0].priority == math.inf


def test_an_undecided_claim_gets_the_next_seeds_of_its_own_arms():
    found = after(arms(**OPEN, plain=[9.0, 9.1, 9.2]), CLAIM)
    assert [set(block.trials) for block in found.blocks] == [
        {("variant=preact", 3), ("variant=preact", 4), ("variant=original", 3), ("variant=original", 4)}
    ]
    assert found.blocks[0].hours == pytest.approx(4)


def test_a_decided_claim_gets_no_more():
    found = after(arms(preact=[5.0, 5.01, 5.02, 5.0, 5.03], original=[9.0, 9.02, 9.01, 9.0, 9.05]), CLAIM)
    assert found.blocks == ()
    assert found.stopped == {"0": "Supported with 5 seeds"}


def test_a_running_block_is_waited_for():
    running = dict(enumerate(OPEN["preact"])) | {3: State.RUNNING, 4: State.WAITING}
    found = after(arms(preact=running, original=[*OPEN["original"], 5.0, 5.1]), CLAIM)
    assert found.blocks == ()
    assert found.stopped == {}


def test_a_failed_trial_does_not_hold_up_the_next_block():
    found = after(arms(preact={0: 5.0, 1: State.FAILED, 2: 5.4}, original=OPEN["original"]), CLAIM)
    assert found.blocks[0].seeds == 5


def test_the_last_look_ends_it():
    values = [list(6 + RNG.normal(0, 0.3, 12)) for _ in range(2)]
    found = after(arms(preact=values[0], original=values[1]), CLAIM)
    assert found.stopped == {"0": "undecided after 12 seeds"}


def test_a_hopeless_claim_is_given_up():
    base = RNG.normal(0, 1, 8)
    noise = np.array([0.01, -0.01] * 4)
    made = arms(preact=list(6 + base), original=list(6.2 + base + noise))
    found = after(made, CLAIM | {"by": 0.2})
    assert found.blocks == ()
    assert found.stopped["0"].startswith("futile: the probability of a decision by 12 seeds is 0.0")


def test_shared_arms_are_trained_once():
    made = arms(**OPEN, relu=[5.2, 5.6, 5.3])
    found = after(made, CLAIM, {"says": "relu < original"})
    trials = [trial for block in found.blocks for trial in block.trials]
    assert len(trials) == len(set(trials)) == 6


def test_the_block_that_decides_most_per_hour_comes_first():
    made = arms(preact=[5.0, 5.5, 5.1], original=[6.0, 6.1, 6.4], relu=[5.9, 6.2, 6.3])
    found = after(made, {"says": "relu < original"}, CLAIM)
    assert found.blocks[0].claims == ("1",)
    assert found.blocks[0].probability > found.blocks[1].probability


def test_a_claim_among_open_ones_has_the_level_that_holm_leaves_it():
    made = arms(**OPEN, relu=[5.3, 5.6, 5.2])
    (alone,) = after(made, CLAIM).blocks
    among, _ = after(made, CLAIM, {"says": "relu < original"}).blocks
    unadjusted, _ = after(made, CLAIM, {"says": "relu < original"}, settings=replace(LOOKS, family="none")).blocks
    assert among.probability < alone.probability == unadjusted.probability


def test_seeds_of_ones_own_are_used_in_their_order():
    found = after(arms(preact=[], original=[]), CLAIM, seeds=(7, 3, 9, 1, 4, 5, 6, 8, 10, 11, 12, 13))
    assert {seed for _, seed in found.blocks[0].trials} == {7, 3, 9}


def test_without_looks_there_is_nothing_to_add():
    assert after(arms(preact=[], original=[]), CLAIM, settings=AnalysisSettings()).blocks == ()


def test_without_claims_the_first_look_is_the_last():
    assert after(arms(**OPEN)).blocks == ()


def test_what_was_saved():
    found = saved(arms(preact=[5.0, 5.01, 5.02], original=[9.0, 9.02, 9.01]), LOOKS)
    assert (found.trials, found.hours) == (18, 18.0)
    assert saved(arms(**OPEN), AnalysisSettings()) is None


def played(theta, margin, rng):
    """Play one adaptive study to its end through the public functions; return its verdict and its seeds."""
    errors = 10 + rng.normal(size=(2, 12))
    errors[1] -= theta
    claims = parse_claims([{"id": "x", "says": "preact < original", "by": margin}], {"variant": ("original", "preact")})
    n = 0
    while True:
        made = arms(original=list(errors[0, :n]), preact=list(errors[1, :n]))
        coming = next_block(made, claims, LOOKS)
        if not coming.blocks:
            return decide(made, claims, LOOKS)[0].outcome, n
        n = coming.blocks[0].seeds


@pytest.mark.parametrize("seeds", [3, 5, 8, 12])
def test_the_seeds_stop_where_the_verdict_is_and_with_its_number_of_seeds(seeds):
    rng = np.random.default_rng(6)
    for effect in (0.0, 1.0, 3.0):
        errors = 10 + rng.normal(size=(2, seeds))
        made = arms(preact=list(errors[0] - effect), original=list(errors[1]))
        (verdict,) = judge(made, parse_claims([{"id": "0", **CLAIM}], made.factors), LOOKS)
        stopped = after(made, CLAIM).stopped.get("0", "")
        look = verdict.decided_at_look
        expected = f"{verdict.verdict} with {LOOKS.looks[look - 1]} seeds" if look else None
        assert stopped == expected if expected else "Supported" not in stopped and "Refuted" not in stopped


@pytest.mark.slow
def test_2000_adaptive_studies_at_the_margin_keep_the_error_rate():
    rng = np.random.default_rng(3)
    found = [played(0.2, 0.2, rng)[0] for _ in range(2000)]
    wrong = sum(verdict != "Inconclusive" for verdict in found) / 2000
    assert wrong <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.slow
def test_adaptive_seeds_keep_the_power_and_save_half_of_the_seeds():
    rng = np.random.default_rng(4)
    found = [played(0.2 + 2 * math.sqrt(2), 0.2, rng) for _ in range(300)]
    assert sum(verdict == "Supported" for verdict, _ in found) >= 297
    assert np.mean([n for _, n in found]) < 7


@pytest.mark.parametrize(("effect", "n"), [(0.0, 5), (0.5, 5), (1.0, 8), (1.0, 12)])
def test_the_chance_of_a_decision_is_that_of_studies_played_on(effect, n):
    """Draw mean and spread from what three to five seeds leave possible, go on to n seeds, and count."""
    rng = np.random.default_rng(5)
    seen = 5 if n > 5 else 3
    first = effect + np.array([0.9, -1.1, 0.2, 0.4, -0.4])[:seen]
    made = arms(preact=list(6 + 0.0 * first), original=list(6 + first))
    (claim,) = parse_claims([{"id": "x", **CLAIM}], made.factors)
    (verdict,) = judge(made, (claim,))
    support, refute = decision_probabilities(claim, verdict.contexts, n, 0.05)
    mean, sd = first.mean(), first.std(ddof=1)
    t = rng.standard_t(seen - 1, 100_000)
    coming = mean + t * sd * math.sqrt(1 / (n - seen) + 1 / seen)
    final = (seen * mean + (n - seen) * coming) / n
    bound = stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n)
    assert support == pytest.approx(np.mean(final >= bound), abs=0.01)
    assert refute == pytest.approx(np.mean(final <= -bound), abs=0.01)


def test_the_chance_that_an_arm_goes_on_failing_is_the_beta_binomial():
    made = arms(preact=[None] * 3, original=[5.0] * 3)
    (claim,) = parse_claims([{"id": "x", "says": "preact fails"}], made.factors)
    (verdict,) = judge(made, (claim,))
    expected = stats.betabinom.pmf(3, 3, 3.5, 0.5)
    assert decision_probabilities(claim, verdict.contexts, 6, 0.05)[0] == pytest.approx(expected)


@pytest.mark.slow
def test_three_null_claims_with_looks_keep_the_error_rate_of_the_family():
    rng = np.random.default_rng(9)
    wrong = 0
    for _ in range(400):
        seeds = rng.normal(0, 0.2, 12)
        values = {name: list(6 + seeds + rng.normal(0, 0.2, 12)) for name in ("original", "a", "b", "c")}
        claims = [{"id": name, "says": f"{name} < original"} for name in ("a", "b", "c")]
        made = arms(**values)
        decisions = decide(made, parse_claims(claims, made.factors), LOOKS)
        wrong += any(each.outcome != "Inconclusive" for each in decisions)
    assert wrong / 400 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
