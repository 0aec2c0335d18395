"""What the arms of a search are called in words, tables and figures, and where a number is looked up."""

import re
from dataclasses import replace
from html import escape

from reports.analysis.search import searched
from reports.findings import find
from reports.page import write_report
from reports.search_numbers import search_numbers
from reports.sections import confirmation, methods, search, trials
from reports.sections import table as main_table_section
from reports.sentences import differences, table
from tests.reports import searches
from tests.reports.small import running


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


def test_the_trials_of_a_search_have_the_numbers_of_their_arms():
    facts = find(searches.searched())
    shown = trials.build(facts).content
    assert shown.headings[0].label == "arm"
    names = search_numbers(facts.whole)
    assert {row.cells[0] for row in shown.rows} == {names[each.arm] for each in facts.study.trials}
    assert trials.build(find(running())).content.headings[0].label != "arm"


def without_searched_baseline():
    """Return the search with a constraint that keeps its baseline out, as `orchestrate run` records it."""
    whole = searches.searched()
    first, *rest = whole.search["proposals"]["search"]
    rejected = {"status": "rejected", "state": None, "values": None, "reason": "not params <= 30k", "arm": None}
    proposals = {**whole.search["proposals"], "search": [{**first, **rejected}, *rest]}
    bounded = {**whole.search["settings"], "constraints": ["params <= 30k"]}
    record = {**whole.search, "proposals": proposals, "settings": bounded, "baseline": first["arm"]}
    return replace(whole, search=record)


def test_a_baseline_that_a_constraint_kept_out_of_the_search_is_called_by_that_word_and_has_no_gain_to_lose():
    findings = find(without_searched_baseline())
    assert main_table_section.build(findings).content.lines[0].name == "baseline"
    told = " ".join(confirmation.build(findings).content.sentences)
    assert "The search has no validation error of the baseline, so that no gain over it is known there." in told
    assert "saw no gain" not in told


def test_proposals_beyond_a_constraint_are_told_from_those_of_which_there_is_no_network():
    content = search.build(find(without_searched_baseline())).content
    assert "by the sampler tpe within params <= 30k, selected" in content.summary
    assert "1 rejected by a constraint" in content.summary
    assert "no network" not in content.summary
