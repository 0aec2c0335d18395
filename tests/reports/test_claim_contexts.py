"""Claims that are judged in several contexts: how a context is told, and where there is no room for all of it."""

import re

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.findings import find
from reports.sections import claims
from reports.sections.margins import context_tables, deciding_figure, margins_figures
from reports.wording import level_owners, levels_in_words
from tests.reports import small
from tests.reports.small import near

PLACES = ("bn_after_add", "relu_before_add", "relu_only_preact", "full_preact", "original")
LEVELS = [(depth, place, rate) for depth in (8, 14) for place in PLACES for rate in (0.05, 0.2)]
ONE = {"id": "shortcuts-help-the-small", "says": "identity < dropout"}


def many_contexts(*declared):
    """Return a study whose claims are judged at each of twenty settings, and the verdicts."""
    errors = {}
    for at, levels in enumerate(LEVELS):
        errors |= {(*levels, "identity"): near(3 + at / 10), (*levels, "dropout"): near(6 + at / 10)}
    whole = small.study(("depth", "activation", "training.lr", "shortcut"), errors, baseline={"shortcut": "identity"})
    return whole, judge(whole, parse_claims(list(declared), whole.factors))


def texts(drawing):
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawing.svg)


def test_settings_are_told_as_arms_are():
    factors = {"depth": (8, 14), "unit": ("preact", "conv bn | add"), "training.lr": (0.1, 1e9)}
    owners = level_owners(factors)
    assert levels_in_words({"depth": 8, "unit": "preact"}, owners) == "preact, depth 8"
    odd = levels_in_words({"depth": 14, "unit": "conv bn | add", "training.lr": 0.1}, owners)
    assert odd == "conv bn | add, depth 14, training.lr 0.1"
    assert levels_in_words({"training.lr": 1e9}, owners) == "training.lr 1e+09"
    assert levels_in_words({}, owners) == ""
    owners = level_owners({"first": ("none", "full"), "second": ("some", "none")})
    assert levels_in_words({"first": "none", "second": "some"}, owners) == "some, first none"
    assert levels_in_words({"first": "full", "second": "none"}, owners) == "full, second none"


def test_a_sentence_tells_its_context_as_the_page_does_whatever_its_levels_look_like():
    errors = {(unit, rate): near(3 + (rate == 0.2)) for unit in ("a=b: c", "at x=1:") for rate in (0.1, 0.2)}
    whole = small.study(("unit", "training.lr"), errors)
    (verdict,) = judge(whole, parse_claims([{"id": "one", "says": "training.lr=0.1 < training.lr=0.2"}], whole.factors))
    assert verdict.shown in verdict.contexts
    assert verdict.sentence.startswith(f"At {verdict.shown.words}: ")
    assert {each.words for each in verdict.contexts} == {"a=b: c", "at x=1:"}
    assert {each.settings for each in verdict.contexts} == {"unit=a=b: c", "unit=at x=1:"}


def test_each_row_of_claims_in_many_contexts_is_named_whole_below_its_claim():
    _, verdicts = many_contexts(ONE, {"id": "again", "says": "dropout > identity"})
    (figure,) = margins_figures(verdicts)
    shown = texts(figure.panels[0].drawing)
    assert shown.count(ONE["id"]) == shown.count("again") == 1
    assert not any("…" in text for text in shown)
    assert shown.count("relu_only_preact, depth 14, training.lr 0.05") == 2
    assert figure.table.rows[0][1] == "bn_after_add, depth 8, training.lr 0.05"
    (written,) = context_tables(verdicts)
    assert written.rows[0][1] == "depth=8 activation=bn_after_add training.lr=0.05"


def test_a_claim_on_the_first_screen_has_a_long_context_cut_where_it_can_be_seen():
    _, verdicts = many_contexts(ONE, {"id": "few", "says": "identity < dropout", "where": "depth == 8"})
    shown = texts(deciding_figure(verdicts).panels[0].drawing)
    for each in verdicts:
        (row,) = (text for text in shown if text.startswith(each.id))
        assert row.endswith("…")
        assert each.shown.words.startswith(row.removeprefix(f"{each.id}, ").removesuffix("…"))
    errors = {(depth, name): near(3 + (name == "b")) for depth in (8, 14) for name in "ab"}
    whole = small.study(("depth", "variant"), errors)
    short = judge(whole, parse_claims([{"id": "few", "says": "a < b"}], whole.factors))
    (row,) = (text for text in texts(deciding_figure(short).panels[0].drawing) if text.startswith("few"))
    assert row in ("few, depth 8", "few, depth 14")


def test_the_evidence_tells_contexts_in_words_and_how_many_it_leaves_out():
    whole, verdicts = many_contexts(ONE)
    (card,) = claims.build(find(whole, verdicts)).content.cards
    assert re.match(r"At \w+, depth \d+, training\.lr 0\.\d+: the effect is", card.sentence)
    by_seed = dict(card.facts)["By seed"]
    assert by_seed.startswith("bn_after_add, depth 8, training.lr 0.05: +3.")
    assert by_seed.endswith("; 12 more contexts")
