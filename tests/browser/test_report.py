import io
import re
from itertools import pairwise

import pandas as pd
import pytest

from reports.page import write_report
from tests.browser.accessibility import broken_rules
from tests.reports import small, studies

pytestmark = pytest.mark.browser

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "mobile": {"viewport": {"width": 320, "height": 640}},
    "contrast": {"contrast": "more"},
}
STUDIES = ("degradation", "judged", "full_grid", "troubled", "all_fail", "without_results", "one_factor", "hostile")


def shown_rows(page):
    return page.locator("#trials-table tbody tr").count()


def cells(page, column):
    return page.locator(f"#trials-table tbody td:nth-child({column})").all_inner_texts()


@pytest.mark.parametrize("name", STUDIES)
def test_a_page_asks_for_nothing_else_and_the_console_stays_silent(visit, name):
    page = visit(name)
    assert len(page.asked) == 1
    assert page.said == []


@pytest.mark.parametrize("look", ["light", "dark", "mobile", "contrast"])
@pytest.mark.parametrize("name", ["troubled", "hostile", "judged"])
def test_no_accessibility_rule_is_broken(visit, name, look):
    page = visit(name, **LOOKS[look])
    assert broken_rules(page) == []


@pytest.mark.parametrize(
    ("name", "look"),
    [("all_fail", "dark"), ("without_results", "light"), ("many_arms", "dark"), ("seven_factors", "mobile")],
)
def test_no_accessibility_rule_is_broken_on_the_page_of_another_kind_of_study(visit, name, look):
    page = visit(name, **LOOKS[look])
    assert broken_rules(page) == []


def test_no_accessibility_rule_is_broken_where_scripts_are_not_run(visit, report, tmp_path):
    text = report("troubled").read_text(encoding="utf-8")
    (code,) = re.findall(r"<script>(.+?)</script>", text, re.DOTALL)  # axe itself is a script: only ours is taken out
    (tmp_path / "index.html").write_text(text.replace(code, ""), encoding="utf-8")
    page = visit("troubled")
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator("button:visible, input:visible").count() == 0
    assert broken_rules(page) == []


def test_no_accessibility_rule_is_broken_in_print(visit):
    page = visit("troubled", color_scheme="dark")
    page.emulate_media(media="print")
    assert broken_rules(page) == []


def test_trials_with_seven_factors_fit_a_printed_page_with_words_in_their_headings(visit):
    a4 = {"width": 672, "height": 950}  # less the margins of the style sheet, 96 pixels an inch
    page = visit("seven_factors", viewport=a4)
    page.emulate_media(media="print")
    widths = page.evaluate("[...document.querySelectorAll('table')].map((each) => each.getBoundingClientRect().width)")
    assert max(widths) <= a4["width"]
    lines = page.locator("#trials-table th[data-key=seed]").evaluate(
        "(each) => { const range = document.createRange(); range.selectNodeContents(each);"
        " return new Set([...range.getClientRects()].map((box) => box.top)).size; }"
    )
    assert lines == 1


@pytest.mark.parametrize("name", ["judged", "degradation", "full_grid"])
def test_on_paper_no_number_is_broken_and_every_table_fits(visit, name):
    page = visit(name, viewport={"width": 672, "height": 950})
    page.emulate_media(media="print")
    broken = page.evaluate(
        "[...document.querySelectorAll('td.number')].filter((each) => { const range = document.createRange();"
        " const text = document.createTreeWalker(each, NodeFilter.SHOW_TEXT).nextNode(); if (!text) return false;"
        " if (text.data.trim().includes(' ')) return false;"
        " range.selectNodeContents(text);"
        " return new Set([...range.getClientRects()].map((box) => box.top)).size > 1; }).map((each) => each.innerText)"
    )
    assert broken == []
    widths = page.evaluate("[...document.querySelectorAll('table')].map((each) => each.getBoundingClientRect().width)")
    assert max(widths) <= 672


BROKEN_WORDS = """(selector) => [...document.querySelectorAll(selector)].filter((each) => {
    const text = document.createTreeWalker(each, NodeFilter.SHOW_TEXT).nextNode();
    if (!text) return false;
    const range = document.createRange();
    range.selectNodeContents(text);
    const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
    return lines > each.textContent.trim().split(/[\\s._-]+/).length;
}).map((each) => each.textContent)"""


def test_on_paper_no_word_of_a_heading_or_of_a_failure_is_broken_and_no_figure_is_higher_than_a_page(visit):
    for name, selector in (("all_fail", "#failures td.short"), ("seven_factors", "table.main thead th")):
        page = visit(name, viewport={"width": 672, "height": 950})
        page.emulate_media(media="print")
        assert page.locator(selector).count() > 5
        assert page.evaluate(BROKEN_WORDS, selector) == []
    page = visit("many_rows", viewport={"width": 672, "height": 950})
    page.emulate_media(media="print")
    heights = page.evaluate("[...document.querySelectorAll('.panel svg')].map((each) => each.clientHeight)")
    assert 700 < max(heights) < 900


