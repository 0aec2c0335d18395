"""The README names every command, and the public names are one list a package."""

import re
import tomllib
from pathlib import Path

import pytest
import typer.main

import orchestrator
import search_spaces
import trainers
from orchestrator.cli import app

ROOT = Path(__file__).parents[1]
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_the_command(command: str) -> None:
    assert f"`orchestrate {command}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_the_command_carries_an_example(command: str) -> None:
    assert f"Example: orchestrate {command}" in typer.main.get_command(app).commands[command].help


@pytest.mark.parametrize("package", [orchestrator, search_spaces, trainers], ids=lambda each: each.__name__)
def test_every_public_name_can_be_imported(package) -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_every_dependency_says_which_file_needs_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    entries = [line for line in lines if re.match(r'\s+"[\w\-\[\]]+>=', line)]
    assert [line for line in entries if "#" not in line] == []


def test_the_files_that_dependencies_name_exist() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    paths = re.findall(r"#[^\n]*?((?:orchestrator|reports|search_spaces|trainers|tests)(?:/\w+)+(?:\.py)?)", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_packages_are_the_four_of_the_build() -> None:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert found == ["orchestrator*", "reports*", "search_spaces*", "trainers*"]
