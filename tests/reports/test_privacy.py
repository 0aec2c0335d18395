"""What stays out of every file of a report: databases, passwords, folders, and how the study was run."""

from dataclasses import replace

import pytest

from reports.page import write_report
from reports.privacy import public_command, without_databases
from reports.trials import LostAttempt
from tests.reports import studies

URL = "postgresql+psycopg://me:p%40ss@db.example.org:5432/results?password=other"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (f"orchestrate run /home/me/a.yaml --db {URL} --out /tmp/x", "orchestrate run a.yaml"),
        ("orchestrate run --executor inline a.yaml --no-report --set a.b=2", "orchestrate run a.yaml --set a.b=2"),
        ("orchestrate run a.yaml --set='training.lr=[0.1, 1]'", "orchestrate run a.yaml '--set=training.lr=[0.1, 1]'"),
        ("orchestrate run --executor=replay --db x.db a.yaml", "orchestrate run --executor=replay a.yaml"),
        ("orchestrate run a.yaml --executor replay --out b", "orchestrate run a.yaml --executor replay"),
        ("python train.py", "python train.py"),
    ],
)  # fmt: skip
def test_a_command_tells_the_file_and_the_settings_alone(command, told):
    assert public_command(command) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"see {URL}, there", "see postgresql+psycopg://…, there"),
        ("sqlite:////home/me/results.db", "sqlite://…"),
        ("https://me:secret@example.org/a", "https://example.org/a"),
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("a ratio of 3:1", "a ratio of 3:1"),
    ],
)
def test_a_database_is_told_by_its_kind(text, told):
    assert without_databases(text) == told


@pytest.mark.parametrize("include_host", [False, True])
def test_no_file_of_a_report_holds_the_database(tmp_path, include_host):
    whole = studies.degradation()
    study = replace(
        whole,
        settings={**whole.settings, "database": URL},
        source=f"study: x\ndatabase: {URL}\n",
        command=f"orchestrate run x.yaml --db {URL}",
        notes=(f"read from {URL}",),
        user_notes=(f"moved to {URL}",),
    )
    write_report(study, tmp_path, include_host=include_host)
    assert "moved to postgresql+psycopg://…" in (tmp_path / "index.html").read_text()
    for file in tmp_path.rglob("*.*"):
        text = file.read_bytes().decode("utf-8", "replace")
        assert "p%40ss" not in text
        assert "db.example.org" not in text


def test_where_a_study_is_written_and_by_which_command_does_not_change_its_files(tmp_path):
    whole = studies.full_grid()
    there = replace(whole, command="orchestrate run /else/where/ablation.yaml --out elsewhere --db other.db")
    pages = [write_report(each, tmp_path / str(at)) for at, each in enumerate((whole, there))]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert (tmp_path / "0/study.json").read_bytes() == (tmp_path / "1/study.json").read_bytes()


def test_hosts_and_folders_in_what_lost_attempts_say_are_not_told(tmp_path):
    lost = LostAttempt(
        "t", "an arm", 0, "node_lost", "its node gpu-07.cluster is gone", "gpu-07.cluster", log="in /home/me/own/net.py"
    )
    write_report(replace(studies.troubled(), lost=(lost,)), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "gpu-07" not in page
    assert "/home/me" not in page
    assert "1 attempt ended without a result (1 node lost), so that the trial waited again." in page
    assert "in …/net.py" in page


def test_interrupted_attempts_are_counted_alone(tmp_path):
    lost = LostAttempt("t", "an arm", 0, "interrupted", "the run was interrupted", log="the last words")
    write_report(replace(studies.troubled(), lost=(lost,)), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "without a result (1 interrupted)" in page
    assert "the last words" not in page
