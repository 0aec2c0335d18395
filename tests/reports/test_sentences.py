"""Every sentence of the page, by name: it appears in a study where it is true and not in one where it is not.

The last test holds the headline to its error rate: of studies whose arms are all alike, at most 5 % may be told of a
difference.
"""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.findings import Findings, find
from reports.sentences import SENTENCES
from reports.sentences.headline import headline
from tests.reports import searches, studies
from tests.reports.small import WAITING, found, near

LESS, MORE = (3.0, 3.11, 3.2), (6.0, 6.1, 6.21)
FIVE = {"a": (*MORE, 6.05, 6.15), "b": (*LESS, 3.05, 3.12)}
OPEN = {"a": (4.0, 6.0, 5.0, 5.2, 4.9), "b": (5.5, 4.4, 5.6, 4.8, 5.1)}
NOISY, OTHER = (4.0, 6.0, 5.0), (5.5, 4.4, 5.6)


def variants(**errors) -> Findings:
    return found(("variant",), {(name,): by_seed for name, by_seed in errors.items()}, baseline={"variant": "a"})


def declared(*says: str, errors=None, seeds=None) -> Findings:
    plain = variants(**(errors or FIVE)).study
    claims = [{"id": f"c{at}", "says": each} for at, each in enumerate(says)]
    settings = {**plain.settings, "claims": claims, **({"seeds": seeds} if seeds else {})}
    whole = replace(plain, settings=settings)
    return find(whole, judge(whole, parse_claims(claims, whole.factors)))


def unconfirmed() -> Findings:
    whole = searches.searched()
    return find(replace(whole, arms=tuple(arm for arm in whole.arms if arm.levels["stage"] == "search"), trials=()))


def grid(*seeds: float) -> Findings:
    errors = {
        (depth, name): tuple(depth / 4 + at + seed for seed in seeds)
        for depth in (8, 14)
        for at, name in enumerate("abc")
    }
    return found(("depth", "variant"), errors)


def orphaned() -> Findings:
    whole = studies.degradation()
    return find(replace(whole, arms=(replace(whole.arms[0], orphaned=True), *whole.arms[1:])))


def unsized() -> Findings:
    whole = studies.degradation()
    return find(replace(whole, arms=tuple(replace(arm, flops=None) for arm in whole.arms)))


def waiting() -> Findings:
    return variants(a=(WAITING,), b=(WAITING,))


