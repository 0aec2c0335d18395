"""What a third reading of pages as pictures showed: long contexts, colours of single arms, columns and sheets."""

import json
import re
from dataclasses import replace

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.figures.theme import colour
from reports.findings import find
from reports.page import write_report
from reports.sections import arm_curves, claims, curves, header, main_table
from reports.sections.margins import context_tables, deciding_figure, margins_figures
from reports.sentences.curves import single_arms
from reports.sentences.headline import replayed
from reports.wording import level_owners, levels_in_words
from tests.reports import searches, small
from tests.reports.small import WAITING, near

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


def test_the_worst_arm_has_one_colour_whether_or_not_the_best_is_a_baseline():
    def slots(best):
        errors = {(name,): near(1 if name == best else 3 + at) for at, name in enumerate("abcdef")}
        found = small.found(("variant",), errors, baseline={"variant": "a"})
        figure = next(each for each in curves.build(found).figures if each.name == "arms")
        (choice,) = (panel.drawing.readout.choice for panel in figure.panels)
        return {slot: choice.lines[at].name for slot, at in choice.shown.items()}

    assert slots("a") == {0: "a", 2: "f"}
    assert slots("c") == {0: "a", 1: "c", 2: "f"}
    assert colour(arm_curves.SLOTS[arm_curves.WORST]) == colour(2)


def test_a_single_arm_has_the_colour_of_its_line_in_the_other_figures():
    means = {"none": 9, "scaled": 3, "original": 6}
    errors = {(depth, name): near(mean + depth / 10) for depth in (8, 20) for name, mean in means.items()}
    found = small.found(("depth", "unit"), errors, baseline={"unit": "original"})
    figures = {figure.name: figure for figure in curves.build(found).figures}
    (choice,) = (panel.drawing.readout.choice for panel in figures["arms"].panels)
    shown = {choice.lines[at].name.split(",")[0]: slot for slot, at in choice.shown.items()}
    lines = {name: slot for slot, name in figures["curves"].panels[0].drawing.readout.names.items()}
    assert shown == lines == {"original": 0, "none": 1, "scaled": 2}


def test_a_baseline_of_that_name_is_named_once(tmp_path):
    errors = {(name,): near(3 + at) for at, name in enumerate(("baseline", "b", "c", "d", "e", "f"))}
    found = small.found(("change",), errors, baseline={"change": "baseline"})
    said = " ".join(header.build(found).content.brief)
    assert "the baseline" in said
    assert "(baseline)" not in said
    assert "the best arm's baseline and the best arm (b)" in single_arms(
        {arm_curves.BASELINE: "baseline", arm_curves.BEST: "b"}
    )
    page = write_report(found.study, tmp_path).read_text()
    assert "<small>baseline</small>" not in page
    other = {(name,): by_seed for (name,), by_seed in {("a",): near(3), ("b",): near(4)}.items()}
    page = write_report(small.study(("change",), other, baseline={"change": "a"}), tmp_path / "other").read_text()
    assert "<small>baseline</small>" in page


def sized():
    """Return arms at two depths whose networks differ in size, so that the main table has a column of each."""
    whole = small.study(
        ("depth", "variant"), {(d, v): near(3) for d in (8, 14) for v in "ab"}, baseline={"variant": "a"}
    )
    arms = [replace(arm, params=20_000 + 900 * at, flops=None) for at, arm in enumerate(whole.arms)]
    return replace(whole, arms=tuple(arms))


def test_a_size_that_differs_by_depth_may_stand_in_two_lines():
    found = find(sized())
    lines = main_table.main_table(found, found.layout).lines
    assert lines[0].cost == ("20.0\N{NO-BREAK SPACE}k to\N{NO-BREAK SPACE}21.8\N{NO-BREAK SPACE}k", "")


def test_only_the_last_heading_of_the_main_table_stands_at_its_edge(tmp_path):
    page = write_report(sized(), tmp_path / "sized").read_text()
    assert page.count('class="number inner">Δ</th>') == 1
    whole = small.study(
        ("depth", "variant"), {(d, v): near(3) for d in (8, 14) for v in "ab"}, baseline={"variant": "a"}
    )
    assert 'class="number inner"' not in write_report(whole, tmp_path / "plain").read_text()


def test_what_is_printed_with_a_heading_has_a_box_with_it(tmp_path):
    page = write_report(small.study(("variant",), {("a",): near(3), ("b",): near(4)}), tmp_path).read_text()
    for heading in ("Make it again", "Cite"):
        assert f'<div class="kept">\n<h3>{heading}</h3>' in page
    style = page[page.index("@media print {") :]
    whole = " ".join(re.findall(r"([^{}]*)\{ break-inside: avoid; \}", style))
    assert {".kept", ".facts"} <= set(re.findall(r"\.\w+", whole))


def test_the_number_of_an_arm_is_not_broken_and_numbers_stand_as_the_study_writes_them(tmp_path):
    page = write_report(searches.searched(), tmp_path / "search").read_text()
    assert re.search(r'<td class="short">#\d+</td>', page)
    errors = {(1e9, "a"): near(3), (0.05, "a"): near(4), (1e9, "b"): (WAITING, 3.0, 3.1)}
    whole = small.study(("training.lr", "variant"), errors)
    page = write_report(whole, tmp_path / "large").read_text()
    embedded = json.loads(
        re.search(r'<script type="application/json" id="embedded">(.*?)</script>', page, re.DOTALL)[1]
    )
    (column,) = (each for each in embedded["trials"]["columns"] if each["key"] == "training.lr")
    assert column["shown"] == [[1e9, "1e+09"]]
    assert not any("shown" in each for each in embedded["trials"]["columns"] if each is not column)


def test_a_replay_that_decides_nothing_says_so_in_a_sentence_and_has_no_bar_of_trials(tmp_path):
    whole = searches.replayed(*(searches.configuration(name, 0.0) for name in ("tpe", "gp", "random, asha")))
    said = replayed(find(whole))
    assert said == (
        "Against random search of equal time, it is open whether tpe, gp and random with asha are worth their cost."
    )
    bare = replace(whole, arms=(), trials=())
    head = write_report(bare, tmp_path).read_text()
    assert 'class="bar"' not in head
    waiting = small.study(("variant",), {("a",): near(3), ("b",): (WAITING, 3.0, 3.1)})
    assert 'class="bar"' in write_report(waiting, tmp_path / "waiting").read_text()
