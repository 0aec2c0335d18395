"""What a notebook shows of a run: a line, and tables with nothing but text in them."""

from dataclasses import replace
from pathlib import Path

from orchestrator.terminal.notebook import is_watched, study_html, trial_counts
from orchestrator.terminal.run_result import RunResult
from reports.analysis.verdicts import judge_study
from tests.reports import studies


def test_the_repr_of_a_result_is_one_short_line():
    text = repr(RunResult(studies.troubled(), (), Path("out/index.html"), interrupted=True))
    assert len(text) < 300
    assert "\n" not in text
    for words in ("degradation", "diverged", "interrupted", "out/index.html"):
        assert words in text


def test_the_page_has_a_row_for_each_arm_that_is_asked_for():
    study = studies.troubled()
    asked = [arm for arm in study.arms if not arm.orphaned]
    html = study_html(study, (), None)
    assert html.count("<tr>") == 1 + len(asked)
    assert trial_counts(study) in html


def test_output_that_a_test_captures_is_not_watched(capsys):
    assert not is_watched()


def test_parts_of_a_result_are_short_in_words_and_tables_in_html() -> None:
    study = studies.judged()
    (verdict, *_) = judge_study(study)
    parts = [study, study.arms[0], study.trials[0], verdict]
    assert [type(each).__name__ in repr(each) and len(repr(each)) < 120 for each in parts] == [True] * 4
    assert f"<td>{verdict.word}</td>" in verdict._repr_html_()
    hostile = replace(study.arms[0], name="<script>", params=1234)
    assert "<td>&lt;script&gt;</td>" in hostile._repr_html_()
    assert "<td>1,234</td>" in hostile._repr_html_()
