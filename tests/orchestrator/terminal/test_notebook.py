"""What a notebook shows of a run: a line, and tables with nothing but text in them."""

from pathlib import Path

from orchestrator.terminal.notebook import is_watched, study_html, trial_counts
from orchestrator.terminal.run_result import RunResult
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
