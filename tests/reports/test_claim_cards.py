"""What the page tells of one claim beside its verdict: seeds, p, looks, readings, and what is still to come."""

import re
from dataclasses import replace

import pytest

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.analysis.wording import Account, sentence
from reports.findings import find
from reports.sections import claims
from tests.reports import small
from tests.reports.pairs.made import FIVE, LESS, MORE, OPEN, declared
from tests.reports.small import WAITING, near


def test_seeds_that_all_fail_are_counted_once():
    errors = {"a": (None,) * 6, "b": (2.0, 2.1, 2.2, 1.9, 2.3, 1.8)}
    (card,) = claims.build(declared("b < a", errors=errors)).content.cards
    assert dict(card.facts)["By seed"] == "one fails in each of 6 seeds"


@pytest.mark.parametrize(("hours", "said"), [(0.002, "7.2 s"), (0.5, "30 min"), (30.0, "30 h")])
def test_a_forecast_takes_as_long_in_the_sentence_as_beside_it(hours, said):
    (verdict,) = declared("b < a", errors={"a": (2.0, 2.4, 1.7), "b": (2.1, 2.0, 2.2)}).verdicts
    ahead = replace(verdict.forecast, hours=hours)
    shown = verdict.contexts[0]
    settings = AnalysisSettings()
    account = Account(verdict.claim, verdict.verdict.value, shown, verdict.contexts, 0, ahead, 0.5, None, settings)
    assert f"more, {said} of training" in sentence(account)


def test_claims_of_few_seeds_name_the_sign_flips_also_before_they_are_judged():
    errors = {("a",): (*near(3), WAITING), ("b",): (6.0, 6.4, 5.7, WAITING)}
    whole = small.study(("variant",), errors)
    waiting = judge(whole, parse_claims([{"id": "one", "says": "a < b"}], whole.factors))
    assert waiting[0].is_pending
    said = claims.build(find(whole, waiting)).content.summary
    assert "below 5 seeds the exact sign flips must agree" in said


def test_a_claim_that_waits_for_seeds_is_no_warning():
    found = declared("b < a", errors={"a": (*FIVE["a"], WAITING), "b": FIVE["b"]})
    (card,) = claims.build(found).content.cards
    assert (card.verdict, card.signs, card.open) == ("Not judged yet", (), "")
    waits = {"a": (*OPEN["a"], WAITING), "b": (*OPEN["b"], 5.0)}
    (card,) = claims.build(declared("b < a", errors=waits, seeds={"looks": [5, 6]})).content.cards
    assert (card.verdict, card.signs, card.open) == ("Inconclusive", (), "still running")


@pytest.mark.parametrize(
    ("seeds", "said"), [(None, "end before it is judged."), ({"looks": [6, 8]}, "end before the next look.")]
)
def test_only_a_study_with_looks_speaks_of_one(seeds, said):
    errors = {"a": (*FIVE["a"], WAITING), "b": FIVE["b"]}
    (verdict,) = declared("b < a", errors=errors, seeds=seeds).verdicts
    assert said in verdict.sentence


def test_readings_are_told_in_words():
    errors = {(depth, name): by_seed for depth in (8, 14) for name, by_seed in FIVE.items()}
    whole = small.study(("depth", "variant"), errors)
    said = parse_claims([{"id": "c", "says": "b < a"}], whole.factors)
    (card,) = claims.build(find(whole, judge(whole, said))).content.cards
    assert dict(card.facts)["Readings"].startswith("in every context (declared): Supported, on average: Supported")


def test_p_says_whether_it_is_of_one_look_or_over_all():
    errors = {"a": (*OPEN["a"], 6.0), "b": (*OPEN["b"], 4.0)}
    (card,) = claims.build(declared("b < a", errors=errors, seeds={"looks": [5, 6]})).content.cards
    assert re.match(r"\d\.\d+ at n=6 alone, \d\.\d+ over all looks, ", dict(card.facts)["p"])
    (card,) = claims.build(declared("b < a")).content.cards
    assert " raw" in dict(card.facts)["p"]


def test_the_p_of_a_look_by_sign_flips_is_named_as_such():
    errors = {"a": (*MORE, 6.05, 6.15), "b": (*LESS, 3.05, 3.12)}
    (card,) = claims.build(declared("b < a", errors=errors, seeds={"looks": [3, 5]})).content.cards
    first, second = dict(card.facts)["Looks"].split("; ")
    assert re.fullmatch(r"n=3: .*, p 0\.2500 by the exact sign flips against 0\.\d+", first)
    assert "sign flips" not in second
