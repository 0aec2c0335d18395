"""What a reader meets first: the answer beside its figure, claims that unfold, a running study that reloads."""

import pytest

pytestmark = pytest.mark.browser


def test_the_page_of_a_running_study_says_how_old_it_is_and_another_does_not(visit):
    page = visit("troubled", alone=True)
    page.clock.install(time="2026-03-14T09:20:00Z")
    page.reload()
    assert "Last result on this page: " in page.locator(".progress").inner_text()
    assert visit("degradation").locator(".age").count() == 0


def test_the_page_of_a_running_study_reloads_itself_unless_a_reader_has_opened_something(visit):
    page = visit("troubled", alone=True)
    page.clock.install()
    page.reload()
    page.evaluate("window.marked = true")
    page.locator("figcaption summary").first.click()
    page.clock.run_for(61_000)
    assert page.evaluate("window.marked") is True
    page.locator("figcaption summary").first.click()
    page.evaluate("document.activeElement.blur()")
    with page.expect_navigation():
        page.clock.run_for(61_000)
    assert page.evaluate("window.marked") is None


def test_a_claim_unfolds_its_evidence_and_a_link_to_it_opens_it(visit):
    page = visit("judged")
    evidence = page.locator("#claim-better details")
    assert evidence.get_attribute("open") is None
    page.locator("#claim-better summary").click()
    assert evidence.get_attribute("open") is not None
    linked = visit("judged", "#claim-worse")
    assert linked.locator("#claim-worse details").get_attribute("open") is not None


def test_a_box_is_a_tab_stop_only_where_it_scrolls(visit):
    wide, narrow = visit("degradation"), visit("degradation", viewport={"width": 320, "height": 640})
    box = "document.querySelector('#trials .scroll').tabIndex"
    assert wide.evaluate(box) == -1
    assert narrow.evaluate(box) == 0


def test_the_first_screen_shows_the_answer_and_the_figure_side_by_side(visit):
    page = visit("degradation")
    sentence, figure = (page.locator(each).bounding_box() for each in (".brief", ".lead svg:visible"))
    assert figure["x"] > sentence["x"] + 0.9 * sentence["width"]
    assert figure["y"] + figure["height"] < 900
    assert page.locator(".progress").count() == 0


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["degradation", "one_factor"])
def test_the_words_of_the_first_figure_can_be_read(visit, name, width):
    page = visit(name, viewport={"width": width, "height": 800})
    sizes = page.locator(".lead svg[role=img]:visible text").evaluate_all(
        "(all) => all.map((each) => parseFloat(each.getAttribute('font-size')) * each.ownerSVGElement.getScreenCTM().a)"
    )
    assert len(sizes) > 5
    assert min(sizes) > 7.9
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_study_of_many_arms_shows_the_lowest_of_them_beside_the_answer(visit):
    page = visit("many_arms")
    sentence, figure = (page.locator(each).bounding_box() for each in (".brief", ".lead svg"))
    assert figure["x"] > sentence["x"] + 0.9 * sentence["width"]
    assert figure["y"] + figure["height"] < 900
    drawing = page.locator(".lead svg[role=img]")
    marks = page.evaluate("JSON.parse(document.getElementById('embedded').textContent).figures.lowest.at(-1).marks")
    at = drawing.evaluate(
        "(svg, [x, y]) => { const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [at.x, at.y]; }",
        marks[0][:2],
    )
    page.mouse.move(*at)
    assert page.locator(".lead .readout").inner_text().startswith("recipe 24: ")


@pytest.mark.parametrize("figure", ["#figure-effects", "#figure-claims", "#figure-shares", "#figure-lowest"])
def test_names_and_numbers_of_rows_are_within_a_phones_screen_and_large_enough(visit, figure):
    name = {"#figure-claims": "judged", "#figure-shares": "full_grid", "#figure-lowest": "many_arms"}
    page = visit(name.get(figure, "degradation"), viewport={"width": 390, "height": 800})
    drawing = page.locator(f"{figure} svg[role=img]:visible")
    assert drawing.count() == 1
    boxes = drawing.locator("text").evaluate_all(
        "(all) => all.map((each) => [each.getBoundingClientRect().right, each.getBoundingClientRect().left, "
        "parseFloat(each.getAttribute('font-size')) * each.ownerSVGElement.getScreenCTM().a])"
    )
    assert len(boxes) > 5
    assert max(right for right, _, _ in boxes) <= 390
    assert min(left for _, left, _ in boxes) >= 0
    assert min(size for _, _, size in boxes) > 9.5
