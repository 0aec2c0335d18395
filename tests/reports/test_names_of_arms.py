"""An arm is called by the levels that tell it apart wherever people read, and by its name in the DB in the files."""

import re
from dataclasses import replace

import pytest

from reports.analysis.claims import parse_claims
from reports.analysis.published import Published
from reports.analysis.verdicts import judge
from reports.findings import find
from reports.names import arm_names
from reports.page import report_files, unbroken, write_report
from reports.sections import arm_curves, claims, cost, effects, header, main_table, paper
from reports.sentences import baseline, differences, table
from reports.sentences.curves import single_arms
from tests.reports import small, studies
from tests.reports.pairs.made import declared
from tests.reports.small import near, study

GRID = {(depth, shortcut): near(depth / 10 + len(shortcut)) for depth in (8, 14) for shortcut in ("a", "bc")}


@pytest.fixture(scope="module")
def files():
    return report_files(study(("depth", "shortcut"), GRID, baseline={"shortcut": "a"}))


def test_tables_of_the_page_have_short_names_and_those_of_the_files_the_names_of_the_db(files):
    page = files["index.html"]
    shown = page[: page.index('<section id="provenance"')]
    assert ' dir="auto">bc at depth 14</td>' in shown
    assert "depth=14" not in shown
    assert '"depth=14 shortcut=bc"' in files["tables/differences.csv"]


def test_what_hinders_a_decomposition_is_named_by_its_levels():
    whole = study(("depth", "shortcut"), {key: GRID[key] for key in list(GRID)[:3]}, baseline={"shortcut": "a"})
    (note,) = [each for each in effects.build(find(whole)).content.notes if each.startswith("No shares")]
    assert (
        note == "No shares of the variance are given, since the grid is not full: no result for depth 14, shortcut bc."
    )


def test_a_sentence_changes_no_text_that_only_looks_like_an_arm_or_a_number():
    odd = "lr=-1 at 5%"
    errors = {(note, name): (None, 2.0, 2.1, 2.2, -1.0) for note in (odd, "no") for name in "ab"}
    whole = small.study(("note", "variant"), errors)
    claims_made = parse_claims([{"id": "c", "says": "b < a", "where": f"note == '{odd}'"}], whole.factors)
    (verdict,) = judge(whole, claims_made)
    quoted = "changed from says: note=no variant=a < note=no variant=b, by: -3, at 5%"
    account = replace(verdict.account, changes=(quoted,))
    found = find(whole, [replace(verdict, account=account)])
    (card,) = claims.build(found).content.cards
    assert card.sentence.startswith(f"At {odd}: ")
    assert quoted in card.sentence
    assert f"Fails: {arm_names(found)[whole.arms[0].name]} in 1 of 5" in card.sentence
    assert f"Fails: {whole.arms[0].name} in 1 of 5" in verdict.sentence


def test_a_baseline_has_one_name_in_all_sentences():
    errors = {(8, rate, name): near(3 + (name == "b") * 4) for rate in (0.1, 0.2) for name in "ab"}
    base = {"depth": 8, "training.lr": 0.1, "variant": "a"}
    found = small.found(("depth", "training.lr", "variant"), errors, baseline=base)
    named = "the baseline (a, training.lr 0.1)"
    assert named in (baseline.worse(found) or baseline.none_clear(found))
    assert f"to {named} in points" in table.difference(found)
    assert f"minus its {named[4:]}, " in differences.forest(found, list(found.contrasts.values()), 1)


def test_a_caption_speaks_of_size_only_where_sizes_differ():
    whole = small.study(("variant",), {("a",): near(2), ("b",): near(3)})
    arms = [replace(arm, params=10, flops=20, settings={"network": dict(arm.levels)}) for arm in whole.arms]
    trials = [replace(each, seconds=1.0 + (each.arm == arms[0].name)) for each in whole.trials]
    (figure,) = cost.build(find(replace(whole, arms=tuple(arms), trials=tuple(trials)))).figures
    assert figure.caption.startswith("Mean test error against mean training time. ")


def test_the_arms_of_one_factor_are_counted_once():
    one = small.found(("variant",), {("a",): near(2), ("b",): near(3)})
    assert dict(header.build(one).content.facts)["Arms"] == "2"


def test_a_number_that_only_a_claim_has_is_no_published_one():
    whole = studies.judged()
    verdicts = judge(whole, whole.claims)
    own = [replace(each, claim=replace(each.claim, paper=each.claim.paper and Published(2.0))) for each in verdicts]
    assert paper.build(find(whole, verdicts)) is not None
    assert any(each.claim.paper for each in own)
    assert paper.build(find(whole, own)) is None


def test_no_line_ends_between_a_number_and_its_spread_or_unit():
    assert unbroken("1.94 ± 0.40 % (n=3), 2 points") == "1.94\xa0±\xa00.40\xa0% (n=3), 2\xa0points"
    assert unbroken("scale 5 of 8") == "scale 5 of 8"


def test_a_baseline_with_short_levels_is_named():
    found = small.found(("variant",), {("a",): small.near(2), ("b",): small.near(3)}, baseline={"variant": "a"})
    assert "to the baseline (a) in points" in table.difference(found)
    assert main_table.main_table(found, found.layout).caption


def test_arms_of_a_sentence_have_the_names_of_the_page():
    found = declared("b < a", errors={"a": (3.0, 3.1, 2.9, 3.2, 3.0), "b": (None, 2.0, 2.1, 2.2, 2.0)})
    (card,) = claims.build(found).content.cards
    assert re.search(r"Fails: a in 0 of 5 \([^)]*\), b in 1 of 5", card.sentence)
    assert "1 fail," in card.sentence
    assert "variant=" not in card.sentence


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
