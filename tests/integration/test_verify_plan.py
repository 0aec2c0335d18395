"""A report and its plans held against the results DB, and a pre-registered hash against the plan before any result."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator import RunOptions, run_study
from orchestrator.cli import app
from tests.integration.made_up import MadeUp

INLINE = RunOptions(executor="inline")
FILE = """\
study: made-up
network: {family: resnet_cifar, width: 2, depth: 8}
factors: {shortcut: {identity: {}, scaled: {shortcut: {op: scale, shortcut: 0.5, residual: 0.5}}}}
training: {recipe: quick, epochs: 1}
seeds: SEEDS
analysis: {alpha: ALPHA}
claims: [{id: it, says: scaled < identity}]
"""


@pytest.fixture(autouse=True)
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    monkeypatch.setattr("orchestrator.study.make_backend", lambda *_: MadeUp(lambda _, seed: 5 + 0.1 * seed))


def frozen(seeds="3", alpha="0.05") -> str:
    """Write the study file and return the hash that freezing prints."""
    Path("made-up.yaml").write_text(FILE.replace("SEEDS", seeds).replace("ALPHA", alpha))
    done = CliRunner().invoke(app, ["freeze", "made-up.yaml"])
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def run(**changes: str) -> str:
    digest = frozen(**changes)
    run_study("made-up.yaml", options=INLINE)
    return digest


def verified(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["verify", "out/made-up", *words])
    return done.exit_code, done.stdout if done.exit_code < 2 else repr(done.exception)


def sql(*statements: str) -> None:
    with sqlite3.connect("results.db") as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount == 1
    connection.close()


def test_the_hash_of_the_plan_before_the_first_result_holds() -> None:
    digest = run()
    code, said = verified("--plan", digest)
    assert code == 0
    assert f"plan: {digest} is version 1 of 20" in said
    assert "UTC, made before the first result, of 20" in said
    assert verified("--plan", f" {digest.upper()} ")[0] == 0
    assert verified() == (0, "The report is what the results give.\n")


def test_a_plan_that_another_followed_no_longer_holds() -> None:
    digest = run()
    run(seeds="4", alpha="0.1")
    code, said = verified("--plan", digest)
    assert code == 1
    assert "after the first result it was replaced by version 2 of 20" in said
    assert "which differs in seeds, alpha" in said
    assert verified()[0] == 0  # the report itself is what the results give


def test_a_plan_made_after_results_is_not_the_one_before_them() -> None:
    first = run()
    later = run(alpha="0.1")
    code, said = verified("--plan", later)
    assert code == 1
    assert f"plan: {later} is version 2 of 20" in said
    assert "made after the first result, of 20" in said
    assert first not in said


def test_a_plan_of_results_that_another_study_left_is_not_before_them() -> None:
    digest = run()
    Path("made-up.yaml").write_text(Path("made-up.yaml").read_text().replace("study: made-up", "study: again"))
    run_study("made-up.yaml", options=INLINE)
    done = CliRunner().invoke(app, ["verify", "out/again", "--plan", digest])
    assert done.exit_code == 1
    assert f"plan: {digest} is version 1 of 20" in done.stdout
    assert "made after the first result" in done.stdout


def test_times_that_were_set_later_hide_no_result() -> None:
    run()
    with sqlite3.connect("results.db") as connection:
        connection.execute("UPDATE trials SET finished_at = '2100-01-01 00:00:00'")
    connection.close()
    code, said = verified("--plan", run(alpha="0.1"))
    assert code == 1
    assert "made when 6 results of its arms were on record" in said


def test_the_hash_of_another_plan_is_told_with_the_one_that_was_in_force() -> None:
    other, digest = frozen(alpha="0.1"), run()
    code, said = verified("--plan", other)
    assert code == 1
    assert f"plan: {other} is not the hash of any plan of this study" in said
    assert f"whose hash is {digest}" in said


def test_a_plan_whose_content_was_changed_in_the_db_gives_another_hash() -> None:
    digest = run()
    sql("UPDATE events SET details = json_set(details, '$.plan.alpha', 0.01) WHERE kind = 'Planned'")
    code, said = verified()
    assert code == 1
    assert f"recorded with the hash {digest}, but its content gives " in said
    assert "the study has other alpha than version 1" in said
    assert "is not the hash of any plan" in verified("--plan", digest)[1]


def test_a_study_that_was_changed_without_a_plan_is_named() -> None:
    run()
    sql("UPDATE studies SET fail_above = 1, settings = json_set(settings, '$.claims[0].by', 2)")
    code, said = verified()
    assert code == 1
    assert "plan: the study has other fail above, claims than version 1 of 20" in said


def test_a_hash_changed_in_the_report_is_named() -> None:
    digest = run()
    found = json.loads(Path("out/made-up/study.json").read_text())
    found["plans"][0]["digest"] = "0" * 64
    Path("out/made-up/study.json").write_text(json.dumps(found))
    code, said = verified()
    assert code == 1
    assert f'plans[1].digest: "{"0" * 64}" in the report, "{digest}" from the results' in said


@pytest.mark.parametrize("written", ["20", "20.0", "12.5"])
def test_a_whole_number_in_the_file_is_the_number_that_the_results_db_keeps(written: str) -> None:
    text = FILE.replace("SEEDS", "3").replace("ALPHA", "0.05")
    Path("made-up.yaml").write_text(f"{text}fail_above: {written}\n")
    run_study("made-up.yaml", options=INLINE)
    assert verified() == (0, "The report is what the results give.\n")
    sql("UPDATE studies SET fail_above = 21")
    code, told = verified()
    assert code == 1
    assert "the study has other fail above than version 1" in told
