"""The figures of a search: which parameters have a panel, in which order, and dots that can be seen."""

import re
from dataclasses import replace

from reports.findings import find
from reports.sections import search
from tests.reports import searches


def test_a_parameter_with_one_value_in_all_arms_has_no_panel():
    whole = searches.searched()
    same = [{**each, "params": {**each["params"], "block": "basic"}} for each in whole.search["proposals"]["search"]]
    record = {**whole.search, "proposals": {**whole.search["proposals"], "search": same}}
    figures = {figure.name: figure for figure in search.build(find(replace(whole, search=record))).figures}
    assert "block" not in [panel.title for panel in figures["search-slices"].panels]
    assert "Left out: 1 parameter with one value in all arms." in figures["search-slices"].caption


def test_a_choice_among_numbers_is_drawn_in_their_order():
    whole = searches.searched()
    depths = ("8", "14", "20")
    drawn = [
        {**each, "params": {**each["params"], "depth": depths[at % 3]}}
        for at, each in enumerate(whole.search["proposals"]["search"])
    ]
    record = {**whole.search, "importance": [], "proposals": {**whole.search["proposals"], "search": drawn}}
    figures = {figure.name: figure for figure in search.build(find(replace(whole, search=record))).figures}
    (panel,) = (panel for panel in figures["search-slices"].panels if panel.title == "depth")
    assert ">depth</text>" in panel.drawing.svg
    assert ">validation error, %</text>" in panel.drawing.svg
    assert ">12</text>" in panel.drawing.svg, "an axis of numbers has ticks between its levels"


def test_the_dots_of_a_search_are_dark_enough_to_be_seen():
    figures = {figure.name: figure for figure in search.build(find(searches.searched())).figures}
    drawn = figures["search-progress"].panels[0].drawing.svg
    opacities = [float(each) for each in re.findall(r'opacity="([\d.]+)"', drawn)]
    assert opacities
    assert min(opacities) >= 0.6
