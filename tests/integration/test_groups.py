"""`freeze`, `describe` and `doctor` take the name of a ready study or of a group, as `run` and `plan` do."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.errors import UserError
from orchestrator.planning.plan import make_plan
from orchestrator.records.frozen_plan import frozen, plan_digest
from orchestrator.study_file.config import read_study


@pytest.fixture
def group(small: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let `pair` stand for two studies, as `article` does for three."""
    other = small.with_name("other.yaml")
    other.write_text(small.read_text().replace("study: small", "study: other"))
    files = [small, other]
    known = {"pair": tuple(files), "one": (other,)}
    for module in ("orchestrator.commands.doctor", "orchestrator.presets"):  # the importing one first
        monkeypatch.setattr(f"{module}.study_paths", lambda file: known.get(str(file), (file,)))
    return files


def output(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    return result.output


def test_the_plans_of_a_group_are_frozen_one_a_line(group: list[Path]) -> None:
    changes = ["seeds=[900, 901]"]
    hashes = [plan_digest(frozen(make_plan(read_study(file, changes)))) for file in group]
    lines = output("freeze", "pair", "--set", changes[0]).splitlines()
    assert lines == [f"{hashes[0]}  small", f"{hashes[1]}  other"]
    assert output("freeze", "one", "--set", changes[0]) == f"{hashes[1]}\n"


def test_a_group_is_described_study_by_study(group: list[Path], tmp_path: Path) -> None:
    shown = output("describe", "pair", "--svg", str(tmp_path / "figures"))
    assert shown.index("small") < shown.index("other")
    assert sorted(each.parent.name for each in tmp_path.rglob("units.svg")) == ["other", "small"]
    assert json.loads(output("describe", "one", "--format", "json"))["study"] == "other"


def test_doctor_examines_each_study_of_a_group_and_the_rest_once(group: list[Path]) -> None:
    found = json.loads(output("doctor", "pair", "--format", "json"))
    names = [each["name"] for each in found]
    assert names.count("Python") == 1
    assert [each["seen"].partition(":")[0] for each in found if each["name"] == "study file"] == ["small", "other"]


def test_doctor_says_what_a_pack_asks_for(small: Path) -> None:
    found = {each["name"]: each["seen"] for each in json.loads(output("doctor", str(small), "--format", "json"))}
    assert found["resources"] == "a pack asks for 1 CPU and 0 GPUs, which fits here"
    small.write_text(f"{small.read_text()}resources: {{cpus: 99999.5}}\n")
    shown = CliRunner().invoke(app, ["doctor", str(small)])
    assert shown.exit_code == 2
    assert "a pack asks for 99999.5 CPUs and 0 GPUs; this machine has " in shown.output


def test_doctor_goes_on_where_its_file_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["doctor", "articel"])
    assert shown.exit_code == 2
    assert 'articel: no such file; did you mean "article"?' in shown.output
    assert "results DB: sqlite:///results.db" in shown.output


@pytest.mark.parametrize("mistake", [["--notify", "no-such-command"], ["--executor", "none"]])
def test_a_mistaken_command_records_no_plan_of_a_group(mistake: list[str], group: list[Path], tmp_path: Path) -> None:
    run = ["run", "pair", "--executor", "inline", "--db", f"sqlite:///{tmp_path / 'none.db'}", *mistake]
    assert isinstance(CliRunner().invoke(app, run).exception, UserError)
    assert not (tmp_path / "none.db").exists()
