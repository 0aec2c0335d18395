"""Figures in a real browser: what a point is, its trial, and lines that can be hidden."""

import re

import pytest
from playwright.sync_api import expect

from tests.reports import studies

pytestmark = pytest.mark.browser


def marks(page, figure, panel=0):
    return page.evaluate(
        "([figure, panel]) => JSON.parse(document.getElementById('embedded').textContent).figures[figure][panel].marks",
        [figure, panel],
    )


def point_at(page, figure, mark, panel=0):
    """Return where a mark stands in the window, its drawing scrolled into view."""
    drawing = page.locator(f"#figure-{figure} svg[role=img]").nth(panel)
    drawing.scroll_into_view_if_needed()
    return drawing.evaluate(
        "(svg, [x, y]) => { const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [at.x, at.y]; }",
        mark[:2],
    )


def test_the_point_under_the_pointer_is_named_and_a_click_leads_to_its_trial(visit):
    page = visit("degradation")
    mark = next(each for each in marks(page, "depth") if each[3].startswith("depth 56"))
    x, y = point_at(page, "depth", mark)
    page.mouse.move(x, y)
    box = page.locator("#figure-depth .readout")
    assert box.is_visible()
    trial = next(each for each in studies.degradation().trials if each.id == mark[4])
    assert f"{trial.test_error:.2f} %" in box.inner_text()
    page.mouse.click(x, y)
    page.locator(f"tr.target#trial-{trial.id}").wait_for()
    assert page.said == []


def test_a_readout_goes_with_the_pointer_and_with_escape(visit):
    page = visit("degradation")
    x, y = point_at(page, "curves", marks(page, "curves")[3])
    page.mouse.move(x, y)
    box = page.locator("#figure-curves .readout:visible")
    assert "% training" in box.inner_text()
    page.keyboard.press("Escape")
    assert box.count() == 0
    page.mouse.move(x + 1, y)
    assert box.count() == 1
    page.mouse.move(2, 2)
    assert box.count() == 0


def test_a_finger_reads_a_point_first_and_follows_it_second(visit):
    page = visit("degradation", has_touch=True)
    mark = marks(page, "depth")[0]
    x, y = point_at(page, "depth", mark)
    page.touchscreen.tap(x, y)
    assert page.locator("#figure-depth .readout:visible").count() == 1
    assert page.evaluate("location.hash") == ""
    page.touchscreen.tap(x, y)
    page.locator("tr.target").wait_for()


def test_a_line_is_hidden_in_every_panel_and_shown_again_by_keyboard(visit):
    page = visit("degradation")
    button = page.locator("#figure-curves").get_by_role("button", name="preact")
    drawn = page.locator("#figure-curves .series-2:visible").count()
    assert drawn > 6
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert page.locator("#figure-curves .series-2:visible").count() == 0
    assert page.locator("#figure-curves .series-1:visible").count() > 0
    assert page.locator("#figure-depth .series-2:visible").count() > 0
    page.keyboard.press("Enter")
    assert page.locator("#figure-curves .series-2:visible").count() == drawn


def test_a_hidden_line_has_no_readout(visit):
    page = visit("degradation")
    mark = next(each for each in marks(page, "depth") if each[3].startswith("depth 110, 9"))
    x, y = point_at(page, "depth", mark)
    page.locator("#figure-depth").get_by_role("button", name="plain").click()
    x, y = point_at(page, "depth", mark)
    page.mouse.move(x, y)
    assert page.locator("#figure-depth .readout:visible").count() == 0


def test_without_a_script_no_line_is_hidden_and_no_button_is_there(visit):
    page = visit("degradation", java_script_enabled=False)
    assert page.locator("[data-figure] button, .readout").count() == 0
    assert page.locator("#figure-curves .series-2").first.is_visible()


def last_points(page, selector):
    """Return the pixels of each path's points from left to right, of the paths that are drawn by epoch."""
    return page.evaluate(
        "(selector) => [...document.querySelectorAll(selector)].map((path) => { const all = path.getTotalLength();"
        " return [path.getPointAtLength(0), path.getPointAtLength(all)].map((at) => [at.x, at.y]); })",
        selector,
    )


