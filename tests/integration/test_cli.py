"""The commands as a user types them.

Most run in this process, through the entry point of the program; what is about a process (signals, pipes, a first
import, the exit code that a shell sees) starts one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.command import Orchestrate

COMMAND = f"'{sys.executable}' -m orchestrator"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "160"}


def in_a_process(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from orchestrator.cli import main; main()", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment())


@pytest.fixture
def trained(small: Path, orchestrate: Orchestrate) -> Path:
    done = orchestrate("run", str(small), "--executor", "inline")
    assert done.returncode == 0, done.stderr
    return small


@pytest.mark.slow
def test_run_prints_trials_arms_and_the_report(small: Path) -> None:
    done = in_a_process("run", str(small), "--executor", "inline")
    assert done.returncode == 0, done.stderr
    assert "[4/4]" in done.stdout
    assert "original" in done.stdout
    assert "out/small/index.html" in done.stdout
    assert (small.parent / "out/small/index.html").exists()
    assert done.stderr == ""


@pytest.mark.slow
def test_status_query_and_report_read_what_run_wrote(trained: Path, orchestrate: Orchestrate) -> None:
    assert "small" in orchestrate("status").stdout
    assert "variant=plain" in orchestrate("status", "small").stdout
    sql = "SELECT arm, count(*) AS n FROM trial_results GROUP BY arm ORDER BY arm"
    rows = json.loads(orchestrate("query", sql, "--format", "json").stdout)
    assert rows == [{"arm": "variant=original", "n": 2}, {"arm": "variant=plain", "n": 2}]
    twice = orchestrate("query", "SELECT 1 AS a, 2 AS a", "--format", "json").stderr
    assert 'two columns are called "a"' in twice
    assert orchestrate("report", "small").stdout.strip().endswith("index.html")


@pytest.mark.slow
def test_plan_counts_new_and_cached_trials_and_writes_nothing(small: Path, orchestrate: Orchestrate) -> None:
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
def test_a_mistake_is_one_message_with_exit_code_2(
    small: Path, words: list[str], message: str, orchestrate: Orchestrate
) -> None:
    done = orchestrate(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [each.name for each in small.parent.iterdir()] == ["small.yaml"]


@pytest.mark.slow
def test_a_run_whose_reader_goes_away_trains_to_its_end(small: Path, orchestrate: Orchestrate) -> None:
    command = f"{COMMAND} run small.yaml --executor inline | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=100, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("small: 2 arms, 4 trials")
    rows = json.loads(orchestrate("query", "SELECT state FROM trial_results", "--format", "json").stdout)
    assert [row["state"] for row in rows] == ["COMPLETE"] * 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_training_ends_with_130(small: Path, number: int) -> None:
    small.with_name("slow_net.py").write_text("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)\n")
    small.write_text(
        small.read_text().replace("{family: resnet_cifar, width: 2, depth: 8}", "{family: 'slow_net:build'}")
    )
    small.write_text(small.read_text().replace("{shortcut: none}", "{family: 'slow_net:build'}"))
    command = [sys.executable, "-m", "orchestrator", "run", "small.yaml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as run:
        until = time.monotonic() + 60
        while not small.with_name("begun").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        run.send_signal(number)
        said = run.communicate(timeout=30)[1]
    assert run.returncode == 130
    assert said == "orchestrate: interrupted; run the same command again to continue\n"


def test_the_version_is_told_also_of_the_module(small: Path, orchestrate: Orchestrate) -> None:
    said = orchestrate("--version").stdout
    assert said.startswith("orchestrate ")
    command = [sys.executable, "-m", "orchestrator", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment()).stdout == said
    without = subprocess.run(
        [sys.executable, "-OO", *command[1:]], capture_output=True, text=True, timeout=60, env=environment()
    )
    assert (without.returncode, without.stdout) == (2, "")
    assert "-OO" in without.stderr


def test_every_command_has_help_with_an_example(small: Path, orchestrate: Orchestrate) -> None:
    listing = orchestrate("--help").stdout
    for name in ("run", "plan", "status", "query", "report", "describe", "doctor"):
        assert name in listing


@pytest.mark.parametrize(
    ("words", "meant", "known"),
    [
        (["export", "small", "--to", "onx"], "onnx", "tensorboard"),
        (["status", "--format", "JSON5"], "json", "table"),
        (["query", "SELECT 1", "--format", "latx"], "latex", "markdown"),
        (["diff", "a", "b", "--format", "htm"], "html", "markdown"),
        (["run", "small.yaml", "--log-format", "jso"], "json", "text"),
    ],
)
def test_a_mistaken_choice_names_the_one_that_was_meant(
    words: list[str], meant: str, known: str, orchestrate: Orchestrate
) -> None:
    done = orchestrate(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f'did you mean "{meant}"? known: ' in done.stderr
    assert known in done.stderr


@pytest.mark.parametrize("command", ["run", "plan", "status", "query", "report", "describe", "doctor"])
def test_the_help_of_a_command_carries_an_example(command: str, orchestrate: Orchestrate) -> None:
    assert f"Example: orchestrate {command}" in orchestrate(command, "--help").stdout


@pytest.mark.slow
def test_studies_are_exported_deleted_and_imported_again(trained: Path, orchestrate: Orchestrate) -> None:
    assert orchestrate("export", "small", "--to", "db", "--out", "copy.db").stdout.startswith(
        "copy.db: small with 2 arms"
    )
    assert orchestrate("prune").stdout == "prune all studies: there is nothing to remove\n"
    told = orchestrate("delete", "small")
    assert told.stdout.splitlines()[-1] == "nothing is changed yet: add --yes to do it"
    assert "4 trials go, 4 of them with a result" in told.stdout
    assert "small" in orchestrate("status").stdout
    assert orchestrate("delete", "small", "--yes").stdout.endswith("done\n")
    assert "no study" in orchestrate("status").stdout
    for _ in range(2):
        assert orchestrate("import", "copy.db", "--yes").returncode == 0
    plan = json.loads(orchestrate("plan", "small.yaml", "--format", "json").stdout)
    assert (plan["new"], plan["cached"]) == (0, 4)
    trials = json.loads(orchestrate("status", "small", "--format", "json").stdout)
    assert [(each["state"], each["epoch"]) for each in trials] == [("COMPLETE", 2)] * 4
    assert [each["name"] for each in json.loads(orchestrate("status", "--format", "json").stdout)] == ["small"]


@pytest.mark.slow
def test_facts_are_printed_as_json(small: Path, orchestrate: Orchestrate) -> None:
    described = json.loads(orchestrate("describe", "small.yaml", "--format", "json").stdout)
    assert [each["arm"] for each in described["arms"]] == ["variant=plain", "variant=original"]
    assert {each["name"] for each in json.loads(orchestrate("presets", "--format", "json").stdout)} >= {"degradation"}
    assert {"Python", "packages"} <= {
        each["name"] for each in json.loads(orchestrate("doctor", "--format", "json").stdout)
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["delete", "small"], "there are no results in"),
        (["import", "none.db"], "there are no results in"),
        (["probe", "small"], "there are no results in"),
        (["prune"], "there are no results in"),
        (["note", "small", "text", "--yes"], "there are no results in"),
        (["export", "small", "--to", "db", "--out", "small.yaml"], "the file exists"),
        (["rename", "small", "other", "--db", ""], "the database has no name"),
        (["plan", "small.yaml", "--db", "nowhere/r.db"], "there is no folder"),
        (["plan", "small.yaml", "--db", ""], "the database has no name"),
    ],
)
def test_a_database_that_cannot_be_meant_is_one_message(
    small: Path, words: list[str], message: str, orchestrate: Orchestrate
) -> None:
    done = orchestrate(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [each.name for each in small.parent.iterdir()] == ["small.yaml"]


@pytest.mark.slow
def test_a_report_that_cannot_be_written_costs_no_result(small: Path, orchestrate: Orchestrate) -> None:
    out = small.parent / "elsewhere/small"
    (out / "index.html").mkdir(parents=True)
    done = orchestrate("run", "small.yaml", "--executor", "inline", "--db", "other.db", "--out", "elsewhere/small")
    assert done.returncode == 2
    assert "4 complete" in done.stdout
    [said] = done.stderr.splitlines()
    assert said.startswith("orchestrate: the report cannot be written (")
    _, _, command = said.partition("mend that, then run: orchestrate ")
    assert command == f"report small --db other.db --out {out}"
    assert [each.name for each in out.rglob(".*") if each.name.startswith(".index.html")] == []
    (out / "index.html").rmdir()
    assert orchestrate(*command.split()).returncode == 0
    assert (out / "index.html").is_file()


GOES = """
import pathlib
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, x):
        if x.device.type != "meta":
            pathlib.Path("results.db").unlink(missing_ok=True)
        return self.layer(x.flatten(1))


def build(*, input_shape, num_classes):
    return Net()
"""


@pytest.mark.slow
def test_a_results_db_that_goes_while_a_study_runs_is_noticed(small: Path, orchestrate: Orchestrate) -> None:
    small.with_name("goes.py").write_text(GOES)
    small.write_text("study: t\ndata: digits\nnetwork: {family: 'goes:build'}\ntraining: {epochs: 2}\nseeds: 2\n")
    done = orchestrate("run", "small.yaml", "--executor", "inline")
    assert done.returncode == 2
    assert "results.db was deleted, moved or replaced while it was in use" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (small.parent / "results.db").exists()