def test_on_a_phone_a_row_of_several_factors_is_named_in_one_cell(visit):
    page = visit("seven_factors", viewport={"width": 390, "height": 844})
    row = page.locator("table.main tbody tr").nth(3)
    assert row.locator("th:visible").count() == 1
    words = row.locator("th:visible").evaluate("(each) => getComputedStyle(each, '::before').content")
    assert "basic" in words
    assert "shortcut_gate" in words or "identity" in words


@pytest.mark.parametrize("name", ["troubled", "hostile", "one_factor", "judged", "full_grid"])
def test_at_320_pixels_the_page_does_not_scroll_sideways(visit, name):
    page = visit(name, viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_without_a_script_every_trial_and_every_number_can_be_read(visit):
    page = visit("degradation", java_script_enabled=False)
    assert shown_rows(page) == 27
    assert page.locator("button:visible, input:visible").count() == 0
    assert page.locator("table.main").get_by_text("fail (3/3)").count() == 2


def test_without_a_script_the_colours_follow_the_system(visit):
    page = visit("degradation", java_script_enabled=False, color_scheme="dark")
    page.screenshot()
    assert page.locator("html").evaluate("(each) => getComputedStyle(each).backgroundColor") == "rgb(20, 21, 24)"


def test_hostile_names_are_inert_and_shown_as_they_are(visit):
    page = visit("hostile")
    assert page.locator("img").count() == 0
    names = page.locator("table.main tbody th").evaluate_all("(all) => all.map((each) => each.firstChild.textContent)")
    assert names.count(studies.HOSTILE[0]) == 1
    assert page.said == []


def test_the_theme_can_be_chosen_by_hand(visit):
    page = visit("degradation", color_scheme="light")
    page.get_by_role("button", name="Dark theme").click()
    assert page.locator("html").evaluate("(each) => getComputedStyle(each).colorScheme") == "dark"
    assert page.get_by_role("button", name="Light theme").count() == 1


def test_the_first_tab_stop_leads_to_the_results(visit):
    page = visit("degradation")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_column_sorts_by_keyboard_and_says_so(visit):
    page = visit("degradation")
    button = page.locator("#trials-table th[data-key=test_error] button")
    button.focus()
    page.keyboard.press("Enter")
    errors = [float(each) for each in cells(page, 6)]
    assert errors == sorted(errors)
    page.keyboard.press("Enter")
    assert [float(each) for each in cells(page, 6)] == sorted(errors, reverse=True)
    assert page.locator("#trials-table th[data-key=test_error]").get_attribute("aria-sort") == "descending"


def test_trials_without_a_value_sort_last_in_both_directions(visit):
    page = visit("troubled")
    button = page.locator("#trials-table th[data-key=test_error] button")
    for _ in range(2):
        button.click()
        assert cells(page, 6)[-1] == "–"


def test_a_filter_typed_by_keyboard_finds_trials_and_tells_how_many(visit):
    page = visit("degradation")
    page.locator("#filter").focus()
    page.keyboard.type("depth>=56 variant:pre state:ok test_error<50")
    page.get_by_text("6 of 27 trials match").wait_for()
    assert set(cells(page, 3)) == {"preact"}


def test_the_count_of_many_matches_and_the_part_that_is_shown_are_told_apart(visit):
    page = visit("many_rows")
    page.locator("#filter").fill("test_error<8.5")
    page.get_by_text(re.compile(r"^\d+ of 100 trials match; 1 to 50 are shown$")).wait_for()
    assert shown_rows(page) == 50


def test_an_unknown_column_in_a_filter_is_named(visit):
    page = visit("degradation")
    page.locator("#filter").fill("dept:20")
    page.get_by_text('No column is called "dept"').wait_for()


def test_a_filtered_view_is_a_link(visit, report):
    page = visit("degradation")
    page.locator("#filter").fill("variant:plain")
    page.locator("#trials-table th[data-key=seed] button").click()
    page.get_by_text("9 of 27 trials match").wait_for()
    fragment = page.evaluate("location.hash")
    again = visit("degradation", fragment)
    assert shown_rows(again) == 9
    assert cells(again, 4) == sorted(cells(again, 4))


def test_a_link_to_a_trial_shows_and_marks_it(visit):
    trial = studies.degradation().trials[13]
    page = visit("degradation", f"#trial-{trial.id}")
    assert page.locator("tr.target").get_attribute("id") == f"trial-{trial.id}"


def test_a_link_to_a_trial_that_is_filtered_away_shows_it_again(visit):
    trial = studies.degradation().trials[0]
    page = visit("degradation", "#trials?q=variant%3Apreact")
    page.evaluate(f"location.hash = '#trial-{trial.id}'")
    page.locator(f"tr.target#trial-{trial.id}").wait_for()


def test_the_main_table_can_be_copied_as_latex(visit):
    page = visit("degradation")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="LaTeX").click()
    page.get_by_text("LaTeX copied").wait_for()
    assert r"\toprule" in page.evaluate("navigator.clipboard.readText()")