def test_epochs_can_stand_on_a_logarithmic_axis_and_on_the_linear_one_again(visit):
    page = visit("degradation")
    figure = page.locator("#figure-curves")
    first, last, epochs = page.evaluate(
        "JSON.parse(document.getElementById('embedded').textContent).figures.curves[0].epochs"
    )
    assert epochs == 10
    lines = "#figure-curves .panel:nth-child(1) path.by-epoch.series-2"
    before, ticks = last_points(page, lines), figure.locator("text.epoch-axis:visible").all_inner_texts()
    drop = figure.locator(".panel").first.locator("path.by-epoch:not([class*=series])")
    linear = drop.bounding_box()["x"]
    figure.get_by_role("button", name="Logarithmic epochs").click()
    svg = figure.locator("svg[role=img]").first
    numbers = {
        each.text_content(): float(each.get_attribute("x")) for each in svg.locator("text.epoch-axis:visible").all()
    }
    assert numbers["2"] == pytest.approx(first + (last - first) * 0.30103, abs=0.2)
    assert {"1", "5", "10"} <= set(numbers)
    assert drop.bounding_box()["x"] > linear
    band = svg.locator("g.by-epoch.series-2 use").first.evaluate(
        "(use) => document.querySelector(use.getAttribute('href')).getAttribute('d')"
    )
    second = [float(each) for each in re.findall(r"[ML]([\d.]+)", band)][2]
    assert second == pytest.approx(numbers["2"], abs=0.2)
    for (start, end), (start_then, end_then) in zip(last_points(page, lines), before, strict=True):
        assert start == pytest.approx(start_then, abs=0.2)
        assert end == pytest.approx(end_then, abs=0.2)
    figure.get_by_role("button", name="Logarithmic epochs").click()
    assert figure.locator("text.epoch-axis:visible").all_inner_texts() == ticks
    assert drop.bounding_box()["x"] == linear
    assert page.said == []


def test_a_readout_finds_the_point_where_the_logarithmic_axis_has_it(visit):
    page = visit("degradation")
    page.locator("#figure-curves").get_by_role("button", name="Logarithmic epochs").click()
    first, last, _ = page.evaluate(
        "JSON.parse(document.getElementById('embedded').textContent).figures.curves[2].epochs"
    )
    mark = next(each for each in marks(page, "curves", 2) if each[3].startswith("epoch 2:"))
    page.mouse.move(*point_at(page, "curves", [first + (last - first) * 0.30103, mark[1]], 2))
    assert "epoch 2:" in page.locator("#figure-curves .readout:visible").inner_text()


def test_a_reader_adds_an_arm_to_the_curves_and_removes_one(visit):
    page = visit("degradation")
    figure = page.locator("#figure-arms")
    choice = page.evaluate("JSON.parse(document.getElementById('embedded').textContent).figures.arms[0].choice")
    names = [name for name, *_ in choice["lines"]]
    assert len(names) == 9
    shown = {names[at] for _, at in choice["shown"]}
    lowest = min(choice["lines"], key=lambda line: line[2][-1] if "fails" not in line[0] else 1e9)[0]
    assert lowest in shown
    assert figure.get_by_role("button", name="Remove").count() == len(shown)
    added = next(name for name in names if name not in shown)
    figure.get_by_role("combobox").select_option(label=added)
    assert figure.get_by_role("button", name=f"Remove {added}").count() == 1
    assert added not in figure.get_by_role("combobox").inner_text()
    figure.get_by_role("button", name=f"Remove {lowest}").click()
    assert figure.get_by_role("button", name=f"Remove {lowest}").count() == 0
    assert lowest in figure.get_by_role("combobox").inner_text()
    ends = figure.locator("svg.broad text[class*=series-]").all_text_contents()
    assert len(ends) == len(shown)
    assert page.said == []