TRUE_AND_FALSE: dict[str, tuple[Callable[[], Findings], str, Callable[[], Findings]]] = {
    "claims": (lambda: declared("b < a", "b > a"), "Of 2 declared claims, 1 is supported and 1 is refuted.", grid),
    "no_result": (waiting, "No trial has a result yet.", lambda: variants(a=(3.0,))),
    "unconfirmed": (unconfirmed, "no arm is confirmed on the test set", lambda: find(searches.searched())),
    "only_arm": (
        lambda: variants(a=near(3)),
        "The only arm has a test error of 3.00 ± 0.10 % (n=3).",
        lambda: variants(a=(None, 3.0)),
    ),
    "better": (lambda: variants(a=MORE, b=LESS), "b has less error: −3.00", lambda: variants(a=NOISY, b=OTHER)),
    "worse": (lambda: variants(a=LESS, b=MORE), "b has more error: +3.00", lambda: variants(a=NOISY, b=OTHER)),
    "none_clear": (lambda: variants(a=NOISY, b=OTHER), "No difference", lambda: variants(a=MORE, b=LESS)),
    "lowest": (lambda: variants(a=MORE, b=LESS), "is that of b, 3.10", lambda: variants(a=MORE, b=(1.0, 1.1, None))),
    "one_seed": (
        lambda: variants(a=(3.0,), b=(4.0,)),
        "cannot be told what is chance",
        lambda: variants(a=MORE, b=LESS),
    ),
    "few_seeds": (
        lambda: variants(a=MORE, b=LESS),
        "no arm has rare outliers, which 3 seeds would not show",
        lambda: variants(**FIVE),
    ),
    "fails": (lambda: variants(a=MORE, b=(None, 2.0)), "b fails in 1 of 2 seeds", lambda: variants(a=MORE, b=LESS)),
    "statistics.one_seed": (
        lambda: variants(a=(3.0,), b=(4.0,)),
        "no interval or test",
        lambda: variants(a=MORE, b=LESS),
    ),
    "mean_and_spread": (lambda: variants(a=MORE, b=LESS), "± one standard", lambda: variants(a=(3.0,), b=(4.0,))),
    "survivors": (
        lambda: variants(a=MORE, b=(None, 2.0)),
        "leaves out the worst",
        lambda: variants(a=MORE, b=(None, None)),
    ),
    "every_seed_failed": (lambda: variants(a=(None, None)), "Every seed failed", lambda: variants(a=(None, 3.0))),
    "tests": (
        lambda: variants(a=MORE, b=LESS, c=NOISY),
        "covers all 2 comparisons",
        lambda: variants(a=(3.0,), b=(4.0,)),
    ),
    "outliers": (
        lambda: declared("b < a"),
        "with 5 seeds one study in twenty shows none even where 45 % of an arm's trainings are outliers",
        lambda: variants(a=MORE, b=(None, 2.0, 3.0)),
    ),
    "skewed": (
        lambda: variants(**dict.fromkeys("abc", (3.0, 3.1, 2.9, 3.05, 2.95, 3.0, 3.02, 9.0))),
        "skewed (mean skewness 2.82 over 3 arms",
        lambda: variants(**dict.fromkeys("abc", (3.0, 3.1, 2.9, 3.05, 2.95, 3.0, 3.02, 3.15))),
    ),
    "sign_test": (lambda: variants(a=MORE, b=(None, 2.0, 3.0)), "a p below 0.2500", lambda: variants(a=MORE, b=LESS)),
    "seeds_saved": (
        lambda: declared("b < a", seeds={"looks": [5, 8]}),
        "10 trials instead of 16, 6 saved",
        lambda: declared("b < a", errors=OPEN, seeds={"looks": [5, 8]}),
    ),
    "seeds_so_far": (
        lambda: declared("b < a", errors=OPEN, seeds={"looks": [5, 8]}),
        "so far 10 of at most 16 trials are planned, and 1 claim is undecided",
        lambda: declared("b < a", seeds={"looks": [5, 8]}),
    ),
    "table.no_result": (waiting, "No trial has a result yet", lambda: variants(a=(3.0,))),
    "table.one_seed": (lambda: variants(a=(3.0,), b=(4.0,)), "no spread", lambda: variants(a=MORE)),
    "table.mean_and_spread": (lambda: variants(a=MORE), "1 SD over the seeds (n=3", lambda: variants(a=(3.0,))),
    "table.every_seed_failed": (lambda: variants(a=(None, None)), "no arm has a mean", lambda: variants(a=(None, 3.0))),
    "table.difference": (
        lambda: variants(a=MORE, b=LESS),
        "Δ is the difference",
        lambda: variants(a=MORE, b=(None, 2.0)),
    ),
    "table.bold_rule": (lambda: variants(a=MORE, b=LESS), "Bold: the lowest", lambda: variants(a=MORE, b=(3.0,))),
    "table.undecided": (lambda: variants(a=NOISY, b=OTHER), "The other arm cannot", lambda: variants(a=MORE, b=LESS)),
    "table.equivalent": (
        lambda: variants(a=(5.0, 5.2, 5.1), b=(5.02, 5.21, 5.13)),
        "within 0.5 points",
        lambda: variants(a=NOISY, b=OTHER),
    ),
    "table.fail_rule": (lambda: variants(a=MORE, b=(None, 2.0)), "k of n seeds", lambda: variants(a=MORE, b=LESS)),
    "table.flops": (lambda: variants(a=MORE), "multiply-adds", lambda: unsized()),
    "table.orphans": (orphaned, "1 arm no longer in the study file", lambda: variants(a=MORE)),
}


