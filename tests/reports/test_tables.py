import io
import json

import pandas as pd
import pytest

from reports.page import write_report
from reports.tables import (
    Column,
    Table,
    csv_text,
    escape_latex,
    escape_markdown,
    render_frame,
    to_csv,
    to_latex,
    to_markdown,
)
from tests.reports import studies


def table(*rows):
    return Table("t", "A caption", (Column("name", "Name"), Column("error", "error, %", 2, is_number=True)), rows)


def test_csv_keeps_full_precision_and_negative_numbers():
    assert to_csv(table(("a", -1.23456789))) == '"name","error"\n"a",-1.23456789\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1"])
def test_csv_text_that_a_sheet_would_run_is_made_inert(text):
    assert to_csv(table((text, 1.0))).splitlines()[1].startswith("\"'")


def test_csv_quotes_quotes_and_lines():
    text = csv_text(["a"], [['x "y"\nz']])
    assert pd.read_csv(io.StringIO(text))["a"][0] == 'x "y"\nz'


def test_csv_header_is_inert_too():
    assert csv_text(["=a"], []) == '"\'=a"\n'


def test_markdown_escapes_pipes_and_emphasis():
    assert escape_markdown("a|b*c_`d`\ne") == r"a\|b\*c\_\`d\` e"


def test_markdown_is_a_table_with_aligned_numbers():
    lines = to_markdown(table(("a|b", -1.5))).splitlines()
    assert lines[2:] == ["| Name | error, % |", "| :--- | ---: |", r"| a\|b | −1.50 |"]


def test_latex_uses_booktabs_and_escapes():
    text = to_latex(table(("50 %_&", None)))
    assert r"\toprule" in text
    assert r"50 \%\_\& & -- \\" in text


def test_latex_typesets_what_it_has_and_names_what_it_has_not():
    assert escape_latex("5.3 ± 0.1 − é \U0001f600") == r"5.3 $\pm$ 0.1 $-$ é \texttt{U+1F600}"


@pytest.mark.parametrize("name", studies.HOSTILE)
def test_latex_of_a_hostile_name_has_balanced_braces_and_no_bare_specials(name):
    text = escape_latex(name)
    bare = text.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert "\n" not in text
    for special in "%&#_":
        assert text.count(special) == text.count("\\" + special)


def test_trials_csv_round_trips_to_pandas(tmp_path):
    study = studies.degradation()
    write_report(study, tmp_path)
    frame = pd.read_csv(tmp_path / "data/trials.csv")
    assert len(frame) == 27
    assert frame["test_error"].tolist() == [trial.test_error for trial in study.trials]
    assert frame.groupby(["depth", "variant"]).size().tolist() == [3] * 9


def test_curves_csv_holds_every_epoch(tmp_path):
    study = studies.degradation()
    write_report(study, tmp_path)
    frame = pd.read_csv(tmp_path / "data/curves.csv")
    assert len(frame) == 270
    assert frame["test_error"].tolist() == [row.test_error for trial in study.trials for row in trial.curve]


def test_hostile_names_survive_csv(tmp_path):
    write_report(studies.hostile(), tmp_path)
    names = pd.read_csv(tmp_path / "tables/arms.csv")["variant"].unique().tolist()
    assert [name.removeprefix("'") for name in names] == list(studies.HOSTILE)


FRAME = pd.DataFrame({"arm": ["=a|b", None], "n": [3, 5], "error": [1.23456789, float("nan")]})


def test_a_frame_prints_in_aligned_columns():
    assert render_frame(FRAME, "table").splitlines() == [
        "arm   n    error",
        "----  -  -------",
        "=a|b  3  1.23457",
        "–     5        –",
    ]


def test_a_frame_prints_as_json_with_null_for_what_is_missing():
    assert json.loads(render_frame(FRAME, "json"))[1] == {"arm": None, "n": 5, "error": None}


def test_a_frame_prints_as_csv_that_a_sheet_does_not_run():
    assert render_frame(FRAME, "csv").splitlines() == ['"arm","n","error"', '"\'=a|b",3,1.23456789', ",5,"]


@pytest.mark.parametrize(("form", "text"), [("markdown", r"\=a\|b"), ("latex", r"=a\textbar{}b")])
def test_a_frame_prints_for_papers(form, text):
    assert text.removeprefix("\\") in render_frame(FRAME, form)


def test_an_empty_frame_prints_its_header():
    assert render_frame(FRAME.iloc[:0], "table").splitlines()[0].split() == ["arm", "n", "error"]
