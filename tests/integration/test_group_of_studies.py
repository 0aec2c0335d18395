"""A group of studies that share arms: every plan is on record before any of them trains."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

import orchestrator.presets
from orchestrator import load_study
from orchestrator.cli import app
from reports.analysis.badges import POST_HOC
from reports.analysis.verdicts import judge_study

CLAIMS = """\
claims:
  - {id: plain-worse, says: plain > original}
"""


@pytest.fixture
def group(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the name of a group of two studies of the same arms, the second of which makes a claim."""
    second = small.with_name("second.yaml")
    second.write_text(small.read_text().replace("study: small", "study: second") + CLAIMS)
    monkeypatch.setattr(orchestrator.presets, "study_paths", lambda file: (small, second))
    return Path("both")


def run(group: Path, *more: str) -> str:
    done = CliRunner().invoke(app, ["run", str(group), "--executor", "inline", "--no-report", *more])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.slow
def test_every_plan_of_a_group_is_on_record_before_its_first_training(group: Path) -> None:
    run(group)
    run(group)
    planned = text("SELECT max(first) FROM (SELECT min(at) AS first FROM events WHERE kind = 'Planned' GROUP BY study)")
    with create_engine("sqlite:///results.db").connect() as connection:
        begun = connection.execute(text("SELECT min(started_at) FROM trials")).scalar()
        assert connection.execute(planned).scalar() < begun
        assert connection.execute(text("SELECT count(*) FROM trials")).scalar() == 4
    study = load_study("second").study
    assert len(study.history.versions) == 1
    (verdict,) = judge_study(study)
    assert (verdict.changes, POST_HOC in verdict.badges) == ((), False)


@pytest.mark.slow
def test_a_mistake_in_the_last_study_of_a_group_ends_it_before_any_plan_is_recorded(group: Path) -> None:
    Path("second.yaml").write_text(Path("second.yaml").read_text().replace("plain > original", "plian > original"))
    done = CliRunner().invoke(app, ["run", str(group), "--executor", "inline"])
    assert "plian" in str(done.exception)
    assert not Path("results.db").exists()
