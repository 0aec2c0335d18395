"""The badge, the digest, and a published report held against its results."""

import json
from xml.etree import ElementTree

import pytest

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.badge import badge
from reports.digest import markdown_digest
from reports.findings import find
from reports.page import write_report
from reports.verification import read_published, verify
from tests.reports import studies
from tests.reports.small import near, study


@pytest.fixture(scope="module")
def small():
    return study(("variant",), {("a",): near(3), ("b",): near(4)}, baseline={"variant": "a"})


def verdicts_of(whole):
    return judge(whole, parse_claims(whole.settings.get("claims"), whole.factors))


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
    (tmp_path / "a.yaml").touch()
    with pytest.raises(ValueError, match=f"{tmp_path}/a.yaml belongs to no report, .* study.json"):
        read_published(tmp_path / "a.yaml")
    with pytest.raises(ValueError, match=f"{tmp_path} holds no report, .* study.json"):
        read_published(tmp_path)
    with pytest.raises(ValueError, match=f"there is no {tmp_path / 'index.html'}: name the folder"):
        read_published(tmp_path / "index.html")
    (tmp_path / "index.html").touch()
    with pytest.raises(ValueError, match=f"{tmp_path}/index.html belongs to no report, .* study.json"):
        read_published(tmp_path / "index.html")


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
