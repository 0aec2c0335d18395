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
from tests.reports.pairs.made import declared
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


def _replaced(folder, name, before, after):
    content = (folder / name).read_bytes()
    assert before in content, f"{name} has no {before!r}"
    (folder / name).write_bytes(content.replace(before, after, 1))


def test_what_was_changed_by_hand_in_any_part_of_a_report_is_named(tmp_path):
    """Twelve changes at once: numbers, a verdict, cells of tables in each format, data, figures, what is missing."""
    whole = declared("b < a", "b > a").study
    verdicts = verdicts_of(whole)
    write_report(whole, tmp_path, verdicts)
    found = json.loads((tmp_path / "study.json").read_text())
    found["arms"][0]["sd"] = 0.001
    found["verdicts"][0]["verdict"] = "Refuted"
    found["verdicts"][1]["p_holm"] = 0.5
    found["seeds"].pop()
    found["settings"]["training"]["lr"] = 0.2
    (tmp_path / "study.json").write_text(json.dumps(found))
    _replaced(tmp_path, "index.html", b"is refuted", b"is supported")
    _replaced(tmp_path, "tables/main.csv", b"b", b"c")
    _replaced(tmp_path, "tables/main.tex", b"\\textbf{", b"\\textit{")
    _replaced(tmp_path, "tables/claims.md", b"Supported", b"Refuted")
    _replaced(tmp_path, "data/trials.csv", b"COMPLETE", b"DIVERGED")
    _replaced(tmp_path, "figures/claims.svg", b"<svg", b"<svg data-x='1'")
    (tmp_path / "data/curves.csv").unlink()
    lines = verify(*read_published(tmp_path), whole, verdicts)
    name = found["arms"][0]["name"]
    for start in (
        f"arms[{name}].sd: 0.001 in the report, ",
        f'verdicts[{found["verdicts"][0]["claim"]}].verdict: "Refuted" in the report, ',
        f"verdicts[{found['verdicts'][1]['claim']}].p_holm: 0.5 in the report, ",
        "seeds: ",
        "settings.training.lr: 0.2 in the report, 0.1 from the results",
        "index.html: differs",
        "tables/main.csv: differs",
        "tables/main.tex: differs",
        "tables/claims.md: differs",
        "data/trials.csv: differs",
        "figures/claims.svg: differs",
        "data/curves.csv: missing",
    ):
        assert any(line.startswith(start) for line in lines), (start, lines)
    assert len(lines) == 12


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
