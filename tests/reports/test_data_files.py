"""What lies beside the page for other programs: the curves, the citation, the figures for a paper, and odd names."""

import io
import re
import sys
from dataclasses import replace

import pandas as pd
import pytest

from reports.data_files import data_files, has_parquet
from reports.findings import find
from reports.metrics import METRICS
from reports.page import write_report
from reports.sections import sections_of
from reports.sections.data import build
from reports.tables import Column, Table, to_csv, to_markdown
from reports.trials import State
from tests.reports import studies
from tests.reports.small import near, study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    whole = replace(studies.full_grid(), question="Is 50% dropout_2 & {BN} #1?")
    return write_report(whole, tmp_path_factory.mktemp("report")).parent


def test_the_curves_are_the_same_in_csv_and_in_parquet(folder):
    pytest.importorskip("pyarrow")
    text, exact = pd.read_csv(folder / "data/curves.csv"), pd.read_parquet(folder / "data/curves.parquet")
    pd.testing.assert_frame_equal(text, exact, rtol=1e-5, check_dtype=False)
    known = {trial.id: trial.curve[-1].test_error for trial in studies.full_grid().trials}
    last = exact.groupby("trial").last()["test_error"]
    assert last.to_dict() == known


def test_every_drawing_is_there_as_pdf(folder):
    drawings, found = ({path.stem for path in (folder / "figures").glob(f"*.{kind}")} for kind in ("svg", "pdf"))
    assert {"depth", "effects", "curves", "units"} <= drawings == found
    assert all((folder / f"figures/{name}.pdf").read_bytes().startswith(b"%PDF") for name in found)


def test_a_pdf_has_a_page_for_each_panel_and_holds_each_font_once(folder):
    figures = {each.name: each for section in sections_of(find(studies.full_grid())) for each in section.figures}
    assert len(figures["curves"].panels) > 1
    for name in ("curves", "depth"):
        text = (folder / f"figures/{name}.pdf").read_bytes()
        assert text.count(b"/Type /Page ") == len(figures[name].panels)
        fonts = re.findall(rb"/FontName /\w+\+([\w-]+)", text)
        assert len(fonts) == len(set(fonts))


def test_the_citation_is_escaped_keeps_its_case_and_names_the_report(folder):
    text = build(find(replace(studies.full_grid(), question="Is 50% dropout_2 & {BN} #1?"))).content.bibtex
    assert r"title  = {{Is 50\% dropout\_2 \& \{BN\} \#1?}}," in text
    assert [line for line in ("  author = ", "  url    = ") if line not in text] == []
    page = (folder / "index.html").read_text()
    assert "REPORT-ID" not in page


def test_a_nul_in_a_name_ends_no_file(tmp_path):
    page = write_report(study(("variant",), {("a\0b",): near(3), ("c",): near(4)}), tmp_path)
    for file in tmp_path.rglob("*.*"):
        if file.suffix not in (".parquet", ".pdf"):
            assert b"\0" not in file.read_bytes(), file.name
    assert "c" in page.read_text()


@pytest.mark.parametrize("name", ["a|b", "<b>", "&amp;", "*x*", "a\u2028b", "a\0b", "- x", "![x](y)"])
def test_a_name_stays_one_cell_in_markdown_and_in_csv(name):
    table = Table("t", "", (Column("name", "name"),), ((name,),))
    line = to_markdown(table).splitlines()
    assert len(line) == 3
    assert line[2].replace(r"\|", "").count("|") == 2
    assert len(pd.read_csv(io.StringIO(to_csv(table)))) == 1


def test_every_metric_of_a_trial_is_in_its_file(folder):
    table = pd.read_csv(folder / "data/trials.csv")
    assert set(METRICS) - set(table.columns) == set()
    assert (table.gap - (table.test_error - table.train_error)).abs().max() < 1e-9


@pytest.mark.parametrize("factor", ["n", "gap", "lr"])
def test_a_factor_has_the_same_column_in_every_file(factor, tmp_path):
    write_report(study((factor,), {("a",): near(3), ("b",): near(4)}), tmp_path)
    for name in ("data/trials.csv", "tables/arms.csv"):
        assert set(pd.read_csv(tmp_path / name)[f"factor.{factor}"]) == {"a", "b"}, name


def test_a_pyarrow_that_cannot_be_imported_is_as_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert not has_parquet()


def test_an_interrupted_training_has_epochs_in_its_file_and_no_result(tmp_path):
    whole = study(("variant",), {("a",): near(3)})
    first, *others = whole.trials
    waiting = replace(first, state=State.WAITING)
    text = data_files(find(replace(whole, trials=(waiting, *others))))["data/trials.csv"]
    rows = pd.read_csv(io.StringIO(str(text)), dtype={"id": str}).set_index("id")
    assert rows.loc[first.id, "epochs"] == first.curve[-1].epoch
    assert rows.loc[first.id, ["test_error", "train_error", "test_loss", "train_loss", "gap"]].isna().all()
    assert rows.loc[others[0].id, ["test_error", "train_error"]].notna().all()
