"""The headline: which arm has the lowest error, where, and with how many fails."""

import re
from dataclasses import replace

from reports.digest import markdown_digest
from reports.findings import find
from reports.names import arm_names
from reports.sections import header
from reports.sections.header import build
from reports.sentences.headline import headline, lowest
from reports.wording import duration
from tests.reports import searches, small, studies
from tests.reports.pairs.made import declared
from tests.reports.small import CRASHED, WAITING, found, near


def brief(findings):
    return " ".join(build(findings).content.brief)


def test_arms_that_each_have_a_level_of_their_own_are_ranked_together():
    errors = {("a", 0.01): near(3), ("b", 0.05): near(4), ("c", 0.1): near(5)}
    said = brief(found(("variant", "training.lr"), errors))
    assert said.startswith("The lowest mean test error is that of a at training.lr 0.01, 3.00 ± 0.10 % (n=3); ")


def test_the_order_of_the_factors_does_not_matter_to_that():
    errors = {(0.01, "a"): near(3), (0.05, "b"): near(4), (0.1, "c"): near(5)}
    assert "is that of a at training.lr 0.01, 3.00" in brief(found(("training.lr", "variant"), errors))


def test_with_depth_alone_the_headline_names_the_depth():
    said = brief(found(("depth",), {(8,): near(5), (14,): near(4), (20,): near(4.5)}))
    assert said.startswith("The lowest mean test error is that of depth 14, 4.00 ± 0.10 % (n=3); ")


def test_a_level_that_fails_at_the_end_of_the_only_factor_is_named_and_does_not_stand_for_all():
    errors = {(0.1,): near(3), (0.5,): near(6), (1.0,): (4.0, None, None)}
    said = brief(found(("training.lr",), errors, baseline={"training.lr": 0.1}))
    assert "lowest mean test error of the arms without a fail is that of training.lr 0.1" in said
    assert "training.lr 1 fails in 2 of 3 seeds (95 % interval of the rate 9 to 99 %)." in said
    assert "all arms" not in said


def test_a_baseline_that_is_a_number_is_named_with_its_factor():
    said = brief(found(("depth",), {(8,): (5, 5.1, 5.2), (14,): (4, 4.12, 4.21)}, baseline={"depth": 8}))
    assert "Against the baseline (depth 8), depth 14 has less error: −0.99 percentage points (95 % interval" in said


def test_a_grid_is_ranked_at_its_last_level():
    errors = {(depth, name): near(depth / 4 + add) for depth in (8, 14) for name, add in (("a", 0), ("b", 1))}
    said = brief(found(("depth", "variant"), errors))
    assert said.startswith("At depth 14, the lowest mean test error is that of a, 3.50 ± 0.10 % (n=3); ")


def test_a_grid_whose_last_level_has_one_line_is_ranked_as_a_whole():
    errors = {(8, "a"): near(3), (8, "b"): near(4), (14, "a"): near(5), (14, "b"): near(6), (20, "a"): near(7)}
    assert "The lowest mean test error is that of a at depth 8" in brief(found(("depth", "variant"), errors))


def test_a_grid_under_way_is_ranked_at_the_last_level_with_something_to_compare():
    errors = {(depth, name): near(depth / 4) for depth in (8, 14) for name in ("a", "b")}
    errors[14, "b"] = (WAITING,) * 3
    assert brief(found(("depth", "variant"), errors)).startswith("At depth 8, ")


def test_one_factor_at_a_time_is_ranked_as_a_whole():
    errors = {(8, "a"): near(4), (14, "a"): near(5), (20, "a"): near(6), (8, "b"): near(3), (8, "c"): near(7)}
    assert "The lowest mean test error is that of b at depth 8" in brief(found(("depth", "variant"), errors))


def test_the_confirmed_arms_of_a_search_are_ranked_together_under_their_numbers():
    findings = find(searches.searched())
    least = min(findings.summaries.values(), key=lambda each: each.mean)
    assert re.search(rf"is that of #\d+, {least.mean:.2f} ± {least.sd:.2f} % \(n=5\);", brief(findings))
    assert "activation:" not in brief(findings)


def test_names_that_would_be_cut_to_the_same_are_given_in_full():
    long = "x" * 150
    said = brief(found(("variant",), {(long + "a",): near(3), (long + "b",): near(4)}))
    assert f"is that of {long}a, 3.00 ± 0.10 % (n=3)" in said


def test_a_word_that_two_factors_have_is_named_with_its_factor():
    errors = {("on", "on"): near(3), ("on", "off"): near(4), ("off", "on"): near(5)}
    names = arm_names(found(("shift", "scale"), errors))
    assert set(names.values()) == {"shift on, scale on", "shift on, scale off", "shift off, scale on"}


def test_a_study_of_one_arm_has_no_least():
    assert brief(found((), {(): near(3)})) == "The only arm has a test error of 3.00 ± 0.10 % (n=3)."


def test_the_first_arm_with_a_result_is_not_called_the_least():
    said = brief(found(("variant",), {("a",): near(3), ("b",): (WAITING, WAITING, CRASHED)}))
    assert said == "The only arm with a result, a, has a test error of 3.00 ± 0.10 % (n=3)."


