"""The commands as a user types them, in a process of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def orchestrate(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from orchestrator.cli import main; main()", *words]
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        command, capture_output=True, text=True, timeout=200, env={**os.environ, "PYTHONPATH": root, "COLUMNS": "160"}
    )


@pytest.fixture
def trained(small: Path) -> Path:
    done = orchestrate("run", str(small), "--executor", "inline")
    assert done.returncode == 0, done.stderr
    return small


@pytest.mark.slow
def test_run_prints_trials_arms_and_the_report(small: Path) -> None:
    done = orchestrate("run", str(small), "--executor", "inline")
    assert done.returncode == 0, done.stderr
    assert "[4/4]" in done.stdout
    assert "original" in done.stdout
    assert "out/small/index.html" in done.stdout
    assert (small.parent / "out/small/index.html").exists()
    assert done.stderr == ""


@pytest.mark.slow
def test_status_query_and_report_read_what_run_wrote(trained: Path) -> None:
    assert "small" in orchestrate("status").stdout
    assert "variant=plain" in orchestrate("status", "small").stdout
    sql = "SELECT arm, count(*) AS n FROM trial_results GROUP BY arm ORDER BY arm"
    rows = json.loads(orchestrate("query", sql, "--format", "json").stdout)
    assert rows == [{"arm": "variant=original", "n": 2}, {"arm": "variant=plain", "n": 2}]
    twice = orchestrate("query", "SELECT 1 AS a, 2 AS a", "--format", "json").stderr
    assert 'two columns are called "a"' in twice
    assert orchestrate("report", "small").stdout.strip().endswith("index.html")


@pytest.mark.slow
def test_plan_counts_new_and_cached_trials_and_writes_nothing(small: Path) -> None:
    plan = json.loads(orchestrate("plan", str(small), "--format", "json").stdout)
    assert (plan["new"], plan["cached"]) == (4, 0)
    assert [each.name for each in small.parent.iterdir()] == ["small.yaml"]
    orchestrate("run", str(small), "--executor", "inline")
    plan = json.loads(orchestrate("plan", str(small), "--format", "json").stdout)
    assert (plan["new"], plan["cached"]) == (0, 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "none.yaml"], "none.yaml: no such file"),
        (["run", "small.yaml", "--set", "network.depth=21"], "small.yaml --set: network.depth"),
        (["run", "small.yaml", "--executor", "rai"], 'did you mean "ray"'),
        (["run", "small.yaml", "--address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1"),
        (["run", "small.yaml", "--db", "postgres://"], "names no database"),
        (["status", "small"], "results.db"),
        (["query", "SELECT 1"], "results.db"),
        (["describe", "none.yaml"], "no such file"),
        (["run", "small.yaml", "--nonsense"], "No such option"),
    ],
)
def test_a_mistake_is_one_message_with_exit_code_2(small: Path, words: list[str], message: str) -> None:
    done = orchestrate(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [each.name for each in small.parent.iterdir()] == ["small.yaml"]


def test_every_command_has_help_with_an_example(small: Path) -> None:
    listing = orchestrate("--help").stdout
    for name in ("run", "plan", "status", "query", "report", "describe", "doctor"):
        assert name in listing


@pytest.mark.parametrize("command", ["run", "plan", "status", "query", "report", "describe", "doctor"])
def test_the_help_of_a_command_carries_an_example(command: str) -> None:
    assert f"Example: orchestrate {command}" in orchestrate(command, "--help").stdout
