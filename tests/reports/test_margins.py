"""The figure of the claims: what its caption, its labels and its table say."""

import pytest

from reports.sections import claims
from reports.sections.margins import MOST_TOLD, context_tables, margins_figures
from reports.sentences.claims import table_on_page
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of
from tests.reports.pairs.made import declared

GOOD = [5.0, 5.2, 5.1, 4.9]
BAD = [7.1, 7.0, 7.3, 7.2]


def judged(*claims, **analysis):
    arms = [({"depth": depth, "variant": name}, each) for depth in (20, 56) for name, each in VALUES.items()]
    return verdicts_of(study(arms), *claims, **analysis)


def figure(*claims, **analysis):
    return margins_figures(judged(*claims, **analysis))[0]


VALUES = {"good": GOOD, "bad": BAD, "partly": [6.0, None, 6.1, 5.9]}
BETTER = {"says": "good < bad"}


@pytest.mark.parametrize(
    ("claims", "family", "said"),
    [([BETTER, BETTER], "holm", True), ([BETTER, BETTER], "none", False), ([BETTER], "holm", False)],
)
def test_holm_is_named_where_it_corrects(claims, family, said):
    named = [{**claim, "id": f"claim-{place}"} for place, claim in enumerate(claims)]
    assert ("Holm" in figure(*named, family=family).caption) is said


def test_what_leaves_open_is_named_where_it_does():
    assert "the exact sign flips that must agree below 5 seeds" in figure(BETTER).caption
    assert "The other contexts of a claim" in figure(BETTER).caption
    one = figure({**BETTER, "where": "depth == 20", "test": "sign"}).caption
    assert "leave open" not in one
    assert "interval at 95 %; the bar across" in figure(BETTER).caption


def test_a_long_id_leaves_room_for_the_context():
    drawn = figure({"id": "the-original-residual-unit-is-worse-than-any-other", **BETTER}).panels[0].drawing
    assert all(f"depth {depth}" in drawn.svg for depth in (20, 56))


def test_fails_are_words_in_the_table():
    (table,) = context_tables(judged({"says": "good < partly"}))
    cells = [dict(zip([column.key for column in table.columns], row, strict=True))["seeds"] for row in table.rows]
    assert cells == ["0: +1.00, 1: one fails, 2: +1.00 and 3: +1.00"] * 2


def test_the_caption_says_which_side_of_an_equality_counts():
    equal, better = judged({"says": "good == bad", "within": 0.5}), judged(BETTER)
    assert "an equality is its left side less its right." in table_on_page(equal)
    assert "claimed direction" not in table_on_page(equal)
    assert "equality" not in table_on_page(better)


def test_the_words_of_the_figure_of_claims_say_where_they_stop():
    section = claims.build(declared(*["b < a"] * (MOST_TOLD + 2)))
    (panel,) = section.figures[0].panels
    assert panel.description.endswith(f"The first {MOST_TOLD} of {MOST_TOLD + 2} rows; the table has them all.")
    assert "The first" not in claims.build(declared("b < a")).figures[0].panels[0].description


def test_differences_by_seed_stand_once_on_the_page_and_in_the_file():
    section = claims.build(declared("b < a"))
    (shown,) = (figure.table for figure in section.figures)
    (file,) = (each for each in section.tables if each.name == shown.name)
    assert "seeds" not in [column.key for column in shown.columns]
    assert "seeds" in [column.key for column in file.columns]
    assert "By seed" in dict(section.content.cards[0].facts)


def test_the_table_of_contexts_leaves_marks_and_seeds_to_the_rows_of_the_claims():
    section = claims.build(declared("b < a"))
    keys = [column.key for column in section.figures[0].table.columns]
    assert not {"marks", "seeds", "fails"} & set(keys)
    (file,) = (each for each in section.tables if each.name == section.figures[0].table.name)
    assert {"marks", "seeds", "fails"} <= {column.key for column in file.columns}
    (row,) = section.figures[0].table.shown()
    assert (row[keys.index("margin")], row[keys.index("level")]) == ("0", "95.00")
