"""The version stands in one place: reports, the command line, the package and the citation have it from there."""

import tomllib
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.records import environment
from orchestrator.version import VERSION

ROOT = Path(__file__).parents[2]


def test_results_carry_the_version_of_the_code_not_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "version", lambda package: "0.0.1")
    environment.package_versions.cache_clear()
    found = environment.package_versions()
    environment.package_versions.cache_clear()
    assert (found["ablation-orchestrator"], found["torch"]) == (VERSION, "0.0.1")


def test_the_command_line_says_it() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.startswith(f"orchestrate {VERSION} (Python ")


def test_the_package_and_the_citation_have_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "orchestrator.version.VERSION"}
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == VERSION