def test_the_copied_csv_reads_back(visit):
    page = visit("degradation")
    text = page.evaluate("JSON.parse(document.getElementById('embedded').textContent).copies.csv")
    assert pd.read_csv(io.StringIO(text))["variant"].tolist() == ["plain", "original", "preact"]


def test_a_page_of_27_trials_stays_below_five_thousand_elements(visit):
    assert visit("degradation").evaluate("document.querySelectorAll('*').length") < 5_000


@pytest.mark.slow
def test_ten_thousand_trials_are_drawn_fifty_at_a_time_sorted_and_paged(visit, report):
    page = visit("large")
    assert report("large").stat().st_size < 6_000_000
    assert page.evaluate("document.querySelectorAll('*').length") < 15_000
    assert shown_rows(page) == 50
    page.locator("#trials-table th[data-key=test_error] button").click()
    assert shown_rows(page) == 50
    page.get_by_role("button", name="Next").click()
    page.get_by_text("51 to 100 of 10,000 trials").wait_for()


@pytest.mark.slow
def test_a_long_list_of_arms_is_filled_when_a_reader_comes_to_it(visit):
    page = visit("large")
    choose = page.locator("#figure-arms").get_by_role("combobox")
    arms = page.evaluate(
        "JSON.parse(document.getElementById('embedded').textContent).figures.arms[0].choice.lines.length"
    )
    assert arms > 200
    assert choose.locator("option").count() == 1
    choose.focus()
    shown = page.locator("#figure-arms").get_by_role("button", name="Remove")
    assert choose.locator("option").count() == 1 + arms - shown.count()
    before = shown.count()
    choose.select_option(index=200)
    assert shown.count() == before + 1
    assert page.said == []


@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_as_many_arms_as_can_be_chosen_stay_inside_the_drawing(visit, width):
    page = visit("seven_factors", viewport={"width": width, "height": 900})
    choose = page.locator("#figure-arms").get_by_role("combobox")
    choose.focus()
    while choose.is_enabled():
        choose.select_option(index=1)
    top, bottom, *names = page.locator("#figure-arms svg[role=img]:visible").evaluate(
        "(svg) => [svg.getBoundingClientRect().top, svg.getBoundingClientRect().bottom,"
        " ...[...svg.querySelectorAll('text[class*=series-]')].map((each) => each.getBoundingClientRect().top)]"
    )
    assert len(names) >= 5
    assert all(top <= each < bottom for each in names)
    assert all(after - before > 8 for before, after in pairwise(sorted(names)))


@pytest.mark.slow
def test_a_large_study_says_without_a_script_where_the_rest_of_its_trials_is(visit):
    page = visit("large", java_script_enabled=False)
    assert page.get_by_text("The first 100 of 10,000 trials").is_visible()


def test_on_a_phone_the_evidence_of_a_claim_is_read_without_scrolling_sideways(visit):
    page = visit("judged", viewport={"width": 390, "height": 844})
    page.locator(".evidence summary").first.click()
    text = page.locator(".evidence details[open] p").first.bounding_box()
    assert text["width"] > 200
    assert text["x"] + text["width"] <= 390


def test_on_a_phone_a_list_of_arms_with_long_names_is_no_wider_than_the_screen(visit):
    page = visit("judged", viewport={"width": 390, "height": 844})
    page.locator("#arm-settings summary").click()
    page.locator("#arm-settings select").evaluate("(each) => each.add(new Option('depth 14, activation '.repeat(9)))")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_trials_that_all_stand_in_the_table_have_no_pages_to_turn(visit):
    page = visit("degradation")
    assert page.locator(".pager button:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".pager").is_hidden()


def test_the_script_writes_numbers_of_trials_as_the_page_does_without_it(open_page, tmp_path):
    whole = small.study(("training.lr", "variant"), {(1e9, "a"): small.near(3), (0.05, "b"): small.near(4)})
    address = write_report(whole, tmp_path).as_uri()
    for has_script in (True, False):
        page = open_page(address, java_script_enabled=has_script)
        cells = page.locator("#trials tbody tr td:nth-child(2)").all_inner_texts()
        assert set(cells) == {"1e+09", "0.05"}


def test_letters_in_printed_diagrams_of_units_are_of_seven_points_at_least(visit):
    page = visit("many_arms", viewport={"width": 672, "height": 950})
    page.emulate_media(media="print")
    sizes = page.locator("#figure-units svg[role=img]").evaluate_all(
        "(all) => all.map((each) => 11 * each.getBoundingClientRect().width / each.viewBox.baseVal.width)"
    )
    assert sizes
    assert min(sizes) * 72 / 96 >= 7
