"""Where a few seeds show that they are skewed, every place that prints an interval of them says so."""

import csv
import io
from dataclasses import replace

import pytest

from reports.analysis.badges import SKEWED
from reports.analysis.noise import noise_floor
from reports.analysis.prospects import prospects, study_spread
from reports.analysis.verdicts import judge_study
from reports.diff import compare
from reports.diff_formats import diff_text
from reports.digest import markdown_digest
from reports.findings import find
from reports.page import report_files
from reports.sentences.safeguards import noise_sentences
from reports.summary import summary_of
from tests.reports.pairs.made import FAR, FLAT
from tests.reports.small import study

CLAIMS = [{"id": "far", "says": "b < a", "where": "width == 4"}, {"id": "flat", "says": "b < a", "where": "width == 8"}]
NARROW = "may be too narrow"


def made(far):
    """Two factors; the arm b of width 4 is FAR or as even as all others."""
    flat = {"a": FLAT, "b": FLAT[::-1]}
    errors = {(width, name): tuple(at + each for each in flat[name]) for at, width in ((0, 4), (1, 8)) for name in "ab"}
    whole = study(("width", "name"), errors | {(4, "b"): far}, baseline={"name": "a"})
    return replace(whole, settings={**whole.settings, "claims": CLAIMS, "seeds": 8})


@pytest.fixture(scope="module")
def files():
    return {kind: report_files(made(far)) for kind, far in (("far", FAR), ("flat", FLAT[::-1]))}


def notes(text, key, column):
    return {row[key]: row[column] for row in csv.DictReader(io.StringIO(text))}


def test_where_no_arm_is_skewed_nothing_is_marked(files):
    assert not [name for name, text in files["flat"].items() if isinstance(text, str) and NARROW in text]


@pytest.mark.parametrize(
    "name", ["main.md", "main.tex", "arms.md", "arms.tex", "differences.md", "differences.tex", "main-effects.md",
             "main-effects.tex", "claims.md", "claims.tex", "claims-by-context.tex"],
)  # fmt: skip
def test_a_table_with_such_an_interval_says_so(files, name):
    assert NARROW in files["far"][f"tables/{name}"]


def test_rows_are_marked_in_the_files_of_numbers(files):
    tables = files["far"]
    arms = notes(tables["tables/arms.csv"], "arm", "note")
    assert {name for name, note in arms.items() if SKEWED in note} == {"width=4 name=b"}
    differences = notes(tables["tables/differences.csv"], "arm", "note")
    assert {name for name, note in differences.items() if SKEWED in note} == {"width=4 name=b"}
    marks = notes(tables["tables/claims.csv"], "claim", "marks")
    assert (SKEWED in marks["far"], SKEWED in marks["flat"]) == (True, False)
    levels = notes(tables["tables/main-effects.csv"], "level", "note")
    assert {level for level, note in levels.items() if note == SKEWED} == {"4", "b"}


def test_the_page_says_so_in_each_part(files):
    page = files["far"]["index.html"]
    said = "Over the seeds width=4 name=b is skewed: intervals that rest on it may be too narrow."
    assert page.count(said) >= 4  # main table, curves, main effects, statistics
    assert "The interval of far may be too narrow: the seeds are skewed, or the spreads of the arms are unlike." in page
    assert "Of 2 intervals, 1 may be too narrow" in page


def test_the_digest_for_a_pull_request_carries_the_marks_of_the_claims():
    whole = made(FAR)
    text = markdown_digest(find(whole, judge_study(whole)))
    far, flat = [line for line in text.splitlines() if "b \\< a" in line]
    assert (SKEWED in far, SKEWED in flat) == (True, False)


def test_a_plan_says_that_the_interval_of_a_spread_may_be_too_narrow():
    (claim, _) = made(FAR).claims
    for far, is_marked in ((FAR, True), (FLAT, False)):
        whole = made(far)
        spread = study_spread(whole)
        (ahead,) = prospects((claim,), whole.factors, 8, whole.analysis, spread=spread)
        doubt = "perhaps too narrow: the seeds are skewed" if is_marked else "if the noise has no heavy tails"
        assert f"; {doubt}] from" in ahead.sentence


def test_a_comparison_of_two_reports_marks_the_arm():
    first, second = (summary_of(find(made([at + each for each in FAR]))) for at in (0, 1))
    rows = [line for line in diff_text(compare(first, second), ("one", "two"), "table").splitlines() if SKEWED in line]
    assert len(rows) == 1
    assert rows[0].startswith("width=4 name=b")


def test_the_noise_floor_says_so():
    for far, is_marked in ((FAR, True), (FLAT, False)):
        whole = study(("name",), {("a",): far}, baseline={"name": "a"})
        whole = replace(whole, settings={**whole.settings, "seeds": {"count": 4, "aa": True}})
        assert [each.is_skewed for each in noise_floor(whole)] == [is_marked]
        (text,) = noise_sentences(whole)
        assert ("its seeds are skewed" in text) is is_marked