def test_every_sentence_is_held_against_a_study():
    assert set(TRUE_AND_FALSE) == set(SENTENCES)


@pytest.mark.parametrize("name", TRUE_AND_FALSE)
def test_it_is_said_where_it_is_true_and_nowhere_else(name):
    is_true, words, is_false = TRUE_AND_FALSE[name]
    assert words in (SENTENCES[name](is_true()) or "")
    assert SENTENCES[name](is_false()) is None


def test_where_no_difference_is_named_few_seeds_assume_nothing():
    assert SENTENCES["few_seeds"](variants(a=NOISY, b=OTHER)) is None


def test_declared_claims_come_first_and_no_other_difference_is_judged_beside_them():
    said = headline(declared("b < a"))
    assert said[0] == "The declared claim is supported."
    assert not any("less error" in each for each in said)


def test_an_analysis_of_variance_on_one_seed_says_where_its_error_comes_from():
    errors = {(depth, name): (depth / 4 + 2 * (name == "b") + depth % 5 / 9,) for depth in (8, 14, 20) for name in "ab"}
    errors[8, "a"] = (2.4,)
    text = SENTENCES["statistics.one_seed"](found(("depth", "variant"), errors))
    assert "takes the highest interaction of the factors for its error" in text


def null_study(chance: random.Random, arms: int, seeds: int) -> Findings:
    errors = {(f"v{at:02}",): tuple(chance.gauss(5, 0.5) for _ in range(seeds)) for at in range(arms)}
    return found(("variant",), errors, baseline={"variant": "v00"})


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("arms", "seeds", "studies_made"), [(3, 3, 1000), (9, 5, 500), (25, 3, 240)])
def test_of_null_studies_at_most_one_in_twenty_is_told_of_a_difference(arms, seeds, studies_made):
    """Neither a difference to the baseline, nor an arm apart from the lowest."""
    chance, different, apart = random.Random(f"{arms}/{seeds}"), 0, 0
    for _ in range(studies_made):
        findings = null_study(chance, arms, seeds)
        different += bool(SENTENCES["better"](findings) or SENTENCES["worse"](findings))
        text = SENTENCES["lowest"](findings) or ""
        apart += f"; {arms - 1} of the other {arms - 1} cannot be told apart" not in text
    # Three standard errors of a rate of 5 % above it.
    assert max(different, apart) / studies_made <= 0.05 + 3 * (0.05 * 0.95 / studies_made) ** 0.5


def test_no_difference_is_said_to_be_detected_that_errors_cannot_have():
    chance = random.Random(1)
    errors = {(f"v{at:02}",): (chance.gauss(30, 20), chance.gauss(60, 20)) for at in range(30)}
    text = SENTENCES["none_clear"](found(("variant",), errors, baseline={"variant": "v00"}, fail_above=None))
    assert "with 80 % power these seeds detect none below 100 points" in text


def test_a_claim_whose_first_look_is_incomplete_is_not_judged_yet_and_not_left_open():
    (none,) = declared("b < a", errors={"a": (5.0, WAITING, WAITING), "b": (WAITING,) * 3}).verdicts
    assert (none.word, none.verdict.value) == ("Not judged yet", "Inconclusive")
    begun = declared("b < a", "b > a", errors={"a": (*MORE[:2], WAITING), "b": (*LESS[:2], WAITING)})
    assert SENTENCES["claims"](begun) == "Neither of the 2 declared claims is judged yet."


def test_claims_with_one_verdict_are_named_together():
    assert SENTENCES["claims"](declared("b < a", "b < a", "b < a")) == "All 3 declared claims are supported."


def test_a_claim_that_its_first_look_left_open_stays_inconclusive_while_the_second_is_under_way():
    more = {name: (*errors, WAITING, WAITING, WAITING) for name, errors in OPEN.items()}
    (verdict,) = declared("b < a", errors=more, seeds={"looks": [5, 8]}).verdicts
    assert (verdict.word, verdict.waiting) == ("Inconclusive", 6)
