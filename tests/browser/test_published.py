"""The pages beside the report, in a browser: the index of a published site, and the differences of two studies."""

import json
from dataclasses import replace

import pytest

from reports.diff import compare
from reports.diff_formats import diff_text
from reports.page import report_files
from reports.publishing.destination import Destination
from reports.publishing.site import plan_publication, write_publication
from tests.browser.accessibility import broken_rules
from tests.reports import studies
from tests.reports.small import near, study

pytestmark = pytest.mark.browser
LOOKS = {"light": {}, "dark": {"color_scheme": "dark"}, "mobile": {"viewport": {"width": 320, "height": 640}}}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A site of two studies, one in two versions, and a page of differences."""
    folder = tmp_path_factory.mktemp("site")
    small = study(("variant",), {("a",): near(3), ("b",): near(4)}, baseline={"variant": "a"})
    published = [replace(small, name="first"), replace(small, name="second", question="Does width help?")]
    site = Destination(str(folder))
    for each in ([published[0], published[1]], [replace(published[0], question="Asked anew?")]):
        write_publication(site, plan_publication(site, [report_files(one) for one in each]))
    sides = [json.loads(report_files(each)["study.json"]) for each in (studies.judged(), studies.troubled())]
    (folder / "diff.html").write_text(diff_text(compare(*sides), ("one", "the other"), "html"), encoding="utf-8")
    return folder


@pytest.fixture
def opened(open_page, pages):
    return lambda name, **options: open_page((pages / name).as_uri(), **options)


def test_the_index_is_searched_and_leads_to_each_version(opened):
    page = opened("index.html")
    page.locator("#search").fill("WIDTH help")
    page.get_by_text("1 of 2 match").wait_for()
    assert page.locator("tbody tr:visible").count() == 1
    page.locator("#search").fill("")
    assert page.locator("tbody tr:visible").count() == 2
    page.locator("tbody tr", has_text="first").locator("td a").click()
    page.get_by_role("heading", name="Provenance").wait_for()
    assert "/studies/first/" in page.url
    assert "latest" not in page.url
    assert page.said == []


def test_the_index_is_whole_without_a_script(opened):
    page = opened("index.html", java_script_enabled=False)
    assert page.locator("tbody tr:visible").count() == 2
    assert page.locator("input:visible").count() == 0


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ["index.html", "diff.html"])
def test_no_accessibility_rule_is_broken(opened, name, look):
    page = opened(name, **LOOKS[look])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert broken_rules(page) == []
    assert page.said == []
