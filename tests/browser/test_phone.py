"""Tables on the screen of a phone: a block for each row, each value beside the name of its column."""

import re

import pytest

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}}
WIDE = "table.blocks:visible"


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    return page


@pytest.mark.parametrize("name", ["degradation", "judged", "full_grid", "seven_factors", "troubled", "hostile"])
def test_no_table_but_those_of_trials_is_cut_at_the_side(visit, name):
    page = open_all(visit(name, **PHONE))
    cut = page.evaluate(
        "[...document.querySelectorAll('table:not(.trials, .map)')].filter("
        "(each) => each.parentElement.scrollWidth > each.parentElement.clientWidth + 1)"
        ".map((each) => `${each.className}, ${each.parentElement.scrollWidth}: ${each.innerText.slice(0, 200)}`)"
    )
    assert cut == []
    assert page.locator(WIDE).count() > 0


def test_each_value_is_named_by_the_heading_of_its_column(visit):
    page = open_all(visit("full_grid", **PHONE))
    tables = page.locator("table.plain.blocks:not(.claims-table)").evaluate_all(
        "(all) => all.map((table) => ({"
        " heads: [...table.tHead.rows[0].cells].map((each) => each.textContent),"
        " rows: [...table.tBodies[0].rows].map((row) => [...row.cells].map("
        "  (each) => [getComputedStyle(each, '::before').content, getComputedStyle(each).display])) }))"
    )
    assert len(tables) > 3
    for table in tables:
        for row in table["rows"]:
            assert row == [[f'"{head}" / ""', "block"] for head in table["heads"]]


def test_a_value_of_the_main_table_is_named_by_what_it_was_trained_with(visit):
    page = visit("degradation", **PHONE)
    row = page.locator("table.main tbody tr").first
    named = row.locator("td").evaluate_all("(all) => all.map((each) => each.dataset.label)")
    assert named == ["depth 20", "Δ", "depth 56", "Δ", "depth 110", "Δ"]
    heads = page.locator("table.main thead th.spanner").all_inner_texts()
    assert all("params" in head for head in heads)


def test_an_arm_named_by_several_factors_has_them_above_the_blocks(visit):
    page = visit("seven_factors", **PHONE)
    head = page.locator("table.main thead th[data-name]")
    assert head.is_visible()
    assert head.get_attribute("data-name").count(", ") > 1


@pytest.mark.parametrize(("name", "table"), [("judged", ".claims-table"), ("full_grid", ".plain.blocks")])
def test_a_screen_reader_is_given_the_same_table_as_on_a_wide_screen(visit, name, table):
    wide, phone = (open_all(visit(name, **look)).locator(table).first.aria_snapshot() for look in ({}, PHONE))
    assert phone == wide
    assert {"table", "rowgroup", "row", "columnheader", "cell"} <= set(re.findall(r"- '?(\w+)", phone))


def test_every_part_of_such_a_table_has_the_role_that_its_layout_may_take_away(visit):
    roles = {"TABLE": "table", "THEAD": "rowgroup", "TBODY": "rowgroup", "TR": "row", "TD": "cell"}
    for name in ("judged", "troubled", "full_grid", "degradation"):
        parts = visit(name, **PHONE).evaluate(
            "[...document.querySelectorAll('table.blocks, .blocks :is(thead, tbody, tr, th, td)')]"
            ".map((each) => [each.nodeName, each.closest('thead') ? 'head' : 'body', each.getAttribute('role')])"
        )
        assert len(parts) > 20
        for element, part, role in parts:
            assert role == roles.get(element, "columnheader" if part == "head" else "rowheader")


def test_trials_sort_and_filter_on_a_phone(visit):
    page = visit("degradation", **PHONE)
    page.locator("#trials-table th[data-key=test_error] button").click()
    errors = [float(each) for each in page.locator("#trials-table tbody td:nth-child(6)").all_inner_texts()]
    assert errors == sorted(errors)
    page.locator("#filter").fill("variant:pre")
    page.get_by_text("9 of 27 trials match").wait_for()
