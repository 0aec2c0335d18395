"""The sections of a search in a real browser: accessible, drawn, and within the page at any width."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from reports.page import write_report
from tests.browser.accessibility import broken_rules
from tests.browser.test_figures import marks, point_at
from tests.reports import searches

pytestmark = pytest.mark.browser

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "mobile": {"viewport": {"width": 320, "height": 640}},
    "print": {"color_scheme": "dark"},
}
SECTIONS = ("#search", "#samplers", "#confirmation")
FIGURES = ("search-progress", "search-parallel", "search-slices", "samplers")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the path of the page of an invented search that was replayed, written once."""
    others = [searches.configuration(name, gain=1.0) for name in ("tpe", "gp", "nsga2", "nsga3", "grid")]
    others.append(searches.configuration("random, asha", gain=0.0, stops=True))
    page = write_report(searches.replayed(*others), tmp_path_factory.mktemp("searched"))
    return lambda name: page


@pytest.fixture
def seen(visit) -> Callable[[str], object]:
    """Open the page in one of the looks, with all that is folded opened."""

    def look_at(look: str) -> object:
        page = visit("searched", **LOOKS[look])
        if look == "print":
            page.emulate_media(media="print")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        return page

    return look_at


@pytest.mark.parametrize("look", LOOKS)
def test_no_accessibility_rule_is_broken_in_the_sections_of_a_search(seen, look):
    page = seen(look)
    for section in SECTIONS:
        assert page.locator(section).is_visible()
        assert broken_rules(page, section) == []
    assert page.said == []


@pytest.mark.parametrize("look", LOOKS)
def test_no_figure_of_a_search_is_empty(seen, look):
    page = seen(look)
    for name in FIGURES:
        drawings = page.locator(f"#figure-{name} svg[role=img]:visible").all()
        assert drawings
        for drawing in drawings:
            box = drawing.bounding_box()
            assert box["width"] > 100
            assert box["height"] > 80
            colours = drawing.evaluate(
                "(svg) => [...svg.querySelectorAll('path')].map((path) => getComputedStyle(path).stroke)"
            )
            ground = page.locator("body").evaluate("(each) => getComputedStyle(each).backgroundColor")
            assert len({colour for colour in colours if colour not in ("none", ground)}) >= 2
            for label in ("title", "desc"):
                assert drawing.locator(label).text_content().strip()


@pytest.mark.parametrize("look", ["light", "dark", "mobile"])
def test_a_search_does_not_scroll_sideways(seen, look):
    page = seen(look)
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]


def test_on_paper_nothing_of_a_search_is_cut_off(visit):
    page = visit("searched", viewport={"width": 680, "height": 900})  # an A4 page within its margins
    page.emulate_media(media="print")
    for section in SECTIONS:
        wide = page.locator(f"{section} :is(table, svg[role=img], p)").evaluate_all(
            "(all) => all.map((each) => each.getBoundingClientRect().right)"
        )
        assert wide
        assert max(wide) <= 680


def test_the_words_of_the_parallel_axes_stay_inside_their_drawing(seen):
    page = seen("light")
    drawing = page.locator("#figure-search-parallel svg[role=img]:visible")
    outer = drawing.bounding_box()
    texts = drawing.locator("text")
    assert texts.count() > 30
    for text in texts.all():
        box = text.bounding_box()
        assert box["x"] >= outer["x"] - 4
        assert box["x"] + box["width"] <= outer["x"] + outer["width"] + 4


def test_the_levels_of_a_parallel_axis_do_not_touch(seen):
    texts = seen("light").locator("#figure-search-parallel svg[role=img]:visible text").all()
    boxes = sorted(
        (round(box["y"]), box["x"], box["x"] + box["width"]) for box in (each.bounding_box() for each in texts)
    )
    for (row, _, end), (next_row, start, _) in pairwise(boxes):
        assert row != next_row or end < start


@pytest.mark.parametrize(("look", "place"), [("light", 0), ("mobile", 1)])
def test_a_range_drawn_on_an_axis_leaves_the_arms_that_lie_in_it(visit, look, place):
    page = visit("searched", **LOOKS[look])
    figure = page.locator("#figure-search-parallel")
    ranges = page.evaluate(
        "(at) => JSON.parse(document.getElementById('embedded').textContent).figures['search-parallel'][at].ranges",
        place,
    )
    drawing = figure.locator("svg[role=img]:visible")
    drawing.scroll_into_view_if_needed()

    def at(share, row=0):
        x, y = ranges["left"] + share * ranges["width"], ranges["rows"][row]
        return drawing.evaluate(
            "(svg, [x, y]) => { const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());"
            " return [at.x, at.y]; }",
            [x, y],
        )

    places = sorted(line[0] for line in ranges["lines"])
    end = sum(max(pairwise(places), key=lambda pair: pair[1] - pair[0])) / 2  # no line is near it
    page.mouse.move(*at(-0.02))  # beyond the end of the axis: pixels round
    page.mouse.down()
    page.mouse.move(*at(end))
    page.mouse.up()
    inside = [place for place, line in enumerate(ranges["lines"]) if line[0] <= end]
    assert 0 < len(inside) < len(ranges["lines"])
    assert f"{len(inside)} of {len(ranges['lines'])} arms" in figure.get_by_role("status").inner_text()
    faint = "(all) => [...new Set(all.map((each) => each.getAttribute('class').match(/line-(\\d+)/)[1]))].length"
    assert drawing.locator(".faint").evaluate_all(faint) == len(ranges["lines"]) - len(inside)
    figure.get_by_role("button", name="Clear ranges").click()
    assert drawing.locator(".faint").count() == 0
    assert page.said == []


@pytest.mark.parametrize("name", ["search-progress", "search-slices"])
def test_a_point_of_a_search_is_named_and_leads_to_its_row(visit, name):
    page = visit("searched")
    mark = next(each for each in marks(page, name, 0) if page.locator(f"#{each[5]}").count())
    page.locator(f"#figure-{name} svg[role=img]").first.scroll_into_view_if_needed()
    page.mouse.move(*point_at(page, name, mark, 0))
    told = page.locator(f"#figure-{name} .readout:visible").inner_text()
    assert "click to see it in the table" in told
    page.mouse.down()
    page.mouse.up()
    place = page.evaluate("location.hash").removeprefix("#")
    assert place.startswith("search-arm-")
    row = page.locator(f"#{place}")
    assert row.locator("td").first.inner_text() == place.removeprefix("search-arm-")
    assert told.startswith(f"arm {row.locator('td').first.inner_text()}: {row.locator('td').nth(1).inner_text()} %")
    assert page.said == []


def test_a_range_is_picked_by_keyboard(visit):
    page = visit("searched")
    figure = page.locator("#figure-search-parallel")
    ranges = page.evaluate(
        "JSON.parse(document.getElementById('embedded').textContent).figures['search-parallel'][0].ranges"
    )
    axis = figure.get_by_role("combobox", name="Axis")
    axis.focus()
    page.keyboard.press("ArrowDown")
    assert axis.input_value() == "1"
    page.keyboard.press("Tab")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    low = figure.get_by_role("slider", name="from")
    assert low.input_value() == "10"
    assert low.get_attribute("aria-valuetext").startswith("10 % of the axis, near ")
    inside = [line for line in ranges["lines"] if line[1] >= 0.1]
    assert 0 < len(inside) < len(ranges["lines"])
    assert f"{len(inside)} of {len(ranges['lines'])} arms" in figure.get_by_role("status").inner_text()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert "Draw along an axis" in figure.get_by_role("status").inner_text()