def test_after_two_epochs_arms_can_be_chosen_and_no_logarithmic_axis_is_offered(visit):
    page = visit("two_epochs")
    figure = page.locator("#figure-arms")
    before = figure.get_by_role("button", name="Remove").count()
    figure.get_by_role("combobox").select_option(label="recipe 7")
    assert figure.get_by_role("button", name="Remove").count() == before + 1
    assert figure.get_by_role("button", name="Logarithmic").count() == 0
    paths = figure.locator("path.by-epoch[d]").evaluate_all("(each) => each.map((one) => one.getAttribute('d'))")
    assert paths
    assert not any("NaN" in each or "Infinity" in each for each in paths)
    assert page.said == []


def test_an_arm_that_is_added_again_is_drawn_where_the_page_had_it(visit):
    page = visit("full_grid")
    figure = page.locator("#figure-arms")
    solid = "#figure-arms svg.broad path.by-epoch.series-0[stroke-width='1.7']"
    (before,) = last_points(page, solid)
    name = figure.get_by_role("button", name="Remove").first.get_attribute("aria-label").removeprefix("Remove ")
    figure.get_by_role("button", name="Remove").first.click()
    figure.get_by_role("combobox").select_option(label=name)
    (after,) = last_points(page, solid)
    for then, now in zip(before, after, strict=True):
        assert now == pytest.approx(then, abs=0.3)


def test_five_arms_are_the_most_and_a_logarithmic_axis_stays(visit):
    page = visit("degradation")
    figure = page.locator("#figure-arms")
    figure.get_by_role("button", name="Logarithmic epochs").click()
    choose = figure.get_by_role("combobox")
    while figure.get_by_role("button", name="Remove").count() < 5:
        choose.select_option(index=1)
    assert choose.is_disabled()
    first, last, _ = page.evaluate("JSON.parse(document.getElementById('embedded').textContent).figures.arms[0].epochs")
    d = figure.locator("svg.broad path.by-epoch.series-4:not([stroke-dasharray])").get_attribute("d")
    second = [float(each) for each in re.findall(r"[ML]([\d.]+)", d)][1]
    assert second == pytest.approx(first + (last - first) * 0.30103, abs=0.2)


def test_a_reader_asks_for_the_settings_of_one_arm(visit):
    page = visit("degradation")
    page.locator("#arm-settings summary").click()
    rows = page.locator("#arm-settings tbody tr")
    every = rows.count()
    page.locator("#arm-settings select").select_option(label="preact at depth 56")
    assert rows.all_inner_texts() == ["preact at depth 56\tnetwork.activation\toriginal\tfull_preact"]
    page.locator("#arm-settings select").select_option(index=0)
    assert rows.count() == every > 1


@pytest.mark.parametrize("name", ["effects", "cost"])
def test_a_point_of_one_arm_leads_to_the_trials_of_that_arm(visit, name):
    page = visit("degradation")
    mark = next(each for each in marks(page, name, 0) if len(each) > 5)
    page.locator(f"#figure-{name} svg[role=img]").first.scroll_into_view_if_needed()
    page.mouse.move(*point_at(page, name, mark, 0))
    assert "click to see its trials" in page.locator(f"#figure-{name} .readout:visible").inner_text()
    page.mouse.down()
    page.mouse.up()
    shown = page.locator("#trials-table tbody tr")
    expect(page.locator("#filter")).not_to_have_value("")  # the page follows its new address a little later
    assert page.locator("#filter-status").inner_text().startswith("3 of ")
    assert shown.count() == 3
    assert page.said == []


def test_below_a_trial_that_is_linked_to_stand_its_settings_against_the_baseline(visit):
    page = visit("degradation")
    arms = page.evaluate("JSON.parse(document.getElementById('embedded').textContent).armSettings")
    trials = page.evaluate("JSON.parse(document.getElementById('embedded').textContent).trials")
    row = next(at for at, arm in enumerate(trials["arms"]["values"]) if trials["arms"]["words"][arm] == arms["arms"][0])
    page.goto(f"{page.url.partition('#')[0]}#trial-{trials['ids'][row]}")
    below = page.locator("tr.of-trial")
    assert below.count() == 1
    own = [cells for at, *cells in arms["rows"] if at == 0]
    assert below.locator("table tr").count() == 1 + len(own)
    assert below.locator("table tr").nth(1).locator("td").all_inner_texts() == own[0]
