"""Every sentence of the page, by name: it appears in a study where it is true and not in one where it is not.

The last test holds the headline to its error rate: of studies whose arms are all alike, at most 5 % may be told of a
difference.
"""

import random
from dataclasses import replace

import pytest

from reports.findings import Findings
from reports.sentences import SENTENCES
from reports.sentences.checklist import checklist
from reports.sentences.headline import headline
from reports.sentences.table import undecided
from tests.reports.pairs import course, figures, methods, results, searches
from tests.reports.pairs.made import FIVE, LESS, MORE, NOISY, OPEN, OTHER, declared, variants
from tests.reports.small import WAITING, found, near

PAIRS = {**results.PAIRS, **methods.PAIRS, **course.PAIRS, **figures.PAIRS, **searches.PAIRS}


def test_every_sentence_is_held_against_a_study():
    assert set(PAIRS) == set(SENTENCES)


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_said_where_it_is_true_and_nowhere_else(name):
    is_true, words, is_false = PAIRS[name]
    assert words in said_of(name, is_true)
    assert words not in said_of(name, is_false)


def said_of(name, made) -> str:
    facts = made()
    return SENTENCES[name](*(facts if isinstance(facts, tuple) else (facts,))) or ""


@pytest.mark.parametrize("name", results.PAIRS)
def test_a_sentence_on_results_is_left_out_whole_where_it_is_not_true(name):
    assert said_of(name, results.PAIRS[name][2]) == ""


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
def test_of_null_studies_at_most_one_in_twenty_is_told_of_any_difference(arms, seeds, studies_made):
    """Neither of one to the baseline nor of an arm apart from the lowest, in the head or below the main table."""
    chance, told = random.Random(f"{arms}/{seeds}"), 0
    for _ in range(studies_made):
        findings = null_study(chance, arms, seeds)
        alike = f"{'either' if arms == 3 else 'one'} of the other {arms - 1}"
        told += bool(
            SENTENCES["better"](findings)
            or SENTENCES["worse"](findings)
            or f"; n{alike} can be told apart" not in (SENTENCES["lowest"](findings) or "")
            or f"N{alike} arms can be told apart" not in (undecided(findings) or "")
        )
    # Three standard errors of a rate of 5 % above it.
    assert told / studies_made <= 0.05 + 3 * (0.05 * 0.95 / studies_made) ** 0.5


def test_the_two_kinds_of_comparison_share_five_per_cent_where_they_are_not_the_same():
    two, three = variants(a=FIVE["a"], b=FIVE["b"]), variants(**FIVE, c=OPEN["a"])
    assert (two.alpha, three.alpha) == (0.05, 0.025)
    assert "95 % interval" in (SENTENCES["better"](two) or "")
    assert "97.5 % interval over both comparisons" in (SENTENCES["better"](three) or "")
    assert "(paired t at 2.5 %, corrected for all pairs)" in (SENTENCES["lowest"](three) or "")
    assert found(("variant",), {("a",): LESS, ("b",): NOISY, ("c",): MORE}).alpha == 0.05  # no baseline


def test_as_many_comparisons_of_each_kind_are_not_yet_the_same_ones():
    by_depth = {(depth, name): NOISY if name == "a" else OTHER for depth in (8, 20) for name in "ab"}
    across, within = (found(("depth", "variant"), by_depth, baseline=each) for each in ({"depth": 8}, {"variant": "a"}))
    failing = variants(a=(None, 5.0, 5.1, 5.2, 5.3, 5.4), **dict.fromkeys("bcd", (5.2, 5.1, 5.4, 5.0, 5.5, 5.2)))
    for each in (across, within, failing):
        assert sum(contrast.p is not None for contrast in each.contrasts.values()) == each.pairs
    assert (across.alpha, within.alpha, failing.alpha) == (0.025, 0.05, 0.025)


def test_no_difference_is_said_to_be_detected_that_errors_cannot_have():
    chance = random.Random(1)
    errors = {(f"v{at:02}",): (chance.gauss(30, 20), chance.gauss(60, 20)) for at in range(30)}
    text = SENTENCES["none_clear"](found(("variant",), errors, baseline={"variant": "v00"}, fail_above=None))
    assert "these seeds are too few to detect any, however large, with 80 % power" in text


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


@pytest.mark.parametrize("name", ["seeds_saved", "seeds_so_far"])
def test_looks_of_a_study_without_claims_saved_nothing_for_one(name):
    assert SENTENCES[name](replace(declared("b < a", seeds={"looks": [5, 8]}), verdicts=())) is None


def test_of_null_grids_no_factor_is_named():
    chance = random.Random(3)
    for _ in range(20):
        errors = {(at, name): tuple(chance.gauss(5, 0.5) for _ in range(3)) for at in (8, 14, 20) for name in "ab"}
        assert SENTENCES["factor"](found(("depth", "variant"), errors)) is None


def test_shares_that_overlap_the_largest_are_named_and_no_others():
    shares = [("unit", 31.3, 24.07, 39.35), ("lr", 26.0, 20.0, 32.0), ("depth", 17.0, 11.2, 22.4)]
    assert SENTENCES["factors.largest_share"](shares) == (
        "The largest share of the variance between arms is that of unit, 31.3 % [24.1, 39.4]; its interval does not "
        "set it apart from that of lr."
    )


def test_seeds_are_added_after_the_looks_before_the_last():
    said = SENTENCES["seeds_saved"](declared("b < a", errors=STILL_OPEN, seeds={"looks": [3, 5, 6]}))
    assert said == "Seeds were added after the looks at 3 and 5 of them: the claims needed all 12 trials."
    one = SENTENCES["seeds_saved"](declared("b < a", errors=STILL_OPEN, seeds={"looks": [6]}))
    assert one == "The claims needed all 12 trials."


STILL_OPEN = {"a": (3.0, 3.4, 2.9, 3.5, 3.1, 3.0), "b": (3.3, 3.0, 3.1, 3.2, 2.9, 3.4)}


def test_each_kind_of_claim_has_its_rule():
    both = SENTENCES["methods.verdict_rule"](declared("b < a", "b fails"))
    assert "lies above its margin for a claim with < or > or a trend, or on its side of the rate for a claim on" in both
    assert "equality" not in both


def test_arms_without_a_run_are_counted_in_the_checklist():
    begun = found(("variant",), {("a",): near(3), ("b",): (WAITING,) * 3, ("c",): (WAITING,) * 3})
    (runs,) = [text for head, text in checklist(begun) if head == "Number of runs"]
    assert runs == "3 for 1 arm and none for 2 arms so far; the seeds 0–2 are planned"


def test_a_difference_counts_as_clear_by_the_p_that_the_tables_have():
    errors = {("a",): (5.0, 5.1, 4.9), ("b",): (3.0, 3.11, 2.89), ("c",): (4.0, 4.12, 3.89), ("d",): (4.6, 4.785, 4.43)}
    findings = found(("variant",), errors, baseline={"variant": "a"})
    clear = sum(each.p_holm <= findings.alpha for each in findings.contrasts.values() if each.p_holm is not None)
    assert clear > sum(each.high is not None and each.high < 0 for each in findings.corrected) > 0
    assert f"; {clear - 1} more arm" in SENTENCES["better"](findings)
