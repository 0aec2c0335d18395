"""The published site in `docs/example-site`: whole, small, and in agreement with the page that tells its verdicts."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from orchestrator.presets import GROUPS
from reports.analysis.many import holm
from reports.analysis.threshold import decides

STUDIES = GROUPS["article"]
DOCS = Path(__file__).parents[2] / "docs"
SITE = DOCS / "example-site"
PAGES = sorted(SITE.rglob("index.html"))
MOST_BYTES = 5_000_000


def test_it_is_small_enough_for_a_repository() -> None:
    assert sum(file.stat().st_size for file in SITE.rglob("*") if file.is_file()) <= MOST_BYTES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.parent.relative_to(DOCS)))
def test_everything_that_a_page_links_to_is_there(page: Path) -> None:
    targets = {unescape(each) for each in re.findall(r'\b(?:href|src)="([^"#]+)', page.read_text(encoding="utf-8"))}
    local = {unquote(each) for each in targets if not re.match(r"[a-z]+:", each)}
    assert len(local) >= len(STUDIES)
    assert sorted(each for each in local if not (page.parent / each).exists()) == []


def test_a_study_has_all_the_files_that_its_summary_lists() -> None:
    assert {each.name for each in (SITE / "studies").iterdir()} == set(STUDIES)
    for name in STUDIES:
        folder = SITE / "studies" / name / "latest"
        listed = json.loads((folder / "study.json").read_text(encoding="utf-8"))["files"]
        there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
        assert there == set(listed)


def test_the_page_on_the_article_tells_the_verdicts_of_the_site() -> None:
    rows = re.findall(r"^\| \d+ \| .* \| `([\w-]+)` \| (.*) \|$", (DOCS / "article.md").read_text(), re.MULTILINE)
    told = {(study, claim): verdict for study, cell in rows for claim, verdict in re.findall(r"`([\w-]+)` (\w+)", cell)}
    found = {
        (name, each["claim"]): each["verdict"]
        for name in GROUPS["article"]
        for each in json.loads((SITE / "studies" / name / "latest/study.json").read_text(encoding="utf-8"))["verdicts"]
    }
    assert told == found


def test_the_page_on_the_article_tells_what_one_family_of_all_claims_would_change() -> None:
    files = [SITE / "studies" / name / "latest/study.json" for name in GROUPS["article"]]
    verdicts = [each for file in files for each in json.loads(file.read_text(encoding="utf-8"))["verdicts"]]
    together = holm([each["p_look"] for each in verdicts])
    changed = [
        f"`{each['claim']}` (Holm's p {p:.3f} instead of {each['p_holm']:.3f})"
        for each, p in zip(verdicts, together, strict=True)
        if decides(each["p_holm"]) and not decides(p)
    ]
    page = " ".join((DOCS / "article.md").read_text(encoding="utf-8").split())
    these = f"these verdicts of this run would be Inconclusive: {', '.join(changed)}."
    told = these if changed else "every verdict of this run would be the same."
    assert f"Corrected as one family of {len(verdicts)} claims, {told}" in page


def test_it_names_no_folder_of_the_machine_that_made_it() -> None:
    for file in SITE.rglob("*"):
        if file.suffix in {".html", ".json", ".md", ".csv"}:
            assert not re.search(r"(?<![\w.:/])/(?:tmp|home|root|work)/", file.read_text(encoding="utf-8")), file
