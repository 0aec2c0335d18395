"""What the page calls a claim that has a title of its own."""

from dataclasses import replace

from reports.analysis.verdicts import judge
from reports.findings import find
from reports.sections.claims import build
from reports.sections.header import build as header
from tests.reports.small import near, study

CLAIM = {"id": "better", "says": "a < b"}


def shown(**more):
    whole = study(("wiring",), {("a",): near(4), ("b",): near(6)}, settings={"claims": [CLAIM | more]})
    first, *others = whole.arms
    whole = replace(whole, arms=(replace(first, params=1_234_567_890 + (others[0].params or 0)), *others))
    findings = find(whole, judge(whole, whole.claims))
    return build(findings), header(findings).content.claims[0]


def test_a_claim_is_called_by_its_title_and_keeps_its_id_and_sentence():
    section, line = shown(title="  The first wiring is better ")
    (card,) = section.content.cards
    assert (card.title, card.id, card.says) == ("The first wiring is better", "better", "a < b")
    assert line.says == "The first wiring is better"
    assert section.tables[0].rows[0][:3] == ("better", "The first wiring is better", "a < b")


def test_a_claim_without_a_title_is_called_by_its_id():
    section, line = shown()
    assert section.content.cards[0].title == "better"
    assert line.says == "a < b"
    assert section.tables[0].rows[0][:2] == ("better", "a < b")


def test_a_claim_about_what_networks_cost_is_told_in_three_digits_with_what_is_counted():
    section, _ = shown(metric="params")
    (card,) = section.content.cards
    assert card.effect == "\N{MINUS SIGN}1.23\N{NO-BREAK SPACE}G"
    assert card.sentence.startswith("The effect is \N{MINUS SIGN}1.23\N{NO-BREAK SPACE}G parameters, ")
    (figure,) = section.figures
    assert "\N{MINUS SIGN}1.23\N{NO-BREAK SPACE}G" in figure.panels[0].drawing.svg
    assert figure.table.caption.startswith("The claims in each context, in parameters;")