SURVIVORS = (4.0, 4.2, 4.4, 4.6, None, None, None)
ONE_FAIL = (7.0, 7.1, 7.2, 7.3, 7.4, 7.5, None)
SOUND = (5.0, 5.1, 5.2, 5.3, 5.4, 5.5, 5.6)


def test_survivors_of_an_arm_with_fails_are_not_ranked_and_their_mean_is_not_told():
    said = brief(found(("variant",), {("good",): SOUND, ("bad",): ONE_FAIL, ("alike",): SURVIVORS}))
    assert said == (
        "Of 3 arms, alike fails in 3 of 7 seeds (95 % interval of the rate 10 to 82 %) and bad fails in 1 of 7 seeds "
        "(95 % interval of the rate 0 to 58 %)."
    )


def test_several_arms_without_a_fail_are_ranked_among_themselves():
    worse = tuple(error + 1 for error in SOUND)
    said = brief(found(("variant",), {("good",): SOUND, ("worse",): worse, ("alike",): SURVIVORS}))
    assert "The lowest mean test error of the arms without a fail is that of good, 5.30 ± 0.22 % (n=7)" in said
    assert "the other arm without a fail has more" in said


def test_a_difference_over_seeds_with_fails_says_how_many():
    sound = tuple(5 + at / 10 for at in range(12))
    other = (None, *(error + 1 + error**2 / 100 for error in sound[1:]))
    said = brief(found(("variant",), {("good",): sound, ("bad",): other}, baseline={"variant": "good"}))
    assert ", n=12, 1 of them with a fail)." in said


def facts(findings):
    return dict(build(findings).content.facts)


def test_only_a_whole_grid_is_said_to_be_one():
    grid = {(depth, name): near(3) for depth in (8, 14) for name in "ab"}
    assert facts(found(("depth", "variant"), grid))["Arms"] == "4 (2 depth × 2 variant)"
    del grid[8, "b"]
    assert facts(found(("depth", "variant"), grid))["Arms"] == "3"


def test_the_training_time_of_a_search_is_that_of_all_its_trials():
    whole = searches.searched()
    spent = sum(trial.seconds or 0.0 for trial in whole.trials)
    more = replace(whole.trials[0], id="s", arm=whole.search["proposals"]["search"][0]["arm"], seconds=100.0)
    told = facts(find(replace(whole, trials=(*whole.trials, more))))["Training time"]
    assert told == f"{duration(spent + 100)}, of which {duration(spent)} in the confirmation"


def test_where_every_arm_fails_no_difference_is_spoken_of():
    assert headline(find(studies.all_fail())) == ("All 9 arms fail in every seed: 27 of 27 trials.",)


def test_arms_without_a_result_are_not_counted_among_those_that_fail():
    errors = {("a",): (None, None), ("b",): near(2.0), ("c",): (CRASHED, CRASHED)}
    said = headline(found(("variant",), errors, baseline={"variant": "b"}))
    assert said[0] == "5 of 7 trials have a result."
    assert said[1].startswith("Of 2 arms with a result, a fails in 2 of 2 seeds")


def test_an_arm_that_is_called_baseline_has_its_article():
    said = headline(found(("variant",), {("baseline",): near(2.0), ("b",): near(5.0)}))
    assert any("is that of the baseline, 2.00" in each for each in said)


def test_where_every_arm_fails_that_comes_before_the_claims():
    said = headline(declared("b < a", errors={"a": (None, None, None), "b": (None, None, None)}))
    assert said == ("All 2 arms fail in every seed: 6 of 6 trials.", "The declared claim is inconclusive.")


def test_a_claim_on_another_metric_has_it_beside_its_title():
    (verdict,) = declared("b < a").verdicts
    titled = replace(verdict, claim=replace(verdict.claim, title="Better", metric="train_error"))
    (line,) = build(replace(declared("b < a"), verdicts=(titled,))).content.claims
    assert line.says == "Better (training error)"


def test_how_far_a_study_is_comes_first_in_a_digest_and_is_said_once_on_the_page():
    begun = found(("variant",), {("a",): near(3), ("b",): (*near(4)[:2], WAITING)})
    assert "5 of 6 trials have a result." in markdown_digest(begun).splitlines()
    assert headline(begun)[0] == build(begun).content.progress == "5 of 6 trials have a result."
    assert "trials have a result" not in brief(begun)


def test_a_study_whose_arms_have_unlike_numbers_of_seeds_says_so_in_its_head():
    def told(**errors):
        found = small.found(("variant",), {(name,): by_seed for name, by_seed in errors.items()})
        return dict(header.build(found).content.facts)["Seeds"]

    assert told(a=near(3), b=(4.0, 4.1, 4.2, 4.3, 4.4)) == "3 to 5 an arm (0–4)"
    assert told(a=near(3), b=near(4)) == "3 (0–2)"


def test_a_rank_beside_claims_is_called_exploratory():
    assert "(exploratory, beside the claims: paired t" in lowest(declared("b < a"))
    assert "(paired t" in lowest(small.found(("variant",), {("a",): near(3), ("b",): near(4)}))
