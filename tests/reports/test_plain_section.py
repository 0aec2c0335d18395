"""A section without a template of its own: its tables and notes stand on the page, and its table beside it."""

import pytest

import reports.sections
from reports.findings import Findings
from reports.page import write_report
from reports.sections.section import Notes, Section
from reports.tables import Column, Table
from tests.reports import studies


def seeds_section(findings: Findings) -> Section:
    table = Table(
        "seed-list", "Every seed.", (Column("seed", "seed", is_number=True),), tuple((s,) for s in findings.seeds)
    )
    return Section("seed-list", "Seeds", Notes(("Seeds <that> were compared.",)), tables=(table,))


def test_a_new_section_needs_its_file_and_its_place_alone(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    builders = (*reports.sections._BUILDERS, ("seed-list", seeds_section))
    monkeypatch.setattr(reports.sections, "_BUILDERS", builders)
    write_report(studies.degradation(), tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    section = text[text.index('<section id="seed-list"') :]
    section = section[: section.index("</section>")]
    assert "<caption>Every seed." in section
    assert '<p class="note">Seeds &lt;that&gt; were compared.</p>' in section
    assert 'href="#seed-list">Seeds</a>' in text
    assert (tmp_path / "tables/seed-list.csv").exists()


def test_a_table_without_a_row_can_be_written_in_every_form(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = (Column("seed", "seed", is_number=True), Column("note", "note"))
    empty = Section("seed-list", "Seeds", Notes(), tables=(Table("seed-list", "Every seed.", columns, ()),))
    builders = (*reports.sections._BUILDERS, ("seed-list", lambda findings: empty))
    monkeypatch.setattr(reports.sections, "_BUILDERS", builders)
    write_report(studies.degradation(), tmp_path)
    assert (tmp_path / "tables/seed-list.csv").read_text(encoding="utf-8").splitlines() == ['"seed","note"']
    for form in ("md", "tex"):
        assert "note" in (tmp_path / f"tables/seed-list.{form}").read_text(encoding="utf-8")
