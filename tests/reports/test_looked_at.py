"""What reading pages as pictures showed: words that broke, columns that say nothing, captions that were not so."""

import re
from dataclasses import replace
from html import escape

import pytest

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.search import searched
from reports.analysis.wording import Account, sentence
from reports.figures.rows import RowText, rows_drawing
from reports.findings import find
from reports.page import unbroken, write_report
from reports.sections import claims, cost, main_table, methods, search
from reports.sections.margins import MOST_TOLD
from reports.sentences import differences, table
from tests.reports import searches, small
from tests.reports.pairs.made import declared

MANY = tuple("abcdefg")


def front(names, **params):
    """Return the caption of the figures of cost of arms, each a second slower and a point better than the last."""
    whole = small.study(("variant",), {(name,): small.near(9 - at) for at, name in enumerate(names)}, **params)
    times = {arm.name: 1.0 + at for at, arm in enumerate(whole.arms)}
    trials = tuple(replace(each, seconds=times[each.arm]) for each in whole.trials)
    (figure,) = cost.build(find(replace(whole, arms=unlike(whole.arms), trials=trials))).figures
    return figure.caption


def test_no_line_ends_within_an_interval_and_a_list_of_seeds_stays_as_it_can_be_copied():
    assert unbroken("+1.39 [+0.35, +2.42], n=5") == "+1.39 [+0.35,\xa0+2.42], n=5"
    assert unbroken("with `seeds: [0, 1]`") == "with `seeds: [0, 1]`"


def test_shapes_are_those_of_other_figures_only_where_each_kind_of_arm_has_one():
    assert "shapes and colours" in front("ab")
    assert "shapes and colours" not in front(MANY)


def unlike(arms):
    """Return arms whose trainings take unlike times."""
    return tuple(replace(arm, settings={"network": dict(arm.levels)}) for arm in arms)


def test_no_line_is_spoken_of_where_one_arm_is_best_and_cheapest():
    whole = small.study(("variant",), {("a",): small.near(2), ("b",): small.near(3)})
    trials = tuple(replace(each, seconds=1.0 + (each.arm != whole.arms[0].name)) for each in whole.trials)
    (figure,) = cost.build(find(replace(whole, arms=unlike(whole.arms), trials=trials))).figures
    assert "Filled is the arm on the Pareto front" in figure.caption
    assert "line" not in figure.caption


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


def test_a_search_speaks_of_its_arms_by_number_and_of_no_levels_that_it_only_happened_to_confirm():
    found = find(searches.searched())
    section = search.build(found)
    tables = {figure.name: figure.table for figure in section.figures}
    assert tables["search-parallel"].columns[0].label == "no."
    texts = [cell for row in tables["search-parallel"].rows for cell in row if isinstance(cell, str)]
    assert max(len(each) for each in texts if re.fullmatch(r"\d+\.\d+", each)) < 10
    slices = next(figure for figure in section.figures if figure.name == "search-slices")
    assert all(panel.description.startswith("The lowest of ") for panel in slices.panels)
    (design, *_) = methods.build(found).content.paragraphs
    assert "in a search, which tried" in design[1]
    assert "(" not in design[1].partition(" in a search")[0]
    assert "the difference to the baseline in points" in table.difference(found)
    assert "Each arm minus its baseline, " in differences.forest(found, list(found.contrasts.values()), 1)


def test_the_table_that_a_number_is_looked_up_in_has_the_settings(tmp_path):
    whole = searches.searched()
    page = write_report(whole, tmp_path).read_text()
    rows = page[page.index('id="search-arm-') :].partition("</tbody>")[0]
    settings = [search.sentences.named(arm.arm) for arm in searched(whole)]
    assert len(settings) > 3
    assert all(f' data-label="settings" dir="auto">{escape(each)}</td>' in rows for each in settings)


def test_a_baseline_with_short_levels_is_named():
    found = small.found(("variant",), {("a",): small.near(2), ("b",): small.near(3)}, baseline={"variant": "a"})
    assert "to the baseline (a) in points" in table.difference(found)
    assert main_table.main_table(found, found.layout).caption


def test_headings_of_a_narrow_figure_stand_over_the_grid_as_its_names_do():
    def drawn(heading):
        return rows_drawing([(heading, [RowText("one", "1.00")])], "r", lambda axes, heights: None)

    def grounds(drawing):
        return drawing.narrow.svg.count("f-paper")

    assert grounds(drawn("depth 20")) == grounds(drawn("")) + 1
