"""The site that is published, the badge, the digest, and a published report held against its results."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.badge import badge
from reports.digest import markdown_digest
from reports.findings import find
from reports.page import report_files, write_report
from reports.site import plan_publication, write_publication
from reports.verification import read_published, verify
from tests.reports import studies
from tests.reports.small import near, study


@pytest.fixture(scope="module")
def small():
    return study(("variant",), {("a",): near(3), ("b",): near(4)}, baseline={"variant": "a"})


@pytest.fixture(scope="module")
def files(small):
    return report_files(small)


def verdicts_of(whole):
    return judge(whole, parse_claims(whole.settings.get("claims"), whole.factors))


def test_a_site_has_an_index_the_latest_report_and_its_version(tmp_path, files):
    write_publication(tmp_path, plan_publication(tmp_path, [files]))
    report = json.loads(files["study.json"])["report"]
    for version in (report, "latest"):
        assert (tmp_path / f"studies/degradation/{version}/index.html").is_file()
    assert 'href="studies/degradation/latest/index.html"' in (tmp_path / "index.html").read_text()


def test_publishing_twice_writes_nothing(tmp_path, files):
    write_publication(tmp_path, plan_publication(tmp_path, [files]))
    assert plan_publication(tmp_path, [files]) == {}


def test_an_older_version_stays_and_another_publishers_study_is_listed(tmp_path, small, files):
    write_publication(tmp_path, plan_publication(tmp_path, [files]))
    other = report_files(replace(small, name="other"))
    newer = report_files(replace(small, question="Asked anew?"))
    write_publication(tmp_path, plan_publication(tmp_path, [other]))
    write_publication(tmp_path, plan_publication(tmp_path, [newer]))
    index = (tmp_path / "index.html").read_text()
    first = json.loads(files["study.json"])["report"]
    assert f"studies/degradation/{first}/index.html" in index
    assert "studies/other/latest/index.html" in index
    assert (tmp_path / f"studies/degradation/{first}/index.html").read_bytes() == files["index.html"].encode()


def test_a_report_is_what_its_results_give(tmp_path, small):
    write_report(small, tmp_path)
    assert verify(*read_published(tmp_path / "index.html"), small, ()) == ()


def test_a_number_and_a_file_that_were_changed_by_hand_are_named(tmp_path, small):
    write_report(small, tmp_path)
    found = json.loads((tmp_path / "study.json").read_text())
    found["arms"][0]["mean"] = 1.0
    (tmp_path / "study.json").write_text(json.dumps(found))
    (tmp_path / "tables/main.md").write_text("better")
    (tmp_path / "data/trials.csv").unlink()
    lines = verify(*read_published(tmp_path), small, ())
    assert "arms[variant=a].mean: 1.0 in the report, 3.0 from the results" in lines
    assert "tables/main.md: differs from what the results give" in lines
    assert "data/trials.csv: missing" in lines


def test_a_folder_without_a_report_is_refused(tmp_path):
    with pytest.raises(ValueError, match="name the folder of a report"):
        read_published(tmp_path)


@pytest.mark.parametrize("name", ["judged", "degradation"])
def test_a_badge_counts_the_verdicts(name):
    whole = getattr(studies, name)()
    text = badge(verdicts_of(whole) if name == "judged" else ())
    label = ElementTree.fromstring(text).attrib["aria-label"]
    assert label == ("8 claims: 5 supported, 2 refuted, 1 open" if name == "judged" else "claims: none declared")


def test_the_digest_has_the_headline_the_claims_and_the_table():
    whole = studies.judged()
    text = markdown_digest(find(whole, verdicts_of(whole)))
    assert text.startswith("## degradation\n")
    assert "Of 8 declared claims, 5 are supported, 2 are refuted and 1 is inconclusive." in text
    assert "| Supported | preact \\< original, where depth == 110, by 0.5 |" in text
    assert "| preact |" in text
