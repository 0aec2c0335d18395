import io
import json

import pandas as pd
import pytest

from reports.latex import escape_latex
from reports.page import write_report
from reports.tables import (
    Column,
    Table,
    csv_text,
    escape_markdown,
    p_column,
    render_frame,
    to_csv,
    to_latex,
    to_markdown,
)
from tests.reports import studies
from tests.reports.analysis.build import study


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


def test_a_p_too_small_for_its_decimals_is_said_to_be_below_them_and_kept_in_csv():
    table = Table("p", "", (p_column("p", "p"), Column("error", "error", 2, True)), ((2e-6, 0.001), (0.0312, 5.0)))
    assert table.shown() == [["<0.0001", "0.00"], ["0.0312", "5.00"]]
    assert to_csv(table).splitlines()[1] == "2e-06,0.001"
    assert r"\<0.0001" in to_markdown(table)


def test_no_table_of_a_page_says_that_a_p_is_nought(tmp_path):
    errors = {"a": [2.0, 2.1, 2.05, 2.12], "b": [9.0, 9.11, 9.04, 9.13]}
    arms = [({"variant": name}, values) for name, values in errors.items()]
    claims = [{"id": "c", "says": "a < b", "by": 1}]
    given = study(arms, baseline={"variant": "a"}, settings={"claims": claims})
    write_report(given, tmp_path)
    for path in (tmp_path / "tables").glob("*.md"):
        lines = [line.split("|") for line in path.read_text().splitlines() if line.startswith("|")]
        at = [place for place, head in enumerate(lines[0]) if head.strip() == "p" or head.strip().startswith("p ")]
        assert not [line for line in lines[2:] for place in at if line[place].strip() == "0.0000"], path.name


def test_latex_needs_no_encoding_of_its_own_for_a_quotation_mark():
    assert escape_latex('a "b"') == "a ''b''"


def test_counts_are_in_groups_of_three_digits_where_people_read_them():
    made = Table(
        "t",
        "",
        (Column("arm", "arm"), Column("params", "parameters", is_number=True, is_count=True)),
        (("a", 48544), ("b", 999)),
    )
    assert [row[1] for row in made.shown()] == ["48,544", "999"]
    assert "48,544" in to_markdown(made)
    assert to_csv(made).splitlines()[1] == '"a",48544'
